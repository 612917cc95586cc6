"""Fits a picture into a network's input: stretched, cropped or padded."""

from typing import Final

import numpy as np
from PIL import Image

from seefood.imaging.resize import Box, Pixels, resample
from seefood.imaging.resize_rule import Fit, ResizeRule

_ROUNDING: Final = 1e-6


def fit_scale(size: tuple[int, int], target: tuple[int, int], fit: Fit) -> tuple[float, float]:
    """Return the factors (horizontal, vertical) from a picture of `size` to `target`."""
    x, y = target[0] / size[0], target[1] / size[1]
    if fit == "stretch":
        return x, y
    same = max(x, y) if fit == "crop" else min(x, y)
    return same, same


def covered_size(rule: ResizeRule, target: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) that the picture covers before its edges are cut off."""
    share = rule.crop_share if rule.fit == "crop" else 1.0
    return round(target[0] / share), round(target[1] / share)


def resize_to_fit(
    image: Image.Image, target: tuple[int, int], rule: ResizeRule, *, exact: bool
) -> Pixels:
    """Resize `image` to `target`, its (width, height), by the fit and the filter of `rule`.

    Returns uint8 of shape `(height, width, channels)`. `exact` uses Pillow alone.
    """
    if rule.fit == "pad":
        return _padded(image, target, rule, exact=exact)
    box = _crop_box(image.size, target, rule) if rule.fit == "crop" else None
    return resample(image, target, rule.filter, box, exact=exact)


def _padded(
    image: Image.Image, target: tuple[int, int], rule: ResizeRule, *, exact: bool
) -> Pixels:
    x, y = fit_scale(image.size, target, "pad")
    inner = (
        min(target[0], max(1, round(image.width * x))),
        min(target[1], max(1, round(image.height * y))),
    )
    canvas = np.zeros((target[1], target[0], rule.shape[2]), np.uint8)
    left, top = (target[0] - inner[0]) // 2, (target[1] - inner[1]) // 2
    inside = canvas[top : top + inner[1], left : left + inner[0]]
    inside[:] = resample(image, inner, rule.filter, exact=exact)
    return canvas


def _crop_box(size: tuple[int, int], target: tuple[int, int], rule: ResizeRule) -> Box:
    """Return the part of a picture of `size` that becomes the input."""
    covered = covered_size(rule, target)
    x, y = fit_scale(size, covered, "crop")
    if covered == target:
        keep = target[0] / x, target[1] / y
        left, top = (size[0] - keep[0]) / 2, (size[1] - keep[1]) / 2
    else:  # in whole pixels of the resized picture, as torchvision's Resize and CenterCrop
        resized = tuple(
            max(whole, int(side * scale + _ROUNDING))
            for side, whole, scale in zip(size, covered, (x, y), strict=True)
        )
        x, y = resized[0] / size[0], resized[1] / size[1]
        keep = target[0] / x, target[1] / y
        left = round((resized[0] - target[0]) / 2) / x
        top = round((resized[1] - target[1]) / 2) / y
    # Rounding may put the box a billionth of a pixel outside, which Pillow refuses.
    return (
        max(0.0, left),
        max(0.0, top),
        min(float(size[0]), left + keep[0]),
        min(float(size[1]), top + keep[1]),
    )
