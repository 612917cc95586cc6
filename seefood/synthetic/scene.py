"""A scene that is painted shape by shape and then photographed.

The short side of a scene spans [-1, 1], x to the right and y downwards, so the same description
gives the same picture at any size. A shape is a signed distance, negative inside. A height field
over the shape is lit by one distant light.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from seefood.synthetic.noise import Plane, sample_noise

Color = tuple[float, float, float]
"""Red, green, blue, each in [0, 1]."""
Point = tuple[float, float]
Colors = NDArray[np.floating[Any]]
"""A color for each pixel, of shape `(rows, columns, 3)`."""

_AMBIENT: Final = 0.48
_SHININESS: Final = 22.0
_Choice = TypeVar("_Choice")


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of the scene with the coordinates of its pixels in the system of one shape."""

    rows: slice
    columns: slice
    u: Plane
    """Shape `(rows, columns)`, scene units from the shape's center."""
    v: Plane


@dataclass(slots=True)
class Scene:
    """A picture in progress; every random choice comes from `rng`."""

    width: int
    height: int
    rng: np.random.Generator
    pixels: NDArray[np.float32] = field(init=False)
    """Shape `(height, width, 3)`, RGB in [0, 1]."""
    unit: float = field(init=False)
    """Pixels per scene unit."""
    light: NDArray[np.float32] = field(init=False)
    """Unit vector (x, y, z) towards the light."""

    def __post_init__(self) -> None:
        self.pixels = np.full((self.height, self.width, 3), 0.5, np.float32)
        self.unit = min(self.width, self.height) / 2
        light = np.array([self.uniform(-0.75, 0.75), -self.uniform(0.45, 0.8), 0.9], np.float32)
        self.light = light / np.linalg.norm(light)

    def uniform(self, low: float, high: float) -> float:
        """Return a random number in [low, high)."""
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return bool(self.rng.random() < probability)

    def choose(self, options: Sequence[_Choice]) -> _Choice:
        """Return one of `options`."""
        return options[int(self.rng.integers(len(options)))]

    def vary(self, color: Color, amount: float = 0.06) -> Color:
        """Return a color near `color`."""
        shift = self.rng.normal(0, amount / 2) + self.rng.normal(0, amount / 5, 3)
        red, green, blue = np.clip(np.array(color) + shift, 0, 1)
        return float(red), float(green), float(blue)

    def noise(self, u: Plane, v: Plane, scale: float = 1.0, roughness: float = 1.0) -> Plane:
        """Return fractal noise of mean 0 and deviation 1 at (u, v); features grow with `scale`.

        `roughness` 1 looks like clouds, 0.5 like plaster.
        """
        return sample_noise(u, v, scale, roughness, self.rng)

    def patch(
        self,
        center: Point = (0.0, 0.0),
        reach: float = np.inf,
        angle: float = 0.0,
        squash: float = 1.0,
    ) -> Patch:
        """Return the part of the scene within `reach` of `center`, at least 2 x 2 pixels.

        Its coordinates are turned by `angle` radians; `squash` below 1 flattens the vertical, as a
        camera from the side does.
        """
        rows = self._span(center[1], reach, self.height)
        columns = self._span(center[0], reach, self.width)
        x = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.unit
        y = (np.arange(self.height, dtype=np.float32) + 0.5 - self.height / 2) / self.unit
        dx = x[None, columns] - np.float32(center[0])
        dy = (y[rows, None] - np.float32(center[1])) / np.float32(squash)
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        return Patch(rows, columns, cosine * dx + sine * dy, cosine * dy - sine * dx)

    def _span(self, center: float, reach: float, size: int) -> slice:
        first = np.clip((center - reach) * self.unit + size / 2 - 1, 0, size - 2)
        last = np.clip((center + reach) * self.unit + size / 2 + 2, first + 2, size)
        return slice(int(first), int(last))

    def paint(
        self,
        patch: Patch,
        distance: Plane,
        color: Color | Colors,
        height: Plane | None = None,
        *,
        gloss: float = 0.0,
        shadow: float = 0.0,
    ) -> None:
        """Paint `color` where `distance` is negative, lit as a surface of this height.

        `height` and `shadow` are in scene units. A shape with a `shadow` stands that high above
        what it darkens.
        """
        alpha = np.clip(np.float32(0.5) - distance * np.float32(self.unit), 0, 1)
        if shadow:
            self._darken(patch, alpha, shadow)
        paint = np.asarray(color, np.float32)
        if height is not None:
            paint = self._lit(paint, height, gloss)
        target = self.pixels[patch.rows, patch.columns]
        target += alpha[..., None] * (paint - target)

    def _lit(self, paint: Colors, height: Plane, gloss: float) -> Colors:
        """Return the diffuse (Lambert) and the shiny (Blinn 1977) light of a height field."""
        slope_y, slope_x = np.gradient(height, 1 / self.unit)
        length = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
        light_x, light_y, light_z = self.light
        sideways = slope_x * light_x + slope_y * light_y
        facing = np.clip((light_z - sideways) * length, 0, 1)
        halfway = np.clip((light_z + 1 - sideways) * length / np.sqrt(2 + 2 * light_z), 0, 1)
        diffuse = np.float32(_AMBIENT) + np.float32(1.18 - _AMBIENT) * facing
        shine = np.float32(gloss) * halfway ** np.float32(_SHININESS)
        lit: Colors = paint * diffuse[..., None] + shine[..., None]
        return lit

    def _darken(self, patch: Patch, alpha: Plane, depth: float) -> None:
        """Darken what a shape `depth` units high hides from the light."""
        margin = int(depth * 2.2 * self.unit) + 1
        top, left = max(0, patch.rows.start - margin), max(0, patch.columns.start - margin)
        dark = self.pixels[top : patch.rows.stop + margin, left : patch.columns.stop + margin]
        shift = np.round(-self.light * depth * 0.9 * self.unit).astype(int)
        mask = Image.new("L", (dark.shape[1], dark.shape[0]))
        corner = (patch.columns.start - left + shift[0], patch.rows.start - top + shift[1])
        mask.paste(Image.fromarray((alpha * 255).astype(np.uint8)), corner)
        mask = mask.filter(ImageFilter.GaussianBlur(depth * 0.55 * self.unit))
        dark *= 1 - np.asarray(mask, np.float32)[..., None] * np.float32(0.5 / 255)

    def blur(self, radius: float) -> None:
        """Put what was painted so far out of focus; `radius` is in scene units."""
        image = Image.fromarray(_to_bytes(self.pixels))
        blurred = image.filter(ImageFilter.GaussianBlur(radius * self.unit))
        self.pixels = np.asarray(blurred, np.float32) / np.float32(255)

    def photograph(self, size: tuple[int, int]) -> Image.Image:
        """Return the scene as a camera shows it, at `size` (width, height) in pixels.

        Adds white balance, exposure, vignette, contrast, softness and grain.
        """
        warmth, exposure = self.uniform(-0.06, 0.08), self.uniform(0.92, 1.18)
        whole = self.patch()
        radius = (whole.u / whole.u.max()) ** 2 + (whole.v / whole.v.max()) ** 2
        vignette = exposure * (1 - self.uniform(0.04, 0.17) * radius)
        self.pixels *= vignette[..., None] * np.array([1 + warmth, 1, 1 - warmth], np.float32)
        pixels = np.clip(self.pixels, 0, 1)
        steep = pixels * pixels * (3 - 2 * pixels)
        self.pixels = pixels + np.float32(self.uniform(0.0, 0.35)) * (steep - pixels)
        self.blur(self.uniform(0.002, 0.005))
        grain = self.rng.standard_normal((self.height, self.width, 1), np.float32)
        image = Image.fromarray(
            _to_bytes(self.pixels + grain * np.float32(self.uniform(0.01, 0.02)))
        )
        return image.resize(size, Image.Resampling.BICUBIC)


def _to_bytes(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    return (np.clip(pixels, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
