"""Cuts the decoder off a model that takes encoded pictures, as TF Serving and Vertex export them.

Such a graph decodes and resizes by itself. seefood decodes more formats and more safely, so the
part of the graph behind the resize is packaged; what the part before it does to the pixels is
measured on pictures and taken over.
"""

import io
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import UsageError
from seefood.imaging.resize_rule import FITS, Filter, Fit, ResizeRule
from seefood.synthetic import draw_picture
from seefood_training.graph_freezing import freeze
from seefood_training.packaging.examples import resized
from seefood_training.packaging.forms.tensorflow_functions import function_from_graph
from seefood_training.packaging.input_ranges import INPUT_RANGES
from seefood_training.packaging.network import Function
from seefood_training.packaging.pixels import ChannelOrder, PixelChoice
from seefood_training.packaging.search import SEARCHED_FILTERS
from seefood_training.reasons import reason

_CURE: Final = (
    "export the model without the decoder: a signature that takes the pixels, float32 of "
    "(None, height, width, 3)"
)
Reader = Callable[[list[Image.Image]], NDArray[np.float64]]
"""From pictures to the pixels that the model makes of their files."""
_ONE: Final = ((), (1,))
"""The shapes of an input that takes one file at a time."""
_MAX_LEVELS: Final = 2.0
"""Mean difference of the pixels, in levels of 255, that counts as the same resize."""
_PROBES: Final = (("hotdog_mustard", (200, 150)), ("pizza", (120, 170)), ("house", (260, 260)))


@dataclass(frozen=True, slots=True)
class WithoutDecoder:
    """The part of a model behind its decoder, and what the decoder did to the pixels."""

    function: Function
    pixels: PixelChoice


def without_decoder(function: Function) -> WithoutDecoder:
    """Return the part of `function` that takes pixels. Raises `UsageError` if there is none."""
    graph, source, outputs, cut = _cut_graph(function)
    before = function_from_graph("before", graph, {"files": source}, {"pixels": cut})
    _, height, width, channels = before.outputs[0].shape or ()
    if not height or not width or channels not in {1, 3}:
        raise UsageError(
            f"{function.name} takes picture files and resizes to no fixed size; {_CURE}"
        )
    rule = ResizeRule(
        height, width, scaled_decode=None, channels="grey" if channels == 1 else "rgb"
    )
    try:
        pixels = _measured(_reader(before, graph), rule)
    except Exception as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{function.name} takes picture files and cannot decode a PNG ({reason(error)}); "
            f"{_CURE}"
        ) from error
    inner = function_from_graph(
        function.name, _from_cut(graph, cut, before), {"pixels": cut}, outputs
    )
    return WithoutDecoder(inner, pixels)


def _cut_graph(function: Function) -> tuple[Any, str, dict[str, str], str]:
    """Return the frozen graph, its input, its outputs, and the tensor behind the decoder."""
    import tensorflow as tf

    strings = [spec for spec in function.inputs if spec.dtype == "string"]
    if function.trace is None or not strings:
        raise UsageError(f"{function.name} takes strings, not pixels; {_CURE}")
    trace, files = function.trace, strings[0]
    for spec in strings:
        if "image" in spec.name.lower() or "bytes" in spec.name.lower():
            files = spec
    others = [spec.name for spec in strings if spec is not files]
    names = [each.name for each in function.outputs if tf.as_dtype(each.dtype).is_floating]
    spec = tf.TensorSpec(files.shape, tf.string, name="files")

    def outputs(data: Any) -> Any:
        results = trace({files.name: data, **dict.fromkeys(others, data)})
        return [results[name] for name in names]

    try:
        frozen = freeze(tf.function(outputs, autograph=False).get_concrete_function(spec), names)
    except Exception as error:
        raise UsageError(f"{function.name} takes picture files; {_CURE}") from error
    used = _operations(frozen.graph)
    if "ReadFile" in used:
        raise UsageError(f"{function.name} takes the paths of files and reads these; {_CURE}")
    if any(each.startswith(("ParseExample", "ParseSingleExample")) for each in used):
        raise UsageError(
            f"{function.name} takes serialised tf.train.Example messages, not pictures; choose "
            f"another function with `--signature`, or {_CURE}"
        )
    cut = _narrowest(frozen.graph, frozen.source, frozen.outputs.values())
    if cut is None:
        raise UsageError(
            f"{function.name} takes picture files, and its decoder cannot be told from its "
            f"network; {_CURE}"
        )
    return frozen.graph, frozen.source, dict(frozen.outputs), cut


def _narrowest(graph: Any, source: str, outputs: Iterable[str]) -> str | None:
    """Return the first tensor of pictures that all paths from `source` to `outputs` go through."""
    import tensorflow as tf

    with tf.Graph().as_default() as imported:
        tf.import_graph_def(graph, name="")
    start = _owner(source)
    ends = {_owner(each) for each in outputs}
    for node in graph.node:
        tensors = imported.get_operation_by_name(node.name).outputs
        if len(tensors) != 1 or node.name == start or not tensors[0].dtype.is_floating:
            continue
        shape = tensors[0].shape
        is_picture = shape.rank == 4 and shape[3] in {1, 3} and None not in tuple(shape)[1:]
        if is_picture and not (_reached(graph, start, without=node.name) & ends):
            return str(tensors[0].name)
    return None


