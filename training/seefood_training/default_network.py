"""The network and weights of `seefood train` without `--network`: the best that is installed.

Nothing is downloaded. ImageNet weights come from the extra `weights`. Without it there is the
backbone of the built-in bundle, which is part of every installation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from statistics import median
from typing import Final

import numpy as np
from PIL import Image

from seefood.errors import PictureError
from seefood.storage import fetch
from seefood_training.data import Photo
from seefood_training.networks import Weights
from seefood_training.networks.built_in_weights import NETWORK
from seefood_training.networks.efficientnet_lite import has_published_weights

_SAMPLE: Final = 24
_TINY: Final = 64
"""Photos with less detail, in pixels of the shorter side, show no more in a larger input."""
_TINY_INPUT: Final = 160
_SIDES: Final = (32, 48)
"""Sides below `_TINY` that photos are shrunk to, to see whether they lose detail."""
_LOSS: Final = 0.005
"""The share of a photo's variance that may be lost where no detail is."""
_PLAIN: Final = 1.0
"""The variance, in grey levels squared, of a picture of one colour: it says nothing of detail."""
_LOOKED_AT: Final = 256
"""The side, in pixels, that larger photos are reduced to before they are looked at."""
_MOST_PIXELS: Final = 30_000_000
"""Of a photo whose detail is looked at, so that it needs little memory."""


@dataclass(frozen=True, slots=True)
class DefaultNetwork:
    """What is trained, and why."""

    network: str
    weights: Weights
    side: int | None
    """Of the input in pixels; None: the network's usual one."""
    why: str


def default_network(photos: Sequence[Photo], wanted: int | None = None) -> DefaultNetwork:
    """Return the network, weights and input size for `photos`; `wanted` is a size to keep."""
    if has_published_weights(NETWORK):
        weights: Weights = "imagenet"
        why = f"{NETWORK} with ImageNet weights, which are installed"
    else:
        weights = "built-in"
        why = (
            f"{NETWORK} with the weights of the built-in bundle, because no ImageNet weights are "
            'installed (`pip install "seefood[weights]"`)'
        )
    side = _detail_of(photos) if wanted is None else None
    if side is not None and side < _TINY:
        why += f"; input {_TINY_INPUT} pixels, because the photos show detail of about {side} only"
        return DefaultNetwork(NETWORK, weights, _TINY_INPUT, why)
    return DefaultNetwork(NETWORK, weights, wanted, why)


def _detail_of(photos: Sequence[Photo]) -> int | None:
    """Return the median detail of some of `photos`, None if none can be opened."""
    sides = []
    for photo in photos[:: max(1, len(photos) // _SAMPLE)]:
        try:
            data = fetch(photo.ref)
        except PictureError:
            continue  # it is named when all photos are decoded
        try:
            with Image.open(BytesIO(data)) as image:
                sides.append(detail(image))
        except Exception:  # noqa: BLE001, S112 (Pillow raises any exception for a damaged file)
            continue  # as above
    return round(median(sides)) if sides else None


def detail(image: Image.Image) -> int:
    """Return how many pixels the shorter side of `image` needs to show what it shows, at most.

    That is the shorter side itself, or less for a photo that was enlarged: one that can be reduced
    to 32 or 48 pixels and enlarged again without a loss.
    """
    shorter = min(image.size)
    if shorter >= 2 * _LOOKED_AT:
        image.draft("L", (_LOOKED_AT, _LOOKED_AT))  # a JPEG is decoded at a fraction of its size
    if image.width * image.height > _MOST_PIXELS:
        return shorter
    grey = image.convert("L")
    if min(grey.size) > _LOOKED_AT:
        grey = _resized(grey, _LOOKED_AT)
    whole = np.asarray(grey, np.float64)
    sides = [side for side in _SIDES if side < shorter and whole.var() > _PLAIN]
    for side in sides:
        again = _resized(grey, side).resize(grey.size, Image.Resampling.LANCZOS)
        if np.square(np.asarray(again, np.float64) - whole).mean() <= _LOSS * whole.var():
            return side
    return shorter


def _resized(image: Image.Image, side: int) -> Image.Image:
    """Return `image` with a shorter side of `side` pixels."""
    scale = side / min(image.size)
    size = tuple(max(side, round(length * scale)) for length in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
