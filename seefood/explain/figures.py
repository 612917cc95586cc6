"""Every number and image of the page, computed from one trace of the user's picture."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seefood.bundle import Bundle
from seefood.engines.base import Engine
from seefood.engines.saliency import occlusion_map
from seefood.explain.heatmap import ActivationMap, agreement, class_activation_map
from seefood.explain.layers import Layer, before_activation, bias_of, find_layers
from seefood.explain.pictures import channel_uri, heat_uri, kernel_uri, map_uri, photo_uri
from seefood.explain.trace import Trace, Values, trace_picture
from seefood.imaging.decode import DecodedImage

_MAPS_SHOWN: Final = 8
_MIN_ZEROED: Final = 0.1
"""A ReLU that sets a smaller share of its values to zero is not shown."""
_CONVOLUTIONS: Final = frozenset({"convolution", "depthwise"})
_PATCH: Final = 10
"""Side of the stepper's patch, in values of the first convolution's input."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the figures are computed from."""

    bundle: Bundle
    image: DecodedImage
    trace: Trace
    layers: list[Layer]
    label: int
    activation_map: ActivationMap | None
    occlusion: Values


def analyze(bundle: Bundle, engine: Engine, image: DecodedImage) -> Analysis:
    """Trace the picture and compute both maps. Raises `UsageError` without a LiteRT graph."""
    trace = trace_picture(bundle, image.pixels)
    layers = find_layers(trace)
    label = int(trace.probabilities.argmax())
    return Analysis(
        bundle=bundle,
        image=image,
        trace=trace,
        layers=layers,
        label=label,
        activation_map=class_activation_map(trace, layers),
        occlusion=occlusion_map(engine, image.pixels, label),
    )


def maps_figure(analysis: Analysis) -> dict[str, Any]:
    """Return both heat maps over the photo and their correlation."""
    pixels = analysis.image.pixels
    figure: dict[str, Any] = {
        "photo": photo_uri(pixels),
        "occlusion": heat_uri(pixels, analysis.occlusion),
        "occlusion_drop": float(analysis.occlusion.max()),
        "occlusion_positions": analysis.occlusion.shape[0],
        "activation": None,
    }
    if analysis.activation_map is not None:
        contrast = analysis.activation_map.contrast(analysis.label)
        figure["activation"] = heat_uri(pixels, contrast)
        figure["activation_shape"] = contrast.shape
        figure["agreement"] = agreement(contrast, analysis.occlusion)
    return figure


