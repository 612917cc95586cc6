"""The network and weights of `seefood train` without `--network`: the best that is installed.

Nothing is downloaded. ImageNet weights come from the extra `weights`. Without it there is the
backbone of the built-in bundle, which is part of every installation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from statistics import median
from typing import Final

from PIL import Image

from seefood.errors import PictureError
from seefood.storage import fetch
from seefood_training.data import Photo
from seefood_training.networks import Weights
from seefood_training.networks.built_in_weights import NETWORK
from seefood_training.networks.efficientnet_lite import has_published_weights

_SAMPLE: Final = 24
_TINY: Final = 64
"""Photos with a shorter side, in pixels, have no detail that a larger input would show."""
_TINY_INPUT: Final = 160


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
    side = _shorter_side(photos) if wanted is None else None
    if side is not None and side < _TINY:
        why += f"; input {_TINY_INPUT} pixels, because the photos have about {side}"
        return DefaultNetwork(NETWORK, weights, _TINY_INPUT, why)
    return DefaultNetwork(NETWORK, weights, wanted, why)


def _shorter_side(photos: Sequence[Photo]) -> int | None:
    """Return the median shorter side of some of `photos`, None if none can be opened."""
    sides = []
    for photo in photos[:: max(1, len(photos) // _SAMPLE)]:
        try:
            with Image.open(BytesIO(fetch(photo.ref))) as image:
                sides.append(min(image.size))
        except (PictureError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
            continue  # it is named when all photos are decoded
    return round(median(sides)) if sides else None
