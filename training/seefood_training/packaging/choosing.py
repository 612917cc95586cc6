"""Chooses the function of a model that classifies pictures, and refuses what is not repeatable."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from seefood.errors import UsageError
from seefood_training.frozen_graph import FrozenGraph
from seefood_training.packaging.answers import Values, rows_of, without_maps
from seefood_training.packaging.file_input import without_decoder
from seefood_training.packaging.graphs import frozen_outputs
from seefood_training.packaging.network import Function, Opened
from seefood_training.packaging.picture_input import PictureInput, picture_input, takes_files
from seefood_training.packaging.pixels import PixelChoice, arithmetic, prepared, run
from seefood_training.packaging.repeatable import (
    probe_pictures,
    random_operation,
    unrepeatable,
)
from seefood_training.reasons import reason

_DEFAULTS: Final = frozenset({"serving_default", "default"})
_ACTIVE_LAYERS: Final = (
    "export it without the layers that stay active, such as GaussianNoise called with "
    "`training=True`"
)
_CURES: Final = {
    "onnx": "export it after `model.eval()`",
    "tflite": "convert it from a model without augmentation and dropout",
    "keras": _ACTIVE_LAYERS,
    "h5": _ACTIVE_LAYERS,
}
_CURE: Final = (
    "its training behaviour (augmentation, dropout, `training=True`) is still on: save a Keras "
    "model with `model.save('model.keras')` and package that file, any other with `serve = "
    "tf.function(lambda x: model(x, training=False), input_signature=[tf.TensorSpec({shape}, "
    "{dtype!r})])` and `tf.saved_model.save(model, folder, signatures=serve)`"
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


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known of the function that is looked for."""

    signature: str | None
    size: tuple[int, int] | None
    """Height and width."""
    channels: int | None
    classes: int
    """How many labels there are."""


def choose_function(opened: Opened, form: str, wish: Wish) -> Chosen:
    """Return the function called `wish.signature`, or the likeliest one that takes pictures.

    A function whose answers are not repeatable, or whose outputs are no number for each label, is
    passed over for a better one. Raises `UsageError` with the reason why the likeliest is refused,
    or with the names of several signatures that say different things.
    """
    functions = _named(opened, wish.signature)
    first: UsageError | None = None
    for at, function in enumerate(sorted(functions, key=lambda f: not f.may_return(wish.classes))):
        try:
            chosen = _checked(function, form, wish)
        except UsageError as error:
            first = first or error
            continue
        if wish.signature is None:
            _check_alone(chosen, functions, form, wish)
        if first is None:
            return chosen
        note = f"took {function.name} ({at + 1} of {len(functions)} functions): {first}"
        return replace(chosen, notes=(*chosen.notes, note))
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


def _check_alone(chosen: Chosen, functions: Sequence[Function], form: str, wish: Wish) -> None:
    """Raise `UsageError` if another signature has as good a claim and gives other answers."""
    function = chosen.function
    if function.name in _DEFAULTS or not function.is_signature:
        return
    for other in functions:
        is_rival = other.is_signature and other.name != function.name
        if not (is_rival and other.may_return(wish.classes)):
            continue
        try:
            rival = _checked(other, form, wish)
        except UsageError:
            continue
        if _differ(chosen, rival, wish.classes):
            raise UsageError(
                f"the signatures {function.name} and {other.name} both classify pictures and give "
                "different answers; choose one with `--signature`"
            )


def _differ(one: Chosen, other: Chosen, classes: int) -> bool:
    """Return whether two functions share no output with a number for each label."""
    found = [_rows(each, classes) for each in (one, other)]
    return not any(
        mine.shape == theirs.shape and np.allclose(mine, theirs, atol=1e-3)
        for mine in found[0]
        for theirs in found[1]
    )


def _rows(chosen: Chosen, classes: int) -> list[Values]:
    source = chosen.source
    images = probe_pictures(source.height, source.width, source.channels)
    inputs = prepared(images, source, arithmetic("0..1", None))
    columns = {1, 2} if classes == 2 else {classes}
    rows = rows_of(without_maps(run(chosen.function, source, inputs)), len(images))
    return [values for values in rows.values() if values.shape[1] in columns]


def _checked(function: Function, form: str, wish: Wish) -> Chosen:
    """Return `function` with its input. Raises `UsageError` if it cannot be used."""
    known = PixelChoice()
    notes: tuple[str, ...] = ()
    if takes_files(function):
        cut = without_decoder(function)
        function, known = cut.function, cut.pixels
        notes = (f"it takes picture files; its decoder was cut off, which made pixels {known}",)
    source = picture_input(function, wish.size, wish.channels)
    frozen = frozen_outputs(function, source)
    problem = None if frozen is None else random_operation(frozen.graph)
    if function.random_operation is not None:
        problem = f"the operation {function.random_operation} draws random numbers"
    if problem is None:
        # A graph that is known, without random operations, is run once to see the batch's effect.
        ranges = ("0..1",) if frozen is not None else ("0..1", "0..255")
        try:
            problem = unrepeatable(function, source, ranges)
        except Exception as error:
            raise UsageError(
                f"{function.name} fails on pictures of {source.width}x{source.height} "
                f"({reason(error)}); check `--size`, or export the model again"
            ) from error
    if problem is not None:
        cure = _CURES.get(form) or _CURE.format(shape=source.spec.shape, dtype=source.spec.dtype)
        raise UsageError(f"{function.name} is refused because {problem}; {cure}")
    if source.layout == "flat" and wish.size is None:
        seen = f"{source.width}x{source.height} with {source.channels} channels"
        notes += (f"took the values of {source.spec} as pictures of {seen}; `--size` says else",)
    return Chosen(function, source, frozen, known, notes)
