"""The easel of drawn pictures: a lit scene in scene units, painted shape by shape.

A scene's short side spans [-1, 1], x to the right and y downwards, so one description gives the
same picture at any size. A shape is a signed distance (negative inside) or a mask; a height over
it is lit like a real surface, which is what makes a few ellipses look like bread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from seefood.synthetic.noise import Plane, sample_noise

Colour = tuple[float, float, float]
"""Red, green, blue, each in [0, 1]."""
Point = tuple[float, float]
Tones = NDArray[np.floating[Any]]
"""A colour for each pixel, of shape `(rows, columns, 3)`."""

_MASK_OVERSAMPLING: Final = 3
_Choice = TypeVar("_Choice")


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of the scene with the coordinates of its pixels."""

    rows: slice
    columns: slice
    x: Plane
    """Shape `(1, columns)`, scene units."""
    y: Plane
    """Shape `(rows, 1)`, scene units."""

    def local(self, centre: Point, angle: float = 0.0, squash: float = 1.0) -> tuple[Plane, Plane]:
        """Return coordinates (u, v) around `centre`, turned by `angle` radians.

        `squash` below 1 flattens the vertical of the scene, as a camera from the side does.
        """
        dx, dy = self.x - centre[0], (self.y - centre[1]) / squash
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        return cosine * dx + sine * dy, cosine * dy - sine * dx


@dataclass(frozen=True, slots=True)
class Finish:
    """How a surface answers light."""

    gloss: float = 0.0
    """Strength of the highlight."""
    shine: float = 24.0
    """Sharpness of the highlight."""
    ambient: float = 0.45
    """Light that reaches it from everywhere."""


MATT: Final = Finish()
GLOSSY: Final = Finish(gloss=0.55, shine=30.0)


