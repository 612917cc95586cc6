"""Chooses the output that classifies, and what has to be done to make probabilities of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood_training.packaging.network import Arrays, Function
from seefood_training.packaging.not_scores import (
    SCORES_NEEDED,
    check_not_objects,
    check_scores,
    warning_of_equal_answers,
)

Activation = Literal["none", "softmax", "sigmoid"]
OutputKind = Literal["probabilities", "logits"]
Values = NDArray[np.float32]

_SUM_TOLERANCE: Final = 1e-3
_QUANTISED_SUM_TOLERANCE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Answers:
    """How a function's outputs become probabilities of the labels."""

    output: str
    activation: Activation
    """What is applied to the output; `sigmoid` to each number by itself."""
    columns: int
    positive: int | None = None
    """Of one output for two labels: the label that it stands for."""
    multi_label: bool = False
    notes: tuple[str, ...] = ()
    """What was determined, one sentence each."""

    def probabilities(self, outputs: Values) -> Values:
        """Return the probabilities, of `(n, labels)`, for `outputs` of `(n, columns)`."""
        return activated(outputs, self.activation, self.positive)


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """What the user says of the outputs; None for what is to be determined."""

    output_name: str | None = None
    kind: OutputKind | None = None
    multi_label: bool = False
    positive: str | None = None


def activated(outputs: Values, activation: Activation, positive: int | None) -> Values:
    """Return probabilities: `outputs` through `activation`, one column spread over two labels."""
    values = np.asarray(outputs, np.float64)
    if activation == "softmax":
        exponents = np.exp(values - values.max(axis=1, keepdims=True))
        values = exponents / exponents.sum(axis=1, keepdims=True)
    elif activation == "sigmoid":
        values = 1 / (1 + np.exp(-np.clip(values, -500, 500)))
    if positive is not None:
        pair = (values, 1 - values) if positive == 0 else (1 - values, values)
        values = np.concatenate(pair, axis=1)
    return np.asarray(values, np.float32)


def rows_of(outputs: Arrays, count: int) -> dict[str, Values]:
    """Return the numeric outputs that have numbers for each of `count` pictures, as rows."""
    rows = {}
    for name, value in outputs.items():
        array = np.asarray(value)
        if array.dtype.kind == "f" and array.ndim and array.shape[0] == count and array.size:
            rows[name] = array.reshape(count, -1).astype(np.float32)
    return rows


def without_maps(outputs: Arrays) -> Arrays:
    """Return the outputs without those that have several axes beside that of the pictures.

    Such are maps of a picture, as segmentation returns, sequences, or boxes.
    """
    shapes = {name: np.shape(value)[1:] for name, value in outputs.items()}
    return {
        name: value
        for name, value in outputs.items()
        if sum(length > 1 for length in shapes[name]) <= 1
    }


def choose_answers(
    function: Function,
    outputs: dict[str, Values],
    labels: Sequence[str],
    options: AnswerOptions,
    last_operations: Mapping[str, str | None],
) -> Answers:
    """Return how `outputs`, of some pictures by name, become probabilities of `labels`.

    `last_operations` has what computes each output, such as `Sigmoid`, or None. Raises `UsageError`
    with the option that is missing or wrong.
    """
    if options.output_name is None:
        check_not_objects(function)
    name, columns, notes = _output(function, outputs, labels, options)
    values = outputs[name]
    if not np.isfinite(values).all():
        raise UsageError(
            f"{function.name} returns NaN or infinity for ordinary pictures; check "
            "`--input-range`, or the model's weights"
        )
    is_stated = options.kind is not None or options.multi_label
    check_scores(function, name, values, last_operations.get(name), is_stated=is_stated)
    if (warning := warning_of_equal_answers(values)) is not None:
        notes.append(warning)
    single = columns == 1
    sigmoid = last_operations.get(name) == "Sigmoid" or _is_squeezed(values)
    positive = _positive(labels, options) if single and len(labels) == 2 else None
    if options.positive is not None and positive is None:
        raise UsageError(
            f"`--positive` is for a model with one output; {function.name} has {columns} for "
            f"{len(labels)} labels; leave the option out"
        )
    multi = options.multi_label or (
        sigmoid and not single and options.kind is None and not _sums_to_one(values, function, name)
    )
    if multi:
        kind: OutputKind = options.kind or ("probabilities" if _is_inside(values) else "logits")
        if not options.multi_label:
            notes.append("it ends in a sigmoid for each label, so several may hold (multi-label)")
        if kind == "probabilities" and not _is_inside(values):
            raise UsageError(f"the model {_seen(values)}: no probabilities; use `--logits`")
        return Answers(
            name,
            "none" if kind == "probabilities" else "sigmoid",
            columns,
            multi_label=True,
            notes=tuple(notes),
        )
    kind = _kind(
        values, options.kind, adds_up=_sums_to_one(values, function, name), is_sigmoid=sigmoid
    )
    if single:
        assert positive is not None  # noqa: S101 (`_output` allows one column for two labels only)
        notes.append(f"its one output stands for {labels[positive]!r}")
        activation: Activation = "none" if kind == "probabilities" else "sigmoid"
    else:
        activation = "none" if kind == "probabilities" else "softmax"
    return Answers(name, activation, columns, positive, notes=tuple(notes))