def input_figure(analysis: Analysis) -> dict[str, Any]:
    """Return the array that the network receives: its channels and 36 of its pixels."""
    pixels = analysis.image.pixels
    height, width, channels = pixels.shape
    top, left = max(0, height // 2 - 3), max(0, width // 2 - 3)
    return {
        "height": height,
        "width": width,
        "depth": channels,
        "values": height * width * channels,
        "original": (analysis.image.width, analysis.image.height),
        "channels": [channel_uri(pixels, channel) for channel in range(3)] if channels == 3 else [],
        "corner": pixels[top : top + 6, left : left + 6].tolist(),
        "corner_at": (top, left),
    }


def kernels_figure(analysis: Analysis) -> dict[str, Any] | None:
    """Return kernels of the first convolution with their feature maps, the most varied first."""
    layer = first_convolution(analysis.layers)
    if layer is None:
        return None
    weights = analysis.trace.tensors[layer.operation.inputs[1]]
    outputs = analysis.trace.tensors[layer.operation.outputs[0]][0]
    chosen = most_varied(outputs, _MAPS_SHOWN)
    return {
        "layer": layer,
        "count": len(weights),
        "pairs": [
            {
                "channel": channel,
                "kernel": kernel_uri(weights[channel])
                if weights.shape[3] == 3
                else map_uri(weights[channel].mean(axis=2)),
                "map": map_uri(outputs[:, :, channel]),
            }
            for channel in chosen
        ],
    }


def stepper_figure(analysis: Analysis) -> dict[str, Any] | None:
    """Return a patch of the first convolution's input, one kernel, and the sum at each position.

    The kernel is the one whose feature map varies most; the patch surrounds that map's maximum.
    `sums` equal the network's own values before its activation.
    """
    layer = first_convolution(analysis.layers)
    if layer is None or max(layer.window) > _PATCH:
        return None
    item = layer.operation
    weights = analysis.trace.tensors[item.inputs[1]]
    source = analysis.trace.tensors[item.inputs[0]][0]
    if min(source.shape[:2]) < _PATCH:
        return None
    outputs = analysis.trace.tensors[item.outputs[0]][0]
    channel = most_varied(outputs, 1)[0]
    top, left = _patch_corner(outputs[:, :, channel], layer, source.shape)
    patch = source[top : top + _PATCH, left : left + _PATCH]
    bias = float(bias_of(layer, analysis.trace)[channel])
    kernel = weights[channel]
    windows = np.lib.stride_tricks.sliding_window_view(patch, layer.window, axis=(0, 1))
    sums = np.einsum("yxchw,hwc->yx", windows, kernel) + bias
    return {
        "patch": np.round(patch, 3).tolist(),
        "kernel": np.round(kernel, 3).tolist(),
        "bias": round(bias, 4),
        "sums": np.round(sums, 3).tolist(),
        "stride": item.stride[0],
        "window": layer.window[0],
        "channel": channel,
        "activation": item.activation,
        "corner": (top, left),
        "side": _PATCH,
        "positions": sums.shape[0],
    }


def relu_figure(analysis: Analysis) -> dict[str, Any] | None:
    """Return feature maps before and after the first ReLU that changes enough values."""
    for layer in analysis.layers:
        fused = layer.operation.activation
        outputs = analysis.trace.tensors[layer.operation.outputs[0]][0]
        is_shown = layer.kind in _CONVOLUTIONS and outputs.ndim == 3
        if is_shown and fused in {"relu", "relu6"}:
            chosen = most_varied(outputs, 4)
            before = before_activation(layer, analysis.trace, chosen)
            if float((before < 0).mean()) < _MIN_ZEROED:
                continue
            limits = np.abs(before).max(axis=(0, 1))
            return {
                "layer": layer,
                "activation": fused,
                "zeroed": float((before < 0).mean()),
                "pairs": [
                    {
                        "channel": channel,
                        "before": map_uri(before[:, :, at], float(limits[at])),
                        "after": map_uri(outputs[:, :, channel], float(limits[at])),
                    }
                    for at, channel in enumerate(chosen)
                ],
            }
    return None


def pooling_figure(analysis: Analysis) -> dict[str, Any] | None:
    """Return a 24 x 24 part of a feature map and the maximum of each 2 x 2 of it."""
    for layer in analysis.layers:
        outputs = analysis.trace.tensors[layer.operation.outputs[0]]
        if layer.kind in _CONVOLUTIONS and outputs.ndim == 4 and min(outputs.shape[1:3]) >= 24:
            channel = most_varied(outputs[0], 1)[0]
            side = outputs.shape[1]
            start = (side - 24) // 2
            part = outputs[0, start : start + 24, start : start + 24, channel]
            pooled = max_pool(part)
            limit = float(np.abs(part).max())
            return {
                "layer": layer,
                "channel": channel,
                "before": map_uri(part, limit),
                "after": map_uri(pooled, limit),
                "numbers": np.round(part[:4, :4], 2).tolist(),
                "pooled": np.round(pooled[:2, :2], 2).tolist(),
            }
    return None


def dense_figure(analysis: Analysis) -> dict[str, Any] | None:
    """Return the last fully connected layer: largest shares, scores, probabilities."""
    dense = [layer for layer in analysis.layers if layer.kind == "dense"]
    if not dense:
        return None
    item = dense[-1].operation
    features = analysis.trace.tensors[item.inputs[0]].reshape(-1)
    weights = analysis.trace.tensors[item.inputs[1]]
    if weights.shape != (len(analysis.bundle.labels), features.size):
        return None  # one number for two labels, or a layer before the scores
    shares = features * weights[analysis.label]
    order = np.argsort(-np.abs(shares), kind="stable")[:_MAPS_SHOWN]
    scores = analysis.trace.tensors[item.outputs[0]].reshape(-1)
    labels = analysis.bundle.labels
    ranked = np.argsort(-analysis.trace.probabilities, kind="stable")[:5]
    return {
        "layer": dense[-1],
        "features": features.size,
        "shares": [
            {
                "feature": int(at),
                "value": float(features[at]),
                "weight": float(weights[analysis.label, at]),
                "share": float(shares[at]),
            }
            for at in order
        ],
        "classes": [
            {
                "label": labels[at],
                "score": float(scores[at]) if scores.size == len(labels) else None,
                "probability": float(analysis.trace.probabilities[at]),
            }
            for at in ranked
        ],
        "label": labels[analysis.label],
    }


def layers_figure(analysis: Analysis) -> list[dict[str, Any]]:
    """Return every layer with its most varied feature maps."""
    figures = []
    for layer in analysis.layers:
        outputs = analysis.trace.tensors[layer.operation.outputs[0]]
        maps: list[str] = []
        if outputs.ndim == 4 and min(outputs.shape[1:3]) > 1:
            maps = [map_uri(outputs[0, :, :, at]) for at in most_varied(outputs[0], 6)]
        figures.append({"layer": layer, "maps": maps})
    return figures


def first_convolution(layers: list[Layer]) -> Layer | None:
    """Return the first convolution that is not depthwise."""
    return next((layer for layer in layers if layer.kind == "convolution"), None)


def most_varied(outputs: Values, count: int) -> list[int]:
    """Return the channels of `(height, width, channels)` with the largest deviation."""
    spread = outputs.reshape(-1, outputs.shape[-1]).std(axis=0)
    return [int(at) for at in np.argsort(-spread, kind="stable")[:count]]


def max_pool(values: Values, window: int = 2) -> Values:
    """Return the maximum of each window of `(height, width)`; both must be multiples of it."""
    height, width = values.shape
    blocks = values.reshape(height // window, window, width // window, window)
    return np.asarray(blocks.max(axis=(1, 3)), dtype=np.float32)


def _patch_corner(outputs: Values, layer: Layer, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the (top, left) of a patch around the maximum of `outputs`, inside the input."""
    y, x = np.unravel_index(int(outputs.argmax()), outputs.shape)
    stride = layer.operation.stride
    top = int(np.clip(int(y) * stride[0] - _PATCH // 2, 0, shape[0] - _PATCH))
    left = int(np.clip(int(x) * stride[1] - _PATCH // 2, 0, shape[1] - _PATCH))
    return top, left
