"""Every number and picture of the page, computed from one trace of the reader's own picture."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seefood.bundle import Bundle
from seefood.engines.base import Engine
from seefood.engines.saliency import occlusion_map
from seefood.explain.heatmap import (
    ActivationMap,
    agreement,
    class_activation_map,
)
from seefood.explain.layers import Layer, before_activation, find_layers
from seefood.explain.pictures import channel_uri, heat_uri, kernel_uri, map_uri, photo_uri
from seefood.explain.trace import Trace, Values, trace_picture
from seefood.imaging.decode import DecodedImage

_MAPS_SHOWN: Final = 8
_WORTH_SHOWING: Final = 0.1
"""A rectifier that sets a smaller share to zero shows nothing; the next one is looked at."""
_PATCH: Final = 10
"""Side of the patch that the stepper slides over, in values of the first convolution's input."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the page is made from."""

    bundle: Bundle
    image: DecodedImage
    trace: Trace
    layers: list[Layer]
    label: int
    activation_map: ActivationMap | None
    occlusion: Values


def set_stage(bundle: Bundle, engine: Engine, image: DecodedImage) -> Stage:
    """Run the picture through the network and both maps. Raises `UsageError` without LiteRT."""
    trace = trace_picture(bundle, image.pixels)
    layers = find_layers(trace)
    label = int(trace.probabilities.argmax())
    return Stage(
        bundle=bundle,
        image=image,
        trace=trace,
        layers=layers,
        label=label,
        activation_map=class_activation_map(trace, layers),
        occlusion=occlusion_map(engine, image.pixels, label),
    )


def maps_figure(stage: Stage) -> dict[str, Any]:
    """Return both heat maps over the photo, and how well they agree."""
    pixels = stage.image.pixels
    figure: dict[str, Any] = {
        "photo": photo_uri(pixels),
        "occlusion": heat_uri(pixels, stage.occlusion),
        "occlusion_drop": float(stage.occlusion.max()),
        "occlusion_places": stage.occlusion.shape[0],
        "activation": None,
    }
    if stage.activation_map is not None:
        contrast = stage.activation_map.contrast(stage.label)
        figure["activation"] = heat_uri(pixels, contrast)
        figure["activation_shape"] = contrast.shape
        figure["agreement"] = agreement(contrast, stage.occlusion)
    return figure


def input_figure(stage: Stage) -> dict[str, Any]:
    """Return the picture as the array that the network gets: channels, and a corner in numbers."""
    pixels = stage.image.pixels
    height, width, _ = pixels.shape
    top, left = height // 2 - 3, width // 2 - 3
    return {
        "height": height,
        "width": width,
        "values": height * width * 3,
        "original": (stage.image.width, stage.image.height),
        "channels": [channel_uri(pixels, channel) for channel in range(3)],
        "corner": pixels[top : top + 6, left : left + 6].tolist(),
        "corner_at": (top, left),
    }


def kernels_figure(stage: Stage) -> dict[str, Any] | None:
    """Return the first convolution's kernels with what each answered, the strongest first."""
    layer = first_convolution(stage.layers)
    if layer is None:
        return None
    weights = stage.trace.tensors[layer.operation.inputs[1]]
    answers = stage.trace.tensors[layer.operation.outputs[0]][0]
    chosen = strongest(answers, _MAPS_SHOWN)
    return {
        "layer": layer,
        "count": len(weights),
        "pairs": [
            {
                "channel": channel,
                "kernel": kernel_uri(weights[channel])
                if weights.shape[3] == 3
                else map_uri(weights[channel].mean(axis=2)),
                "map": map_uri(answers[:, :, channel]),
            }
            for channel in chosen
        ],
    }


def stepper_figure(stage: Stage) -> dict[str, Any] | None:
    """Return a patch of the first convolution's input, its strongest kernel, and every product sum.

    The patch lies where the kernel answers most. `answers` are what the formula gives at each
    position; they equal the network's own values there.
    """
    layer = first_convolution(stage.layers)
    if layer is None or max(layer.window) > _PATCH:
        return None
    item = layer.operation
    weights = stage.trace.tensors[item.inputs[1]]
    source = stage.trace.tensors[item.inputs[0]][0]
    answers = stage.trace.tensors[item.outputs[0]][0]
    channel = strongest(answers, 1)[0]
    top, left = _patch_corner(answers[:, :, channel], layer, source.shape)
    patch = source[top : top + _PATCH, left : left + _PATCH]
    has_bias = len(item.inputs) > 2 and item.inputs[2] >= 0
    bias = float(stage.trace.tensors[item.inputs[2]][channel]) if has_bias else 0.0
    kernel = weights[channel]
    windows = np.lib.stride_tricks.sliding_window_view(patch, layer.window, axis=(0, 1))
    sums = np.einsum("yxchw,hwc->yx", windows, kernel) + bias
    return {
        "patch": np.round(patch, 3).tolist(),
        "kernel": np.round(kernel, 3).tolist(),
        "bias": round(bias, 4),
        "answers": np.round(sums, 3).tolist(),
        "stride": item.stride[0],
        "window": layer.window[0],
        "channel": channel,
        "activation": item.activation,
        "corner": (top, left),
        "side": _PATCH,
        "positions": sums.shape[0],
    }


