"""The camera of drawn pictures: exposure, white balance, vignette, softness and grain."""

import numpy as np
from PIL import Image, ImageFilter

from seefood.drawn.scene import Scene, to_bytes


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
    image = image.filter(ImageFilter.GaussianBlur(scene.uniform(0.002, 0.005) * scene.unit))
    if image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return _with_grain(image, scene.rng, scene.uniform(2.0, 6.0))


def _with_grain(image: Image.Image, rng: np.random.Generator, strength: float) -> Image.Image:
    """Add sensor noise of this deviation in levels; a tile of it is repeated over large pictures."""
    grain = rng.standard_normal((min(256, image.height), min(256, image.width), 1), np.float32)
    colour = rng.standard_normal((*grain.shape[:2], 3), np.float32)
    tile = np.round((grain * 0.8 + colour * 0.5) * np.float32(strength)).astype(np.int16)
    rows, columns = -(-image.height // tile.shape[0]), -(-image.width // tile.shape[1])
    noise = np.tile(tile, (rows, columns, 1))[: image.height, : image.width]
    noisy = np.asarray(image, np.int16) + noise
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