def _reached(graph: Any, start: str, without: str) -> set[str]:
    """Return the nodes that depend on `start` by a path that avoids one node."""
    reached = {start}
    for node in graph.node:  # in topological order
        if node.name != without and any(_owner(each) in reached for each in node.input):
            reached.add(node.name)
    return reached


def _from_cut(graph: Any, cut: str, before: Function) -> Any:
    """Return the graph with an input in place of the tensor `cut`."""
    import tensorflow as tf

    result = tf.compat.v1.GraphDef()
    result.CopyFrom(graph)
    (spec,) = before.outputs
    for node in result.node:
        if node.name == _owner(cut):
            node.Clear()
            node.name, node.op = _owner(cut), "Placeholder"
            node.attr["dtype"].type = tf.as_dtype(spec.dtype).as_datatype_enum
            count = 1 if before.inputs[0].shape in _ONE else None
            shape = tf.TensorShape((count, *(spec.shape or ())[1:]))
            node.attr["shape"].shape.CopyFrom(shape.as_proto())
    return result


def _operations(graph: Any) -> set[str]:
    """Return the operations of the graph, those in its loops included."""
    inside = (node for each in graph.library.function for node in each.node_def)
    return {node.op for node in (*graph.node, *inside)}


def _reader(before: Function, graph: Any) -> Reader:
    """Return `before` as a function of pictures; it may take one at a time, or base64."""
    is_base64 = "DecodeBase64" in _operations(graph)

    def read(pictures: list[Image.Image]) -> NDArray[np.float64]:
        files = list(map(_png, pictures))
        data = np.array([urlsafe_b64encode(each) for each in files] if is_base64 else files, object)
        one = before.inputs[0].shape
        batches = [each.reshape(one) for each in data[:, np.newaxis]] if one in _ONE else [data]
        return np.concatenate([before.run({"files": each})["pixels"] for each in batches])

    return read


def _measured(decoded: Reader, rule: ResizeRule) -> PixelChoice:
    """Return the range, the channels, the filter and the fit of the part with the decoder."""
    mode = "L" if rule.channels == "grey" else "RGB"
    size = (rule.width, rule.height)
    rng = np.random.default_rng(1)
    exact = [Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8))]
    exact += [draw_picture("banana", seed, size) for seed in (1, 2)]
    exact = [image.convert(mode) for image in exact]
    known = np.stack([np.asarray(image, np.float64) for image in exact]).reshape(-1, *rule.shape)
    scale, offset, reverse = _fitted(known, np.asarray(decoded(exact), np.float64))
    pictures = [draw_picture(kind, 1, size).convert(mode) for kind, size in _PROBES]
    actual = [(each - offset) / scale for each in np.asarray(decoded(pictures), np.float64)]
    if reverse:
        actual = [each[..., ::-1] for each in actual]
    distances = {
        (kind, fit): _distance(pictures, actual, kind, fit, rule)
        for kind in SEARCHED_FILTERS
        for fit in FITS
    }
    (kind, fit), levels = min(distances.items(), key=lambda each: each[1])
    if levels > _MAX_LEVELS:
        raise UsageError(
            f"the model resizes pictures in a way that seefood does not know: {kind} and {fit} "
            f"come nearest and differ by {levels:.1f} levels of 255 on average; {_CURE}"
        )
    order: ChannelOrder = "grey" if mode == "L" else "bgr" if reverse else "rgb"
    return PixelChoice(_range_text(scale, offset), kind, fit, order)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _fitted(
    known: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Return scale and offset for each channel of `values`, and whether these are reversed."""
    for reverse in (False, True):
        pixels = known[..., ::-1] if reverse else known
        lines = [
            np.polyfit(pixels[..., at].ravel(), values[..., at].ravel(), 1)
            for at in range(values.shape[-1])
        ]
        scale, offset = (np.array([line[at] for line in lines]) for at in (0, 1))
        error = np.abs(values - (pixels * scale + offset)).max()
        if np.all(scale > 0) and error <= 0.02 * 255 * scale.min():
            return scale, offset, reverse
    raise UsageError(f"the model changes pixels in a way that no input range says; {_CURE}")


def _distance(
    pictures: list[Image.Image],
    actual: list[NDArray[np.float64]],
    kind: Filter,
    fit: Fit,
    rule: ResizeRule,
) -> float:
    own = replace(rule, fit=fit, filter=kind)
    differences = [
        np.abs(resized(_png(picture), own) - each).mean()
        for picture, each in zip(pictures, actual, strict=True)
    ]
    return float(np.mean(differences))


def _range_text(scale: NDArray[np.float64], offset: NDArray[np.float64]) -> str:
    for name, known in INPUT_RANGES.items():
        if np.allclose(scale, known.scale, rtol=1e-3) and np.allclose(
            offset, known.offset, atol=2e-3 * 255 * scale.max()
        ):
            return name
    mean, deviation = -offset / scale, 1 / scale
    return "/".join(",".join(f"{each:.7g}" for each in values) for values in (mean, deviation))


def _owner(tensor: str) -> str:
    return tensor.split(":", maxsplit=1)[0]
