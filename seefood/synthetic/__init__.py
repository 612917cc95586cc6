"""Draws pictures of hot dogs and of other things that look somewhat like photos.

The demo, the tests and the golden pictures of a bundle use them,
so a fresh clone needs no photos. Everything in them is computed.
"""

import zlib
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from PIL import Image

from seefood.errors import UsageError
from seefood.synthetic.hotdog import STYLES, paint_hotdogs
from seefood.synthetic.scene import Scene
from seefood.synthetic.things import paint_banana, paint_flower, paint_house, paint_pizza

_PAINTERS: Final[dict[str, Callable[[Scene], None]]] = {
    **{f"hotdog_{style}": partial(paint_hotdogs, style=style) for style in STYLES},
    "pizza": paint_pizza,
    "banana": paint_banana,
    "flower": paint_flower,
    "house": paint_house,
}
_LARGEST_CANVAS: Final = 1000

KINDS: Final = tuple(_PAINTERS)
"""What can be drawn; names that start with `hotdog` are hot dogs."""


def draw_picture(kind: str, seed: int, size: tuple[int, int]) -> Image.Image:
    """Return an RGB picture of `kind`, of `size` (width, height) in pixels.

    The same arguments give the same picture; another size gives nearly the same scene. 320 x 240
    takes 40 to 130 ms; above 1,000 pixels the scene is drawn smaller and enlarged. Raises
    `UsageError` for a kind that is not in `KINDS`, a negative seed or a size below 16 x 16.
    """
    painter = _PAINTERS.get(kind)
    if painter is None:
        raise UsageError(f"{kind!r} cannot be drawn; it must be one of {', '.join(KINDS)}")
    if seed < 0 or min(size) < 16:
        raise UsageError(
            f"seed {seed} and size {size[0]} x {size[1]} cannot be drawn; "
            "a seed is at least 0 and a side at least 16 pixels"
        )
    shrink = min(1.0, _LARGEST_CANVAS / max(size))
    width, height = (max(16, round(side * shrink)) for side in size)
    scene = Scene(width, height, np.random.default_rng([zlib.crc32(kind.encode()), seed]))
    painter(scene)
    return scene.photograph(size)


__all__ = ["KINDS", "draw_picture"]