@dataclass(slots=True)
class Scene:
    """A picture being painted; every random choice comes from `rng`."""

    width: int
    height: int
    rng: np.random.Generator
    pixels: NDArray[np.float32] = field(init=False)
    """Shape `(height, width, 3)`, RGB in [0, 1]."""
    light: tuple[float, float, float] = field(init=False)
    """Unit vector towards the light."""
    unit: float = field(init=False)
    """Pixels per scene unit."""
    half_width: float = field(init=False)
    half_height: float = field(init=False)

    def __post_init__(self) -> None:
        self.pixels = np.full((self.height, self.width, 3), 0.5, np.float32)
        self.unit = min(self.width, self.height) / 2
        self.half_width = self.width / 2 / self.unit
        self.half_height = self.height / 2 / self.unit
        side = self.uniform(-0.75, 0.75)
        light = np.array([side, -self.uniform(0.45, 0.8), self.uniform(0.75, 1.1)])
        light /= np.linalg.norm(light)
        self.light = (float(light[0]), float(light[1]), float(light[2]))

    def uniform(self, low: float, high: float) -> float:
        """Return a random number in [low, high)."""
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return bool(self.rng.random() < probability)

    def choose(self, options: Sequence[_Choice]) -> _Choice:
        """Return one of `options`."""
        return options[int(self.rng.integers(len(options)))]

    def vary(self, colour: Colour, amount: float = 0.06) -> Colour:
        """Return a colour near `colour`."""
        shift = self.rng.normal(0, amount / 2) + self.rng.normal(0, amount / 5, 3)
        red, green, blue = np.clip(np.array(colour) + shift, 0, 1)
        return float(red), float(green), float(blue)

    def everywhere(self) -> Area:
        """Return the whole scene as an area."""
        return self._area(0, self.height, 0, self.width)

    def around(self, centre: Point, reach: float, reach_y: float | None = None) -> Area:
        """Return the part of the scene within `reach` of `centre` (at least one pixel of it)."""
        tall = reach if reach_y is None else reach_y
        left = (centre[0] - reach + self.half_width) * self.unit
        right = (centre[0] + reach + self.half_width) * self.unit
        top = (centre[1] - tall + self.half_height) * self.unit
        bottom = (centre[1] + tall + self.half_height) * self.unit
        first_row = min(max(0, int(top) - 1), self.height - 1)
        first_column = min(max(0, int(left) - 1), self.width - 1)
        last_row = max(first_row + 1, min(self.height, int(bottom) + 2))
        last_column = max(first_column + 1, min(self.width, int(right) + 2))
        return self._area(first_row, last_row, first_column, last_column)

    def _area(self, top: int, bottom: int, left: int, right: int) -> Area:
        x = (np.arange(left, right, dtype=np.float32) + 0.5) / self.unit - self.half_width
        y = (np.arange(top, bottom, dtype=np.float32) + 0.5) / self.unit - self.half_height
        return Area(
            slice(top, bottom),
            slice(left, right),
            x[None, :].astype(np.float32),
            y[:, None].astype(np.float32),
        )

    def noise(self, u: Plane, v: Plane, scale: float = 1.0, roughness: float = 1.0) -> Plane:
        """Return fractal noise of deviation 1 at (u, v); features grow with `scale`.

        `roughness` 1 looks like clouds, 0.5 like plaster.
        """
        return sample_noise(u, v, scale, roughness, self.rng)

    def cover(self, distance: Plane) -> Plane:
        """Return the share of each pixel inside a shape given as signed distance, in [0, 1]."""
        share: Plane = np.clip(np.float32(0.5) - distance * np.float32(self.unit), 0, 1)
        return share

    def polygon(self, area: Area, points: Sequence[Point]) -> Plane:
        """Return the mask of a polygon of scene points within `area`, in [0, 1]."""
        many = _MASK_OVERSAMPLING
        rows, columns = area.y.shape[0], area.x.shape[1]
        mask = Image.new("L", (columns * many, rows * many))
        origin_x, origin_y = float(area.x[0, 0]), float(area.y[0, 0])
        half = 0.5 / self.unit
        scaled = [
            ((x - origin_x + half) * self.unit * many, (y - origin_y + half) * self.unit * many)
            for x, y in points
        ]
        ImageDraw.Draw(mask).polygon(scaled, fill=255)
        return np.asarray(mask.reduce(many), np.float32) / np.float32(255)

    def paint(
        self,
        area: Area,
        alpha: Plane,
        colour: Colour | Tones,
        height: Plane | None = None,
        finish: Finish = MATT,
    ) -> None:
        """Lay `colour` over the area where `alpha` is 1, lit as a surface of this height.

        `colour` is one colour or one for each pixel; `height` is in scene units.
        """
        rows, columns = _covered(alpha)
        share = alpha[rows, columns]
        target = self.pixels[area.rows, area.columns][rows, columns]
        paint = np.asarray(colour, np.float32)
        if paint.ndim > 1:
            paint = paint[rows, columns]
        if height is not None:
            body = np.broadcast_to(height, alpha.shape)[rows, columns]
            paint = self._lit(paint, body, finish)
        target += share[..., None] * (paint - target)

    def _lit(self, paint: Tones, height: Plane, finish: Finish) -> Tones:
        slope_y, slope_x = _slopes(height, self.unit)
        light_x, light_y, light_z = (np.float32(part) for part in self.light)
        length = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
        facing = np.clip((light_z - slope_x * light_x - slope_y * light_y) * length, 0, 1)
        ambient = np.float32(finish.ambient)
        lit = paint * (ambient + (np.float32(1.18) - ambient) * facing)[..., None]
        if finish.gloss:
            # The half-way vector between the light and a viewer right above.
            half = 1 / np.sqrt(2 + 2 * light_z)
            toward = (light_z + 1 - slope_x * light_x - slope_y * light_y) * half * length
            shine = np.float32(finish.gloss) * np.clip(toward, 0, 1) ** np.float32(finish.shine)
            lit = lit + shine[..., None]
        return lit

    def shadow(self, area: Area, alpha: Plane, depth: float = 0.06, strength: float = 0.5) -> None:
        """Darken what lies away from the light of a shape that stands `depth` units high."""
        rows, columns = _covered(alpha)
        margin = int(depth * 2.2 * self.unit) + 1
        shift_x = round(-self.light[0] * depth * 0.9 * self.unit)
        shift_y = round(-self.light[1] * depth * 0.9 * self.unit)
        top, left = area.rows.start + rows.start, area.columns.start + columns.start
        first_row, first_column = max(0, top - margin), max(0, left - margin)
        last_row = min(self.height, area.rows.start + rows.stop + margin)
        last_column = min(self.width, area.columns.start + columns.stop + margin)
        plate = Image.new("L", (last_column - first_column, last_row - first_row))
        plate.paste(
            Image.fromarray((alpha[rows, columns] * 255).astype(np.uint8)),
            (left - first_column + shift_x, top - first_row + shift_y),
        )
        shade = _soften(plate, depth * 0.55 * self.unit)
        dark = self.pixels[first_row:last_row, first_column:last_column]
        dark *= (1 - np.float32(strength) * shade)[..., None]

    def blur(self, radius: float) -> None:
        """Put what was painted so far out of focus; `radius` in scene units."""
        image = Image.fromarray(to_bytes(self.pixels))
        blurred = image.filter(ImageFilter.GaussianBlur(radius * self.unit))
        self.pixels = np.asarray(blurred, np.float32) / np.float32(255)


def _covered(alpha: Plane) -> tuple[slice, slice]:
    """Return the rows and columns outside of which `alpha` is 0, with one pixel around them."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return slice(0, 1), slice(0, 1)
    return (
        slice(max(0, int(rows[0]) - 1), int(rows[-1]) + 2),
        slice(max(0, int(columns[0]) - 1), int(columns[-1]) + 2),
    )


def _slopes(height: Plane, unit: float) -> tuple[Plane, Plane]:
    """Return the slopes of a height field down the rows and along the columns."""
    padded = np.pad(height, 1, mode="edge")
    scale = np.float32(unit / 2)
    down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) * scale
    along = (padded[1:-1, 2:] - padded[1:-1, :-2]) * scale
    return down, along


def _soften(plate: Image.Image, radius: float) -> Plane:
    """Return a blurred copy of an 8-bit plate in [0, 1]; wide blurs are made small first."""
    factor = max(1, int(radius / 2))
    size = plate.size
    if factor > 1:
        plate = plate.resize(
            (max(1, size[0] // factor), max(1, size[1] // factor)), Image.Resampling.BOX
        )
    plate = plate.filter(ImageFilter.GaussianBlur(radius / factor))
    if factor > 1:
        plate = plate.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(plate, np.float32) / np.float32(255)


def to_bytes(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return colours in [0, 1] as bytes."""
    return (np.clip(pixels, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


Painter = Callable[[Scene], None]
