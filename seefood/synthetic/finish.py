"""The camera of drawn pictures: exposure, white balance, vignette, softness and grain."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from seefood.synthetic.scene import Scene, to_bytes

_GRAIN: Final = 512
_MIDDLE: Final = 128


def finish_picture(scene: Scene, size: tuple[int, int]) -> Image.Image:
    """Return the scene as a camera would: exposure, vignette, softness and grain, at `size`."""
    whole = scene.everywhere()
    pixels = scene.pixels
    warmth = scene.uniform(-0.06, 0.08)
    balance = np.array([1 + warmth, 1.0, 1 - warmth], np.float32) * scene.uniform(0.92, 1.18)
    radius = (whole.x / scene.half_width) ** 2 + (whole.y / scene.half_height) ** 2
    vignette = 1 - np.float32(scene.uniform(0.04, 0.17)) * radius
    pixels = pixels * balance * vignette[..., None]
    contrast = np.float32(scene.uniform(0.0, 0.35))
    pixels = np.clip(pixels, 0, 1)
    pixels += contrast * (pixels * pixels * (3 - 2 * pixels) - pixels)
    image = Image.fromarray(to_bytes(pixels))
    image = image.filter(ImageFilter.BoxBlur(scene.uniform(0.002, 0.005) * scene.unit))
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return _with_grain(image, scene.rng, scene.uniform(2.0, 6.0))


def _with_grain(image: Image.Image, rng: np.random.Generator, strength: float) -> Image.Image:
    """Add sensor noise of this deviation in levels, from a random place of one large tile."""
    corner = (int(rng.integers(0, _GRAIN)), int(rng.integers(0, _GRAIN)))
    tile = np.roll(_grain(), corner, axis=(0, 1))[: image.height, : image.width]
    levels = np.clip(np.round(tile * np.float32(strength)) + _MIDDLE, 0, 255).astype(np.uint8)
    grain = Image.fromarray(levels)
    noise = Image.new("RGB", image.size)
    for top in range(0, image.height, grain.height):
        for left in range(0, image.width, grain.width):
            noise.paste(grain, (left, top))
    return ImageChops.add(image, noise, 1, -_MIDDLE)


@cache
def _grain() -> NDArray[np.float32]:
    """Return noise of deviation about 1, mostly in brightness, of shape `(512, 512, 3)`."""
    rng = np.random.default_rng(2017)
    brightness = rng.standard_normal((_GRAIN, _GRAIN, 1), np.float32)
    colour = rng.standard_normal((_GRAIN, _GRAIN, 3), np.float32)
    return brightness * np.float32(0.8) + colour * np.float32(0.5)
