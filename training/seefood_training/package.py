"""Makes a bundle from any SavedModel: wraps, converts and certifies it.

The wrapper takes uint8 pixels, converts them to the range that the network was trained on, and
returns probabilities. A graph that LiteRT cannot run still runs with the tensorflow engine.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import EXTRA, Bundle, load_bundle
from seefood.errors import UsageError
from seefood.imaging.resize_rule import Fit, ResizeRule
from seefood_training.export import write_graphs
from seefood_training.graph_freezing import freeze
from seefood_training.input_ranges import INPUT_RANGES, Channels, InputRange
from seefood_training.sealing import Draft, new_bundle, seal_bundle
from seefood_training.signature import (
    OutputKind,
    SignatureSpec,
    input_size,
    load_saved_model,
    output_kind,
    probe_pictures,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PackageOptions:
    """The options of `seefood package`; None means to determine it from the model."""

    name: str
    labels: tuple[str, ...]
    input_range: str | None = None
    output_kind: OutputKind | None = None
    size: tuple[int, int] | None = None
    """Height and width."""
    fit: Fit = "stretch"
    signature: str | None = None
    onnx: bool = False
    """Whether to write an ONNX file too."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """A bundle and what was determined from the model."""

    bundle: Bundle
    output_kind: OutputKind
    signature: str
    litert_error: str | None
    """Why LiteRT cannot run the graph; None if it can."""


def read_labels(file: Path) -> tuple[str, ...]:
    """Return the labels in `file`: UTF-8, one a line, in the order of the model's outputs."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the labels file {file} cannot be read: {error}") from error
    labels = tuple(line.strip() for line in lines if line.strip())
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise UsageError(
            f"{file} has {len(labels)} labels of which {len(set(labels))} differ; write at least "
            "two different ones, one a line, in the order of the model's outputs"
        )
    return labels


def package_saved_model(
    source: Path, output: Path, options: PackageOptions, *, overwrite: bool = False
) -> Packaged:
    """Write the bundle of the SavedModel `source` to `output`, certified; atomic.

    Raises `UsageError` with the option that is missing or wrong, `BundleError` if `output` exists
    or the engines' probabilities differ too much.
    """
    loaded = load_saved_model(source, options.signature, len(options.labels))
    signature = loaded.signature
    height, width = input_size(signature, options.size)
    if options.input_range is None and signature.dtype != "uint8":
        raise UsageError(
            f"the signature {signature.name} takes {signature.dtype} pixels and does not state "
            f"their range; give `--input-range` with one of {', '.join(INPUT_RANGES)}"
        )
    input_range = options.input_range or "0..255"
    pixels = INPUT_RANGES[input_range]
    kind = output_kind(
        _run(signature, pixels, probe_pictures(height, width)),
        options.output_kind,
        ends_in_sigmoid=_ends_in_sigmoid(signature, (height, width)),
    )
    rule = ResizeRule(height, width, fit=options.fit)
    record = {
        "packaged_from": source.name,
        "signature": signature.name,
        "input_range": input_range,
        "answers": kind,
        "quantisation": "float32",
    }
    thresholds = (0.0,) * len(options.labels)
    draft = Draft(options.name, options.labels, rule, thresholds, record)
    with new_bundle(output, overwrite=overwrite) as folder:
        function = _wrapped(signature, pixels, kind)
        litert_error = _write(loaded.model, function, folder, rule, onnx=options.onnx)
        seal_bundle(folder, draft)
    return Packaged(load_bundle(output), kind, signature.name, litert_error)


def _write(model: Any, function: Any, folder: Path, rule: ResizeRule, *, onnx: bool) -> str | None:
    """Write the graphs of `function`; return why LiteRT cannot run it, or None."""
    try:
        frozen = freeze(_concrete(function, (rule.height, rule.width)), ["probabilities"])
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        _log.warning("this graph cannot be frozen, so only TensorFlow can run it: %s", reason)
        if onnx:
            raise UsageError(f"this graph cannot be converted to ONNX: {reason}") from error
        _save_unfrozen(model, function, folder, rule)
        return reason
    return write_graphs(frozen, folder, rule, onnx=onnx)


def _save_unfrozen(model: Any, function: Any, folder: Path, rule: ResizeRule) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.model = model  # owns the variables and tables that the function uses
    concrete = _concrete(
        lambda image: {"probabilities": function(image)}, (rule.height, rule.width)
    )
    tf.saved_model.save(module, str(folder), signatures={"serving_default": concrete})
    (folder / EXTRA).mkdir(exist_ok=True)


def _wrapped(signature: SignatureSpec, pixels: InputRange, kind: OutputKind) -> Any:
    """Return a function from uint8 pictures to probabilities."""
    import tensorflow as tf

    def probabilities(image: Any) -> Any:
        result = signature.call(_prepared(image, signature, pixels))
        if signature.columns == 1:
            positive = result if kind == "probabilities" else tf.sigmoid(result)
            return tf.concat([1 - positive, positive], axis=1)
        return result if kind == "probabilities" else tf.nn.softmax(result)

    return probabilities


def _prepared(image: Any, signature: SignatureSpec, pixels: InputRange) -> Any:
    import tensorflow as tf

    if signature.dtype == "uint8":
        ready = image
    else:
        ready = tf.cast(image, tf.float32)
        if pixels.scale != (1.0,) * 3:
            ready = ready * tf.constant(_scalar_if_equal(pixels.scale))
        if pixels.offset != (0.0,) * 3:
            ready = ready + tf.constant(_scalar_if_equal(pixels.offset))
        if pixels.reverse:
            ready = tf.gather(ready, [2, 1, 0], axis=3)
        ready = tf.cast(ready, signature.dtype)
    return tf.transpose(ready, (0, 3, 1, 2)) if signature.channels_first else ready


def _scalar_if_equal(values: Channels) -> NDArray[np.float32]:
    """Return one number if all three are equal, which is fastest in LiteRT."""
    array = np.asarray(values, np.float32)
    return np.asarray(array[0]) if len(set(values)) == 1 else array


def _run(
    signature: SignatureSpec, pixels: InputRange, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    import tensorflow as tf

    try:
        outputs = signature.call(_prepared(tf.constant(images), signature, pixels)).numpy()
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"the signature {signature.name} fails on pictures of "
            f"{images.shape[1]}x{images.shape[2]} ({reason}); check `--size`"
        ) from error
    if not np.isfinite(outputs).all():
        raise UsageError(
            f"the signature {signature.name} returns NaN or infinity; check `--input-range`"
        )
    return np.asarray(outputs, np.float32)


def _ends_in_sigmoid(signature: SignatureSpec, size: tuple[int, int]) -> bool:
    """Return whether the last operation of the graph is a sigmoid."""
    if signature.columns != 1:
        return False
    pixels = INPUT_RANGES["0..255"]
    try:
        frozen = freeze(
            _concrete(lambda image: signature.call(_prepared(image, signature, pixels)), size),
            ["output"],
        )
    except Exception:  # noqa: BLE001 (then the user is asked for the output kind)
        return False
    nodes = {node.name: node for node in frozen.graph.node}
    node = nodes[frozen.outputs["output"].split(":")[0]]
    while node.op in {"Reshape", "Cast", "Identity"}:
        node = nodes[node.input[0].split(":")[0]]
    return bool(node.op == "Sigmoid")


def _concrete(function: Any, size: tuple[int, int]) -> Any:
    import tensorflow as tf

    pictures = tf.TensorSpec((None, *size, 3), tf.uint8, name="image")
    return tf.function(function).get_concrete_function(pictures)
