"""A bundle from somebody else's SavedModel: wrapped, converted, certified.

The wrapper takes raw uint8 pixels, brings them into the range that the network was trained on, and
ends in probabilities. A graph that LiteRT cannot have still runs through the tensorflow engine.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import EXTRA, Bundle, load_bundle
from seefood.errors import UsageError
from seefood.imaging.decode import Fit, ResizeRule
from seefood_training.export import Draft, new_bundle, seal_bundle, write_graphs
from seefood_training.graph_freezing import FrozenGraph, freeze
from seefood_training.signature import (
    Answers,
    SignatureSpec,
    find_answers,
    find_size,
    load_saved_model,
    probe_pictures,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Range:
    """How uint8 pixels become what a network takes: `pixel * scale + offset`, RGB."""

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    reverse: bool = False
    """Whether the network takes blue, green, red."""


_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION: Final = (0.229, 0.224, 0.225)
RANGES: Final = {
    "0..255": Range((1.0,) * 3, (0.0,) * 3),
    "0..1": Range((1 / 255,) * 3, (0.0,) * 3),
    "-1..1": Range((1 / 127.5,) * 3, (-1.0,) * 3),
    "imagenet": Range(
        tuple(1 / (255 * deviation) for deviation in _IMAGENET_DEVIATION),  # type: ignore[arg-type]
        tuple(-m / d for m, d in zip(_IMAGENET_MEAN, _IMAGENET_DEVIATION, strict=True)),  # type: ignore[arg-type]
    ),
    "caffe": Range((1.0,) * 3, (-123.68, -116.779, -103.939), reverse=True),
}
"""What `--input-range` offers: `imagenet` is PyTorch's mean and deviation, `caffe` is BGR minus the
mean, as Keras's ResNet and VGG take it."""


@dataclass(frozen=True, slots=True)
class PackageOptions:
    """What the user says of a SavedModel; None is to be found out."""

    name: str
    labels: tuple[str, ...]
    input_range: str | None = None
    answers: Answers | None = None
    size: tuple[int, int] | None = None
    """Height and width."""
    fit: Fit = "stretch"
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Packaged:
    """A bundle and what was found out on the way."""

    bundle: Bundle
    answers: Answers
    signature: str
    not_litert: str | None
    """Why LiteRT cannot have the graph; None if it has it."""


