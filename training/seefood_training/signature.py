"""Determines the input and the output of a SavedModel, from its signature or by running it.

A SavedModel states the types and shapes of its tensors. It does not state the range of its pixels
or whether it returns probabilities. The latter is determined by running it on pictures where
possible; for the rest, the user is asked for an option.
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

OutputKind = Literal["probabilities", "logits"]

_SUM_TOLERANCE: Final = 1e-3
_PICTURE_TYPES: Final = ("uint8", "float32", "float16", "int32")


@dataclass(frozen=True, slots=True)
class SignatureSpec:
    """One function of a SavedModel, from a batch of pictures to one row of numbers for each."""

    name: str
    """The signature's name, or `__call__`."""
    call: Callable[[Any], Any]
    """From a tensor of `dtype` and `shape` to one of shape `(n, columns)`."""
    dtype: str
    shape: tuple[int | None, int | None, int | None, int | None]
    """`(n, height, width, 3)` or `(n, 3, height, width)`; None stands for any size."""
    columns: int

    @property
    def channels_first(self) -> bool:
        """Whether the channels come before height and width."""
        return self.shape[3] != 3 and self.shape[1] == 3

    @property
    def size(self) -> tuple[int | None, int | None]:
        """Height and width."""
        return self.shape[2:] if self.channels_first else self.shape[1:3]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A SavedModel and one of its functions."""

    model: Any
    """Owns the variables that the function refers to."""
    signature: SignatureSpec


def load_saved_model(path: Path, signature: str | None, classes: int) -> Loaded:
    """Load the SavedModel at `path` and choose the function that classifies pictures.

    `signature` is the name of a signature. None chooses `serving_default`, else the only signature,
    else `__call__`. Raises `UsageError` if there is no such function or it does not fit `classes`.
    """
    import tensorflow as tf

    if (path / MANIFEST).is_file():
        raise UsageError(f"{path} is a bundle already; use it with `--model`")
    if not (path / "saved_model.pb").is_file():
        raise UsageError(
            f"{path} is not a SavedModel: it has no saved_model.pb; write one with "
            "`tf.saved_model.save(model, folder)` or Keras's `model.export(folder)`"
        )
    try:
        model = tf.saved_model.load(str(path))
    except Exception as error:
        raise UsageError(f"TensorFlow cannot load the SavedModel {path}: {error}") from error
    name, function = _choose_function(model, signature, path)
    return Loaded(model, _signature_spec(name, function, classes))


def input_size(signature: SignatureSpec, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """Return height and width of the input.

    Raises `UsageError` if neither the signature nor `wanted` states them, or if they contradict.
    """
    height, width = signature.size
    if wanted is None:
        if height is None or width is None:
            raise UsageError(
                f"the signature {signature.name} takes pictures of any size; "
                "give the size that the network was trained on with `--size HxW`"
            )
        return height, width
    if (height or wanted[0], width or wanted[1]) != wanted:
        raise UsageError(
            f"`--size {wanted[0]}x{wanted[1]}` contradicts the signature {signature.name}, which "
            f"takes {height or 'any'}x{width or 'any'}; leave the option out"
        )
    return wanted


def output_kind(
    outputs: NDArray[np.float32], stated: OutputKind | None, *, ends_in_sigmoid: bool
) -> OutputKind:
    """Return whether `outputs` of shape `(n, columns)` for some pictures are probabilities.

    `stated` is the user's option. Raises `UsageError` if `outputs` contradict it, or if it is None
    and `outputs` do not decide.
    """
    single = outputs.shape[1] == 1
    inside = bool(outputs.min() >= 0 and outputs.max() <= 1 + _SUM_TOLERANCE)
    sums = outputs.sum(axis=1)
    observed = f"returns values between {outputs.min():.4g} and {outputs.max():.4g}"
    adds_up = inside and not single and bool(np.abs(sums - 1).max() <= _SUM_TOLERANCE)
    if stated == "probabilities" and not (adds_up or (inside and single)):
        raise UsageError(
            f"the model {observed} that sum to {sums.min():.4g} to {sums.max():.4g}: these are "
            "not probabilities of one label; use `--logits`"
        )
    if stated == "logits" and adds_up:
        raise UsageError("the model returns probabilities already; leave `--logits` out")
    if stated is not None:
        return stated
    if adds_up or (single and inside and ends_in_sigmoid):
        return "probabilities"
    if not inside:
        return "logits"
    raise UsageError(
        f"the model {observed}, which could be either: use `--probabilities` or `--logits`"
        if single
        else f"the model {observed} that do not sum to 1: they may be independent scores or "
        "logits; use `--logits` if each picture has exactly one label"
    )


def probe_pictures(height: int, width: int) -> Pixels:
    """Return drawings and noise to run a model on, uint8 of shape `(n, height, width, 3)`."""
    rng = np.random.default_rng(0)
    drawn = [
        np.asarray(draw_picture(kind, 1, (max(16, width), max(16, height))))[:height, :width]
        for kind in KINDS
    ]
    noise = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    return np.concatenate([np.stack(drawn), noise])


def _choose_function(model: Any, wanted: str | None, path: Path) -> tuple[str, Any]:
    signatures = dict(getattr(model, "signatures", {}))
    if wanted is not None:
        if wanted not in signatures:
            names = ", ".join(sorted(signatures)) or "none"
            raise UsageError(f"{path} has no signature {wanted!r}; it has {names}")
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
        f"{path} has no signature and no function of one batch of pictures; save it with "
        "`tf.saved_model.save(model, folder, signatures=…)`"
    )


def _signature_spec(name: str, function: Any, classes: int) -> SignatureSpec:
    specs = [*function.structured_input_signature[1].values()]
    specs += [each for each in function.structured_input_signature[0] if hasattr(each, "dtype")]
    described = ", ".join(f"{each.dtype.name} {each.shape}" for each in specs)
    if len(specs) != 1:
        raise UsageError(
            f"the signature {name} takes {len(specs)} tensors ({described}) instead of one; "
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

        outputs = function(**{key: images}) if key else function(images)
        values = outputs if output is None else outputs[output]
        return tf.reshape(tf.cast(values, tf.float32), (-1, columns))

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
    columns: dict[Any, int] = {}
    for key, tensor in outputs.items():
        sizes = tensor.shape.as_list()[1:] if tensor.shape.rank else []
        if sizes and None not in sizes and tensor.dtype.is_floating:
            count = int(np.prod(sizes))
            if count == classes or (count == 1 and classes == 2):
                columns[key] = count
    if len(columns) != 1:
        shapes = ", ".join(f"{key or 'output'} {each.shape}" for key, each in outputs.items())
        raise UsageError(
            f"the signature {name} returns {shapes}: {len(columns)} of these have one number for "
            f"each of the {classes} labels; check the labels file, or choose another with "
            "`--signature`"
        )
    return next(iter(columns.items()))
