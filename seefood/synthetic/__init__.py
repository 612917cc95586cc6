"""Pictures that the project draws itself: hot dogs and other things that look a little like photos.

They are what a fresh clone has to classify before anybody brings photos: the demo, the tests, and
the golden pictures inside a bundle. Everything in them is computed; no photo is part of one.
"""

import zlib
from typing import Final

import numpy as np
from PIL import Image

from seefood.errors import UsageError
from seefood.synthetic.animals import ANIMALS
from seefood.synthetic.dishes import DISHES
from seefood.synthetic.finish import finish_picture
from seefood.synthetic.fruit import FRUIT
from seefood.synthetic.gardens import GARDENS
from seefood.synthetic.goods import GOODS
from seefood.synthetic.hotdogs import HOTDOGS
from seefood.synthetic.people import PEOPLE
from seefood.synthetic.scene import Painter, Scene
from seefood.synthetic.treats import TREATS

_PAINTERS: Final[dict[str, Painter]] = {
    **HOTDOGS,
    **DISHES,
    **TREATS,
    **FRUIT,
    **ANIMALS,
    **GOODS,
    **GARDENS,
    **PEOPLE,
}
_LARGEST_CANVAS: Final = 1000

KINDS: Final = tuple(_PAINTERS)
"""What can be drawn; names that start with `hotdog` are hot dogs."""


def draw_picture(kind: str, seed: int, size: tuple[int, int]) -> Image.Image:
    """Return an RGB picture of `kind`, of `size` (width, height) in pixels.

    The same arguments give the same picture; another size gives nearly the same scene. 320 x 240
    takes some 30 ms; above 1,000 pixels the scene is drawn smaller and enlarged. Raises
    `UsageError` for a kind that is none of `KINDS`, a negative seed or a size below 16 x 16.
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
    canvas = (max(16, round(size[0] * shrink)), max(16, round(size[1] * shrink)))
    rng = np.random.default_rng([zlib.crc32(kind.encode()), seed])
    scene = Scene(canvas[0], canvas[1], rng)
    painter(scene)
    return finish_picture(scene, size)


__all__ = ["KINDS", "draw_picture"]