def read_labels(file: Path) -> tuple[str, ...]:
    """Return the labels in `file`: UTF-8, one a line, in the order of the model's answers."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the labels file {file} cannot be read: {error}") from error
    labels = tuple(line.strip() for line in lines if line.strip())
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise UsageError(
            f"{file} has {len(labels)} labels of which {len(set(labels))} differ; write at least "
            "two different ones, one a line, in the order of the model's answers"
        )
    return labels


def package_saved_model(
    source: Path, output: Path, wishes: PackageOptions, *, overwrite: bool = False
) -> Packaged:
    """Write the bundle of the SavedModel `source` to `output`, certified; atomic.

    Raises `UsageError` naming the option that is missing or wrong, `BundleError` if `output` exists
    or the engines do not agree.
    """
    loaded = load_saved_model(source, wishes.signature, len(wishes.labels))
    callee = loaded.callee
    height, width = find_size(callee, wishes.size)
    if wishes.input_range is None and callee.dtype != "uint8":
        raise UsageError(
            f"the signature {callee.name} takes {callee.dtype} pixels and nothing says in which "
            f"range; say `--input-range` with one of {', '.join(RANGES)}"
        )
    pixels = RANGES[wishes.input_range or "0..255"]
    probe = _try(callee, pixels, probe_pictures(height, width))
    answers = find_answers(
        probe, wishes.answers, ends_in_sigmoid=_ends_in_sigmoid(callee, (height, width))
    )
    rule = ResizeRule(height, width, fit=wishes.fit)
    record = {
        "packaged_from": source.name,
        "signature": callee.name,
        "input_range": wishes.input_range or "0..255",
        "answers": answers,
        "quantisation": "float32",
    }
    thresholds = (0.0,) * len(wishes.labels)
    draft = Draft(wishes.name, wishes.labels, rule, thresholds, record)
    with new_bundle(output, overwrite=overwrite) as folder:
        not_litert = _write(loaded.model, _wrapped(callee, pixels, answers), folder, rule)
        seal_bundle(folder, draft)
    return Packaged(load_bundle(output), answers, callee.name, not_litert)


def _write(model: Any, function: Any, folder: Path, rule: ResizeRule) -> str | None:
    """Write the graphs of `function`; return why LiteRT cannot have it, or None."""
    try:
        frozen = freeze(_concrete(function, (rule.height, rule.width)), ["probabilities"])
    except Exception as error:  # noqa: BLE001 (resources such as hash tables cannot be frozen)
        reason = str(error).strip().splitlines()[0]
        _log.warning("this graph keeps its own state, so only TensorFlow runs it: %s", reason)
        _save_as_it_is(model, function, folder, rule)
        return reason
    return write_graphs(frozen, folder, rule)


def _save_as_it_is(model: Any, function: Any, folder: Path, rule: ResizeRule) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.model = model  # owns the variables and tables that the function uses
    concrete = _concrete(
        lambda image: {"probabilities": function(image)}, (rule.height, rule.width)
    )
    tf.saved_model.save(module, str(folder), signatures={"serving_default": concrete})
    (folder / EXTRA).mkdir(exist_ok=True)


def _wrapped(callee: SignatureSpec, pixels: Range, answers: Answers) -> Any:
    """Return a function from uint8 pictures to probabilities."""
    import tensorflow as tf

    def probabilities(image: Any) -> Any:
        result = callee.call(_prepared(image, callee, pixels))
        if callee.columns == 1:
            positive = result if answers == "probabilities" else tf.sigmoid(result)
            return tf.concat([1 - positive, positive], axis=1)
        return result if answers == "probabilities" else tf.nn.softmax(result)

    return probabilities


def _prepared(image: Any, callee: SignatureSpec, pixels: Range) -> Any:
    import tensorflow as tf

    if callee.dtype == "uint8":
        ready = image
    else:
        ready = tf.cast(image, tf.float32)
        if pixels.scale != (1.0,) * 3:
            ready = ready * tf.constant(_short(pixels.scale))
        if pixels.offset != (0.0,) * 3:
            ready = ready + tf.constant(_short(pixels.offset))
        if pixels.reverse:
            ready = tf.gather(ready, [2, 1, 0], axis=3)
        ready = tf.cast(ready, callee.dtype)
    return tf.transpose(ready, (0, 3, 1, 2)) if callee.channels_first else ready


def _short(values: tuple[float, float, float]) -> NDArray[np.float32]:
    """Return one number where all three are equal: that is what LiteRT multiplies fastest."""
    array = np.asarray(values, np.float32)
    return np.asarray(array[0]) if len(set(values)) == 1 else array


def _try(callee: SignatureSpec, pixels: Range, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    import tensorflow as tf

    try:
        answer = callee.call(_prepared(tf.constant(images), callee, pixels)).numpy()
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"the signature {callee.name} fails on pictures of {images.shape[1]}x{images.shape[2]} "
            f"({reason}); check `--size`"
        ) from error
    if not np.isfinite(answer).all():
        raise UsageError(
            f"the signature {callee.name} answers values that are no numbers; check `--input-range`"
        )
    return np.asarray(answer, np.float32)


def _ends_in_sigmoid(callee: SignatureSpec, size: tuple[int, int]) -> bool:
    """Whether the last thing that the graph computes is a sigmoid."""
    if callee.columns != 1:
        return False
    pixels = RANGES["0..255"]
    try:
        frozen: FrozenGraph = freeze(
            _concrete(lambda image: callee.call(_prepared(image, callee, pixels)), size), ["answer"]
        )
    except Exception:  # noqa: BLE001 (then nobody can tell, and the user is asked)
        return False
    ops = {node.name: node for node in frozen.graph.node}
    node = ops[frozen.outputs["answer"].split(":")[0]]
    while node.op in {"Reshape", "Cast", "Identity"}:
        node = ops[node.input[0].split(":")[0]]
    return bool(node.op == "Sigmoid")


def _concrete(function: Any, size: tuple[int, int]) -> Any:
    import tensorflow as tf

    pictures = tf.TensorSpec((None, *size, 3), tf.uint8, name="image")
    return tf.function(function).get_concrete_function(pictures)
