"""What somebody else's SavedModel takes and answers, read from it or tried on pictures.

A SavedModel states its tensors' types and sizes, and neither in which range it wants pixels nor
whether it answers probabilities. What can be tried is tried; what cannot be known is asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import MANIFEST
from seefood.errors import UsageError
from seefood.imaging.decode import Pixels
from seefood.synthetic import KINDS, draw_picture

Answers = Literal["probabilities", "logits"]

_SUM_TOLERANCE: Final = 1e-3
_PROBES: Final = 8
_PICTURE_TYPES: Final = ("uint8", "float32", "float16", "int32")


@dataclass(frozen=True, slots=True)
class SignatureSpec:
    """One function of a SavedModel, from a batch of pictures to one answer for each."""

    name: str
    """The signature's name, or `__call__`."""
    call: Callable[[Any], Any]
    """Takes a tensor of `dtype` and `shape`, answers one of shape `(n, columns)`."""
    dtype: str
    shape: tuple[int | None, int | None, int | None, int | None]
    """`(n, height, width, 3)`, or `(n, 3, height, width)`; None where any size goes."""
    columns: int | None

    @property
    def channels_first(self) -> bool:
        """Whether colour comes before height and width."""
        return self.shape[3] != 3 and self.shape[1] == 3

    @property
    def size(self) -> tuple[int | None, int | None]:
        """Height and width."""
        return self.shape[2:] if self.channels_first else self.shape[1:3]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A SavedModel and the function of it that was chosen."""

    model: Any
    """Kept: the function refers to variables that it owns."""
    callee: SignatureSpec


def load_saved_model(path: Path, signature: str | None, classes: int) -> Loaded:
    """Load the SavedModel at `path` and find the function that labels pictures.

    `signature` names it; None takes `serving_default`, or the only one, or what the model does when
    it is called. Raises `UsageError` with what is there instead.
    """
    import tensorflow as tf

    if (path / MANIFEST).is_file():
        raise UsageError(f"{path} is a bundle already; use it with `--model`")
    if not (path / "saved_model.pb").is_file():
        raise UsageError(
            f"{path} is no SavedModel: it has no saved_model.pb; write one with "
            "`tf.saved_model.save(model, folder)` or Keras's `model.export(folder)`"
        )
    try:
        model = tf.saved_model.load(str(path))
    except Exception as error:
        raise UsageError(f"TensorFlow cannot load the SavedModel {path}: {error}") from error
    name, function = _choose(model, signature, path)
    return Loaded(model, _callee(name, function, classes))


def find_size(callee: SignatureSpec, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """Return height and width of the input. Raises `UsageError` if neither side states them."""
    height, width = callee.size
    if wanted is None:
        if height is None or width is None:
            raise UsageError(
                f"the signature {callee.name} takes pictures of any size; "
                "say with `--size HxW` which one the network was trained on"
            )
        return height, width
    if (height or wanted[0], width or wanted[1]) != wanted:
        raise UsageError(
            f"`--size {wanted[0]}x{wanted[1]}` contradicts the signature {callee.name}, which "
            f"takes {height or 'any'}x{width or 'any'}; leave the option out"
        )
    return wanted


def find_answers(
    answers: NDArray[np.float32], stated: Answers | None, *, ends_in_sigmoid: bool
) -> Answers:
    """Return whether `answers` of shape `(n, columns)` to some pictures are probabilities.

    `stated` is what the user says. Raises `UsageError` if that cannot be, or if nobody can tell.
    """
    single = answers.shape[1] == 1
    inside = bool(answers.min() >= 0 and answers.max() <= 1 + _SUM_TOLERANCE)
    sums = answers.sum(axis=1)
    seen = f"answers between {answers.min():.4g} and {answers.max():.4g}"
    adds_up = inside and not single and bool(np.abs(sums - 1).max() <= _SUM_TOLERANCE)
    if stated == "probabilities" and not (adds_up or (inside and single)):
        raise UsageError(
            f"the model {seen} that sum to {sums.min():.4g} to {sums.max():.4g}: these are no "
            "probabilities of one label; use `--logits`"
        )
    if stated == "logits" and adds_up:
        raise UsageError("the model answers probabilities already; leave `--logits` out")
    if stated is not None:
        return stated
    if adds_up or (single and inside and ends_in_sigmoid):
        return "probabilities"
    if not inside:
        return "logits"
    raise UsageError(
        f"the model {seen}, which could be either: say `--probabilities` or `--logits`"
        if single
        else f"the model {seen} that do not sum to 1: independent scores cannot be told from "
        "logits; say `--logits` if one label is right for each picture"
    )


def probe_pictures(height: int, width: int) -> Pixels:
    """Return drawn pictures and noise to try a model on, `(n, height, width, 3)` uint8."""
    rng = np.random.default_rng(0)
    drawn = [
        np.asarray(draw_picture(kind, 1, (max(16, width), max(16, height))))[:height, :width]
        for kind in KINDS[:: len(KINDS) // _PROBES]
    ]
    noise = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    return np.concatenate([np.stack(drawn), noise])


def _choose(model: Any, wanted: str | None, path: Path) -> tuple[str, Any]:
    signatures = dict(getattr(model, "signatures", {}))
    if wanted is not None:
        if wanted not in signatures:
            there = ", ".join(sorted(signatures)) or "none"
            raise UsageError(f"{path} has no signature {wanted!r}; it has {there}")
        return wanted, signatures[wanted]
    if "serving_default" in signatures:
        return "serving_default", signatures["serving_default"]
    if len(signatures) == 1:
        return next(iter(signatures.items()))
    if signatures:
        raise UsageError(
            f"{path} has the signatures {', '.join(sorted(signatures))}; "
            "choose one with `--signature`"
        )
    for function in getattr(getattr(model, "__call__", None), "concrete_functions", ()):  # noqa: B004
        if len(function.inputs) - len(function.captured_inputs) == 1:
            return "__call__", function
    raise UsageError(
        f"{path} has no signature and cannot be called with one batch of pictures; save it with "
        "`tf.saved_model.save(model, folder, signatures=…)`"
    )


def _callee(name: str, function: Any, classes: int) -> SignatureSpec:
    specs = [*function.structured_input_signature[1].values()]
    specs += [each for each in function.structured_input_signature[0] if hasattr(each, "dtype")]
    described = ", ".join(f"{each.dtype.name} {each.shape}" for each in specs)
    if len(specs) != 1:
        raise UsageError(
            f"the signature {name} takes {len(specs)} tensors ({described}), and a picture is one; "
            "choose another with `--signature`"
        )
    (spec,) = specs
    shape: Any = tuple(spec.shape) if spec.shape.rank == 4 else ()
    if spec.dtype.name not in _PICTURE_TYPES or not shape or 3 not in (shape[1], shape[3]):
        raise UsageError(
            f"the signature {name} takes {described}, not a batch of pictures such as float32 "
            "(None, 224, 224, 3); choose another with `--signature`"
        )
    if shape[0] is not None:
        raise UsageError(
            f"the signature {name} takes exactly {shape[0]} pictures at a time; export the model "
            "with a batch size of None"
        )
    key = spec.name if function.structured_input_signature[1] else None
    output, columns = _output(name, function, classes)

    def call(images: Any) -> Any:
        import tensorflow as tf

        answers = function(**{key: images}) if key else function(images)
        answer = answers if output is None else answers[output]
        return tf.reshape(tf.cast(answer, tf.float32), (-1, columns))

    return SignatureSpec(name, call, spec.dtype.name, shape, columns)


def _output(name: str, function: Any, classes: int) -> tuple[Any, int]:
    """Return the key of the output that has one number for each class, and how many it has."""
    structure = function.structured_outputs
    if isinstance(structure, dict):
        outputs = dict(structure)
    elif isinstance(structure, list | tuple):
        outputs = dict(enumerate(structure))
    else:
        outputs = {None: structure}
    found: dict[Any, int] = {}
    for key, tensor in outputs.items():
        sizes = tensor.shape.as_list()[1:] if tensor.shape.rank else []
        if sizes and None not in sizes and tensor.dtype.is_floating:
            count = int(np.prod(sizes))
            if count == classes or (count == 1 and classes == 2):
                found[key] = count
    if len(found) != 1:
        shapes = ", ".join(f"{key or 'output'} {each.shape}" for key, each in outputs.items())
        raise UsageError(
            f"the signature {name} answers {shapes}: {len(found)} of these "
            f"{'has' if len(found) == 1 else 'have'} one number for each of the {classes} labels; "
            "check the labels file, or choose another with `--signature`"
        )
    return next(iter(found.items()))
