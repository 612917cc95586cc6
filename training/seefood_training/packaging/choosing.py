"""Chooses the function of a model that classifies pictures, and refuses what is not repeatable."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from seefood.errors import UsageError
from seefood_training.frozen_graph import FrozenGraph
from seefood_training.packaging.file_input import without_decoder
from seefood_training.packaging.graphs import frozen_outputs
from seefood_training.packaging.network import Function, Opened
from seefood_training.packaging.picture_input import PictureInput, picture_input, takes_files
from seefood_training.packaging.pixels import PixelChoice
from seefood_training.packaging.repeatable import random_operation, unrepeatable

_DEFAULT_NAMES: Final = frozenset({"serving_default", "graph", "model"})
_CURES: Final = {
    "onnx": "export it after `model.eval()`",
    "tflite": "convert it from a model without augmentation and dropout",
    "keras": "export it without the layers that stay active, such as GaussianNoise called with "
    "`training=True`",
}
_CURE: Final = (
    "its training behaviour (augmentation, dropout, `training=True`) is still on: save the Keras "
    "model with `model.save('model.keras')` and package that file, or export it with "
    "`training=False` and without augmentation"
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The function that classifies, and what is known of its input."""

    function: Function
    source: PictureInput
    frozen: FrozenGraph | None
    """Its graph, if it is TensorFlow's and can be frozen."""
    pixels: PixelChoice = field(default_factory=PixelChoice)
    """What a decoder that was cut off did to the pixels."""
    notes: tuple[str, ...] = ()


def choose_function(
    opened: Opened,
    form: str,
    signature: str | None,
    size: tuple[int, int] | None,
    channels: int | None,
) -> Chosen:
    """Return the function called `signature`, or the likeliest one that takes pictures.

    A function whose answers are not repeatable is passed over for one whose answers are. Raises
    `UsageError` with the reason why the likeliest is refused.
    """
    functions = _named(opened, signature)
    first: UsageError | None = None
    for at, function in enumerate(functions):
        try:
            chosen = _checked(function, form, size, channels)
        except UsageError as error:
            first = first or error
            continue
        if first is None:
            return chosen
        note = f"took {function.name} ({at + 1} of {len(functions)} functions): {first}"
        return Chosen(
            chosen.function, chosen.source, chosen.frozen, chosen.pixels, (*chosen.notes, note)
        )
    assert first is not None  # noqa: S101 (`_named` returns at least one)
    raise first


def _named(opened: Opened, signature: str | None) -> Sequence[Function]:
    names = list(dict.fromkeys(each.name for each in opened.functions))
    if signature is not None:
        own = [each for each in opened.functions if each.name == signature]
        if not own:
            raise UsageError(f"the model has no signature {signature!r}; it has {', '.join(names)}")
        return own
    return opened.functions


def _checked(
    function: Function, form: str, size: tuple[int, int] | None, channels: int | None
) -> Chosen:
    """Return `function` with its input. Raises `UsageError` if it cannot be used."""
    known = PixelChoice()
    notes: tuple[str, ...] = ()
    if takes_files(function):
        cut = without_decoder(function)
        function, known = cut.function, cut.pixels
        notes = (f"it takes picture files; its decoder was cut off, which made pixels {known}",)
    source = picture_input(function, size, channels)
    frozen = frozen_outputs(function, source)
    reason = None if frozen is None else random_operation(frozen.graph)
    if reason is None:
        # A graph that is known, without random operations, is run once to see the batch's effect.
        ranges = ("0..1",) if frozen is not None else ("0..1", "0..255")
        try:
            reason = unrepeatable(function, source, ranges)
        except Exception as error:
            text = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise UsageError(
                f"{function.name} fails on pictures of {source.width}x{source.height} ({text}); "
                "check `--size`, or export the model again"
            ) from error
    if reason is not None:
        raise UsageError(f"{function.name} is refused because {reason}; {_CURES.get(form, _CURE)}")
    return Chosen(function, source, frozen, known, notes)