def relu_figure(stage: Stage) -> dict[str, Any] | None:
    """Return feature maps before and after the first rectifying activation."""
    for layer in stage.layers:
        fused = layer.operation.activation
        if layer.kind in {"convolution", "depthwise"} and fused in {"relu", "relu6"}:
            answers = stage.trace.tensors[layer.operation.outputs[0]][0]
            chosen = strongest(answers, 4)
            before = before_activation(layer, stage.trace, chosen)
            if float((before < 0).mean()) < _WORTH_SHOWING:
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
                        "after": map_uri(answers[:, :, channel], float(limits[at])),
                    }
                    for at, channel in enumerate(chosen)
                ],
            }
    return None


def pooling_figure(stage: Stage) -> dict[str, Any] | None:
    """Return a 24 x 24 piece of a real feature map and its maximum of each 2 x 2, 12 x 12."""
    for layer in stage.layers:
        answers = stage.trace.tensors[layer.operation.outputs[0]]
        if layer.kind in {"convolution", "depthwise"} and min(answers.shape[1:3]) >= 24:
            channel = strongest(answers[0], 1)[0]
            side = answers.shape[1]
            start = (side - 24) // 2
            piece = answers[0, start : start + 24, start : start + 24, channel]
            pooled = max_pool(piece)
            limit = float(np.abs(piece).max())
            return {
                "layer": layer,
                "channel": channel,
                "before": map_uri(piece, limit),
                "after": map_uri(pooled, limit),
                "numbers": np.round(piece[:4, :4], 2).tolist(),
                "pooled": np.round(pooled[:2, :2], 2).tolist(),
            }
    return None


def dense_figure(stage: Stage) -> dict[str, Any] | None:
    """Return the last fully connected layer: strongest shares, scores, probabilities."""
    dense = [layer for layer in stage.layers if layer.kind == "dense"]
    if not dense:
        return None
    item = dense[-1].operation
    features = stage.trace.tensors[item.inputs[0]].reshape(-1)
    weights = stage.trace.tensors[item.inputs[1]]
    shares = features * weights[stage.label]
    order = np.argsort(-np.abs(shares), kind="stable")[:_MAPS_SHOWN]
    scores = stage.trace.tensors[item.outputs[0]].reshape(-1)
    labels = stage.bundle.labels
    ranked = np.argsort(-stage.trace.probabilities, kind="stable")[:5]
    return {
        "layer": dense[-1],
        "features": features.size,
        "shares": [
            {
                "feature": int(at),
                "value": float(features[at]),
                "weight": float(weights[stage.label, at]),
                "share": float(shares[at]),
            }
            for at in order
        ],
        "classes": [
            {
                "label": labels[at],
                "score": float(scores[at]) if scores.size == len(labels) else None,
                "probability": float(stage.trace.probabilities[at]),
            }
            for at in ranked
        ],
        "label": labels[stage.label],
    }


def layers_figure(stage: Stage) -> list[dict[str, Any]]:
    """Return every layer with its strongest feature maps."""
    figures = []
    for layer in stage.layers:
        answers = stage.trace.tensors[layer.operation.outputs[0]]
        maps: list[str] = []
        if answers.ndim == 4 and min(answers.shape[1:3]) > 1:
            maps = [map_uri(answers[0, :, :, at]) for at in strongest(answers[0], 6)]
        figures.append({"layer": layer, "maps": maps})
    return figures


def first_convolution(layers: list[Layer]) -> Layer | None:
    """Return the first layer with kernels over all of its input's channels."""
    return next((layer for layer in layers if layer.kind == "convolution"), None)


def strongest(answers: Values, count: int) -> list[int]:
    """Return the channels of `(height, width, channels)` that vary most over the picture."""
    spread = answers.reshape(-1, answers.shape[-1]).std(axis=0)
    return [int(at) for at in np.argsort(-spread, kind="stable")[:count]]


def max_pool(values: Values, window: int = 2) -> Values:
    """Return the maximum of each window of `(height, width)`; sides must be multiples of it."""
    height, width = values.shape
    blocks = values.reshape(height // window, window, width // window, window)
    return np.asarray(blocks.max(axis=(1, 3)), dtype=np.float32)


def _patch_corner(answers: Values, layer: Layer, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return where a patch around the strongest answer begins, inside the input."""
    y, x = np.unravel_index(int(answers.argmax()), answers.shape)
    stride = layer.operation.stride
    top = int(np.clip(int(y) * stride[0] - _PATCH // 2, 0, shape[0] - _PATCH))
    left = int(np.clip(int(x) * stride[1] - _PATCH // 2, 0, shape[1] - _PATCH))
    return top, left
