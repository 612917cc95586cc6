"""What a model itself tells of the pixels that it was trained on.

In this order: tools whose exports are always alike (Teachable Machine, Lobe, Ultralytics), the
arithmetic at the start of the graph (Keras's Rescaling and Normalization layers), the scale of a
quantised input, TFLite's metadata, the names of Keras's applications. Names count only where the
pixels go straight into a convolution: anything before it may be the preprocessing itself, and would
be applied twice. A LiteRT file may have it inside its convolution's weights, so names say nothing
there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seefood_training.frozen_graph import FrozenGraph, constant
from seefood_training.packaging.forms.onnx_file import ULTRALYTICS
from seefood_training.packaging.network import Function, Opened
from seefood_training.packaging.picture_input import PictureInput
from seefood_training.packaging.pixels import PixelChoice


@dataclass(frozen=True, slots=True)
class Hint:
    """What the model tells, and how it was recognised."""

    pixels: PixelChoice
    reason: str
    """A clause: "Teachable Machine exported it"."""


_TEACHABLE_MACHINE: Final = re.compile(r"(^|/)dense_Dense\d+(/|$)")
_LOBE_OUTPUT: Final = "Confidences"
_PASSED: Final = frozenset(
    {
        "Cast",
        "Identity",
        "Transpose",
        "Reshape",
        "Pad",
        "PadV2",
        "MirrorPad",
        "ResizeBilinear",
        "ResizeNearestNeighbor",
        "ResizeBicubic",
        "ReverseV2",
        "Squeeze",
        "ExpandDims",
        "StridedSlice",
        "Pack",
        "ConcatV2",
    }
)
_LEAST_DEVIATION: Final = 0.18
_LARGEST_DEVIATION: Final = 0.37
"""Standard deviations of photos' pixels in [0, 1]; those in [-1, 1] are twice as large."""
_CONVOLUTIONS: Final = frozenset({"Conv2D", "DepthwiseConv2dNative"})
_ARITHMETIC: Final = frozenset({"Mul", "AddV2", "Add", "Sub", "RealDiv", "BiasAdd"})
_APPLICATIONS: Final = (
    (r"mobilenet_?v3", "MobileNetV3", "0..255"),
    (r"efficientnet", "EfficientNet", "0..255"),
    (r"convnext", "ConvNeXt", "0..255"),
    (r"regnet[xy]\d", "RegNet", "0..255"),
    (r"mobilenet(v2)?_\d|expanded_conv_depthwise|conv_dw_1(/|_|$)", "MobileNet", "-1..1"),
    (r"inception_resnet|inception_v3|block8_10_conv|mixed9_1", "Inception", "-1..1"),
    (r"xception|block14_sepconv2", "Xception", "-1..1"),
    (r"nasnet", "NASNet", "-1..1"),
    (r"resnet\d+v2|conv2_block1_preact_bn", "ResNetV2", "-1..1"),
    (r"resnet(50|101|152)|conv2_block1_1_conv", "ResNet", "caffe"),
    (r"vgg1[69]|block5_conv3", "VGG", "caffe"),
    (r"densenet|conv5_block16_concat", "DenseNet", "imagenet"),
)
"""Pattern of the names, the network, and the range that Keras's `preprocess_input` makes."""


def hint(
    opened: Opened, function: Function, source: PictureInput, frozen: FrozenGraph | None
) -> Hint | None:
    """Return what the model tells of its pixels, or None if it tells nothing.

    `frozen` is the graph of `function` if it is one of TensorFlow's.
    """
    if any(_TEACHABLE_MACHINE.search(name) for name in opened.layers) and source.channels == 3:
        return Hint(PixelChoice("-1..1", "lanczos", "crop", "rgb"), "Teachable Machine exported it")
    if ULTRALYTICS in opened.layers and source.channels == 3:
        return Hint(PixelChoice("0..1", "bilinear", "crop", "rgb"), "Ultralytics exported it")
    outputs = {spec.name for spec in function.outputs}
    if _LOBE_OUTPUT in outputs and source.spec.name == "Image" and source.channels == 3:
        return Hint(PixelChoice("0..1", "bicubic", "crop", "rgb"), "Lobe exported it")
    start = None if frozen is None else _start(frozen)
    if start is not None and (found := _from_arithmetic(start)) is not None:
        return found
    if source.spec.scale and (found := _from_quantisation(source)) is not None:
        return found
    if opened.input_range is not None and source.spec.dtype == "float32":
        return Hint(PixelChoice(opened.input_range), "its metadata says so")
    if source.spec.dtype not in {"float32", "float16", "bfloat16", "float64"}:
        return Hint(PixelChoice("0..255"), f"it takes whole numbers ({source.spec.dtype})")
    if start is None or start.seen or start.ends_in not in _CONVOLUTIONS or source.channels != 3:
        return None
    return _from_names(opened.layers)