def _output(
    function: Function, outputs: dict[str, Values], labels: Sequence[str], options: AnswerOptions
) -> tuple[str, int, list[str]]:
    """Return the name of the output that has a number for each label, and how many."""
    described = ", ".join(map(str, function.outputs)) or "nothing"
    classes = len(labels)
    if options.output_name is not None:
        named = [each.name for each in function.outputs]
        if options.output_name not in named:
            raise UsageError(
                f"{function.name} has no output {options.output_name!r}; it has {', '.join(named)}"
            )
        if options.output_name not in outputs:
            raise UsageError(
                f"the output {options.output_name} of {function.name} is no row of numbers for "
                f"each picture; its outputs are {described}"
            )
        outputs = {options.output_name: outputs[options.output_name]}
    fitting = {
        name: values.shape[1]
        for name, values in outputs.items()
        if values.shape[1] == classes or (values.shape[1] == 1 and classes == 2)
    }
    full = {name: columns for name, columns in fitting.items() if columns == classes}
    fitting = full or fitting
    if not fitting:
        raise UsageError(_wrong_count(function, outputs, classes, described))
    if len(fitting) == 1:
        name, columns = next(iter(fitting.items()))
        note = [] if len(function.outputs) == 1 else [f"took the output {name!r} of {described}"]
        return name, columns, note
    return _among_equals(function, {name: outputs[name] for name in fitting}, described)


def _wrong_count(
    function: Function, outputs: dict[str, Values], classes: int, described: str
) -> str:
    found = (
        f"{function.name} returns {described}; none has a number for each of the {classes} labels"
    )
    if len(outputs) == 1:
        ((name, values),) = outputs.items()
        columns = values.shape[1]
        if columns == 1:
            return f"{found}: one number is a quantity or the index of a class; {SCORES_NEEDED}"
        wanted = f"{columns} labels"
        return f"{found} ({name} has {columns}); give `--labels` with {wanted}, in that order"
    if not outputs:
        is_map = any(spec.dtype.startswith("seq(map") for spec in function.outputs)
        return (
            f"{function.name} returns {described} and no scores of whole pictures; {SCORES_NEEDED}"
            + (" (scikit-learn: `to_onnx(..., options={'zipmap': False})`)" if is_map else "")
        )
    counts = ", ".join(f"{name} has {values.shape[1]}" for name, values in outputs.items())
    return f"{found} ({counts}); check `--labels`"


def _among_equals(
    function: Function, outputs: dict[str, Values], described: str
) -> tuple[str, int, list[str]]:
    """Return the output that is the softmax or sigmoid of all others."""
    for name, values in outputs.items():
        others = [other for key, other in outputs.items() if key != name]
        if _is_inside(values) and all(_says_the_same(values, other) for other in others):
            return (
                name,
                values.shape[1],
                [f"took the output {name!r} of {described}: others with as many say the same"],
            )
    raise UsageError(
        f"{function.name} returns {described}; {' and '.join(outputs)} have a number for each "
        "label and say different things; choose one with `--output-name`"
    )


def _says_the_same(probabilities: Values, other: Values) -> bool:
    return any(
        np.allclose(activated(other, activation, None), probabilities, atol=2e-3)
        for activation in ("none", "softmax", "sigmoid")
    )


def _kind(
    values: Values, stated: OutputKind | None, *, adds_up: bool, is_sigmoid: bool
) -> OutputKind:
    single = values.shape[1] == 1
    inside = _is_inside(values)
    sums = values.sum(axis=1)
    adds_up = adds_up and not single
    if stated == "probabilities" and not (adds_up or (inside and single)):
        raise UsageError(
            f"the model {_seen(values)} that sum to {sums.min():.4g} to {sums.max():.4g}: these "
            "are not probabilities of one label; use `--logits`, or `--multi-label` if several "
            "labels may hold"
        )
    if stated == "logits" and (adds_up or (single and is_sigmoid)):
        raise UsageError("the model returns probabilities already; leave `--logits` out")
    if stated is not None:
        return stated
    if adds_up or (single and inside and is_sigmoid):
        return "probabilities"
    if values.min() >= 0 and np.abs(sums - 100).max() <= 0.5 and not single:
        raise UsageError("the model returns percentages; export it without the factor of 100")
    if not inside:
        return "logits"
    raise UsageError(
        f"the model {_seen(values)}, which could be either: use `--probabilities` or `--logits`"
        if single
        else f"the model {_seen(values)} that do not sum to 1: use `--multi-label` if several "
        "labels may hold, or `--logits` if each picture has exactly one label"
    )


def _positive(labels: Sequence[str], options: AnswerOptions) -> int:
    if options.positive is None:
        return 1
    if options.positive not in labels:
        raise UsageError(
            f"`--positive {options.positive}` is none of the labels; give one of "
            f"{' or '.join(labels)}"
        )
    return list(labels).index(options.positive)


def _sums_to_one(values: Values, function: Function, name: str) -> bool:
    spec = next((each for each in function.outputs if each.name == name), None)
    tolerance = _SUM_TOLERANCE
    if spec is not None and (spec.scale or spec.is_rounded):
        tolerance = min(0.5, max(_QUANTISED_SUM_TOLERANCE, values.shape[1] / 512))
    elif spec is not None and spec.dtype in {"float16", "bfloat16"}:
        tolerance = _QUANTISED_SUM_TOLERANCE
    return _is_inside(values) and bool(np.abs(values.sum(axis=1) - 1).max() <= tolerance)


def _is_squeezed(values: Values) -> bool:
    """Return whether numbers for pixels of any range stay in [0, 1] and come near both ends."""
    return _is_inside(values) and bool(values.min() < 0.02 and values.max() > 0.98)


def _is_inside(values: Any) -> bool:
    return bool(values.min() >= 0 and values.max() <= 1 + _SUM_TOLERANCE)


def _seen(values: Values) -> str:
    return f"returns values between {values.min():.4g} and {values.max():.4g}"