@dataclass(frozen=True, slots=True)
class _Start:
    """What a graph does with the pixels before its first operation of another kind."""

    scale: Any
    """One factor, or one for each channel."""
    offset: Any
    seen: bool
    """Whether there is any arithmetic."""
    ends_in: str
    """The operation that follows; empty if the pixels go to several."""


def _from_arithmetic(start: _Start) -> Hint | None:
    """Return the range that the first operations of the graph turn into small numbers."""
    scale, offset = start.scale, start.offset
    if not (start.seen and np.all(np.isfinite(scale)) and np.all(scale != 0)):
        return None
    factor = float(np.mean(np.abs(scale)))
    mean = float(np.mean(-offset / scale))
    if factor <= 0.05:
        # What has Rescaling inside was mostly trained with image_dataset_from_directory.
        return Hint(
            PixelChoice("0..255", "tf-bilinear"),
            f"its first operation multiplies the pixels by {factor:.4g} (Rescaling)",
        )
    if 20 < mean < 235:
        return Hint(
            PixelChoice("0..255"),
            f"its first operation subtracts {mean:.4g} from the pixels (Normalization)",
        )
    if 0.1 < mean < 0.9 and _LEAST_DEVIATION < 1 / factor < _LARGEST_DEVIATION:
        return Hint(
            PixelChoice("0..1"),
            f"its first operation subtracts {mean:.3g} and divides by {1 / factor:.3g}",
        )
    return None


def _start(frozen: FrozenGraph) -> _Start:
    """Return the operations between the input and the first one that is no arithmetic."""
    nodes = {node.name: node for node in frozen.graph.node}
    users: dict[str, list[Any]] = {}
    for node in frozen.graph.node:
        for name in node.input:
            users.setdefault(_owner(name), []).append(node)
    scale: Any = np.ones(1)
    offset: Any = np.zeros(1)
    name, seen, ends_in = _owner(frozen.source), False, ""
    while node := _only_user(name, users):
        if node.op in _ARITHMETIC:
            value = _operand(node, name, nodes)
            if value is None:
                ends_in = node.op
                break
            if node.op == "Mul":
                scale, offset = scale * value, offset * value
            elif node.op == "RealDiv":
                scale, offset = scale / value, offset / value
            else:
                offset = offset - value if node.op == "Sub" else offset + value
            seen = True
        elif node.op not in _PASSED:
            ends_in = node.op
            break
        name = node.name
    return _Start(scale, offset, seen, ends_in)


def _only_user(name: str, users: dict[str, list[Any]]) -> Any:
    """Return the operation that takes the tensor, or None if several different ones do.

    Slices of it that come together again count as one: Keras reverses the channels in that way.
    """
    following = [node for node in users.get(name, []) if node.op != "Shape"]
    if len(following) > 1 and all(node.op == "StridedSlice" for node in following):
        joined = {id(user): user for node in following for user in users.get(node.name, [])}
        following = list(joined.values())
    return following[0] if len(following) == 1 else None


def _operand(node: Any, name: str, nodes: dict[str, Any]) -> Any:
    """Return the one or three constants that `node` combines with the tensor of `name`, or None."""
    others = [nodes[_owner(each)] for each in node.input if _owner(each) != name]
    if len(others) != 1 or others[0].op != "Const":
        return None
    value = constant(others[0]).astype(np.float64).reshape(-1)
    is_second = node.op in {"Sub", "RealDiv"} and _owner(node.input[0]) != name
    return None if is_second or value.size not in {1, 3} else value


def _from_quantisation(source: PictureInput) -> Hint | None:
    """Return the range whose numbers fill the quantised input."""
    spec = source.spec
    limits = np.iinfo(spec.dtype)
    low, high = ((each - spec.zero_point) * spec.scale for each in (limits.min, limits.max))
    for name, (lower, upper) in {"0..255": (0, 255), "0..1": (0, 1), "-1..1": (-1, 1)}.items():
        allowed = 0.03 * (upper - lower)
        if abs(low - lower) <= allowed and abs(high - upper) <= allowed:
            reason = f"its quantised input holds {low:.3g} to {high:.3g}"
            return Hint(PixelChoice(name), reason)
    return None


def _from_names(layers: Sequence[str]) -> Hint | None:
    text = "\n".join(layers).lower()
    for pattern, network, name in _APPLICATIONS:
        if re.search(pattern, text, re.MULTILINE):
            return Hint(PixelChoice(name), f"Keras's {network} is inside, which takes {name}")
    return None


def _owner(tensor: str) -> str:
    return tensor.split(":", maxsplit=1)[0]
