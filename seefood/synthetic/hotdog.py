"""Hot dogs: one to three side by side, on a table, a plate or a paper tray."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from seefood.synthetic.backgrounds import paint_plate, paint_table, paint_tray
from seefood.synthetic.noise import Plane
from seefood.synthetic.scene import Color, Patch, Point, Scene
from seefood.synthetic.shapes import box, capsule, dome, mix, shade

_CRUSTS: Final[tuple[Color, ...]] = (
    (0.80, 0.54, 0.27),
    (0.72, 0.44, 0.20),
    (0.87, 0.66, 0.38),
    (0.90, 0.74, 0.50),
)
_CRUMB: Final[Color] = (0.95, 0.87, 0.69)
_SAUSAGES: Final[tuple[Color, ...]] = (
    (0.62, 0.25, 0.15),
    (0.72, 0.32, 0.20),
    (0.52, 0.20, 0.12),
    (0.78, 0.42, 0.30),
)
_MUSTARD: Final[Color] = (0.94, 0.74, 0.06)
_KETCHUP: Final[Color] = (0.70, 0.05, 0.03)
_TOPPINGS: Final[tuple[tuple[float, Color, float], ...]] = (
    # probability, color, size as a share of the sausage's radius
    (0.65, (0.36, 0.52, 0.14), 0.17),  # relish
    (0.70, (0.95, 0.93, 0.88), 0.16),  # onion
    (0.40, (0.78, 0.13, 0.09), 0.22),  # tomato
    (0.25, (0.40, 0.17, 0.08), 0.22),  # beans
)
STYLES: Final = ("mustard", "ketchup", "plain", "toppings")


@dataclass(frozen=True, slots=True)
class _Pose:
    center: Point
    angle: float
    length: float
    """Half the bun's length, scene units."""
    squash: float


def paint_hotdogs(scene: Scene, style: str) -> None:
    """Paint one hot dog, or several side by side; `style` is one of `STYLES`."""
    paint_table(scene)
    angle = scene.uniform(-0.6, 0.6) + scene.choose((0.0, 0.0, 0.0, np.pi / 2))
    length = scene.uniform(0.75, 1.05)
    squash = scene.uniform(0.68, 1.0)
    center = (scene.uniform(-0.12, 0.12), scene.uniform(-0.12, 0.12))
    count = scene.choose((1, 1, 1, 1, 2, 2, 3))
    support = scene.choose(("table", "table", "plate", "plate", "tray", "tray"))
    if support == "plate":
        paint_plate(scene, center, length * scene.uniform(1.12, 1.4), squash)
    elif support == "tray":
        squash = 1.0
        paint_tray(scene, center, (length * 1.22, length * (0.18 + 0.36 * count)), angle)
    gap = length * scene.uniform(0.78, 0.9)
    size = length if count == 1 else length * 0.88
    for number in range(count):
        offset = (number - (count - 1) / 2) * gap
        across = (-float(np.sin(angle)) * offset, float(np.cos(angle)) * offset * squash)
        spot = (center[0] + across[0], center[1] + across[1])
        pose = _Pose(spot, angle + scene.uniform(-0.08, 0.08), size, squash)
        _HotDog(scene, pose).paint(style)


class _HotDog:
    """One hot dog in its own coordinates: u runs along it and v across it."""

    def __init__(self, scene: Scene, pose: _Pose) -> None:
        self.scene = scene
        self.pose = pose
        self.girth = pose.length * scene.uniform(0.36, 0.44)
        self.radius = self.girth * scene.uniform(0.40, 0.50)
        self.bend = scene.uniform(-0.16, 0.16)
        self.crust = scene.vary(scene.choose(_CRUSTS))
        # The near half of the bun hides a part of the sausage.
        self.lean = self.girth * scene.uniform(0.0, 0.1) * scene.choose((-1, 1))
        self.patch: Patch = scene.patch(pose.center, pose.length * 1.3, pose.angle, pose.squash)
        self.u: Plane = self.patch.u
        self.v: Plane = self.patch.v - self._bow(self.u) - np.float32(self.lean)

    def _bow(self, u: Plane) -> Plane:
        """Return how far the bent hot dog deviates from a straight line at `u`."""
        return np.float32(self.bend) * (u * u - np.float32(self.pose.length**2 / 3))

    def paint(self, style: str) -> None:
        """Paint the bun, the sausage and what is on it."""
        for side in (-1, 1):
            self._paint_half(side * self.girth * 0.5, self.girth * 0.56, self.girth * 0.5)
        self._paint_crumb()
        self._paint_sausage()
        in_front = self.scene.chance(0.6)
        if in_front:
            side = -1 if self.lean > 0 else 1
            self._paint_half(side * self.girth * 0.74, self.girth * 0.4, self.girth * 0.1)
        if style == "toppings":
            for probability, color, size in _TOPPINGS:
                if self.scene.chance(probability):
                    self._strew(color, self.radius * size)
        if style in {"mustard", "toppings"}:
            self._squeeze(_MUSTARD)
        if style == "ketchup" or (style != "plain" and self.scene.chance(0.2)):
            self._squeeze(_KETCHUP)

    def _paint_half(self, offset: float, radius: float, shadow: float) -> None:
        scene, u = self.scene, self.u
        v = self.v - np.float32(offset)
        taper = 1 - 0.16 * (u / self.pose.length) ** 2
        distance = capsule(u, v / taper, self.pose.length, radius)
        skin, pores = scene.noise(u, v, 0.9, 0.6), scene.noise(u, v, 0.25, 0.2)
        inner = np.clip(0.5 - np.sign(offset) * v / self.girth * 1.9 - 0.12 * skin, 0, 0.65)
        color = shade(mix(self.crust, _CRUMB, inner), 1 + 0.035 * skin + 0.02 * pores)
        height = dome(distance, radius, radius * 0.9) + 0.0012 * pores
        scene.paint(self.patch, distance, color, height, gloss=0.12, shadow=shadow)

    def _paint_crumb(self) -> None:
        distance = capsule(self.u, self.v, self.pose.length * 0.95, self.girth * 0.46)
        rough = self.scene.noise(self.u, self.v, 0.35, 0.35)
        depth = np.clip(-distance / (self.girth * 0.5), 0, 1)
        color = shade(mix(_CRUMB, (0.72, 0.52, 0.32), depth * 0.7), 1 + 0.05 * rough)
        self.scene.paint(self.patch, distance, color)

    def _paint_sausage(self) -> None:
        scene, u, v = self.scene, self.u, self.v
        half = self.pose.length * scene.uniform(0.94, 1.14)
        distance = capsule(u, v, half, self.radius)
        color = shade(scene.vary(scene.choose(_SAUSAGES)), 1 + 0.09 * scene.noise(u, v, 0.8, 0.7))
        if scene.chance(0.45):  # grill marks
            gap, slant = self.pose.length * scene.uniform(0.16, 0.3), scene.uniform(-0.7, 0.7)
            stripe = np.cos((u + slant * v) * 2 * np.pi / gap)
            color = mix(color, (0.13, 0.06, 0.04), np.clip(stripe * 2.2 - 1.1, 0, 0.75))
        tip = np.clip((np.abs(u) - half + self.radius * 0.7) / self.radius, 0, 1)
        color = mix(color, (0.35, 0.14, 0.09), tip * 0.55)
        height = dome(distance, self.radius, self.radius)
        gloss = scene.uniform(0.25, 0.6)
        scene.paint(self.patch, distance, color, height, gloss=gloss, shadow=self.girth * 0.2)

    def _squeeze(self, color: Color) -> None:
        """Paint a line of sauce along the sausage: a zigzag, a wave, or nearly straight."""
        scene, u = self.scene, self.u
        width = self.radius * scene.uniform(0.16, 0.27)
        swing = self.radius * scene.choose((0.15, 0.5, 0.62, 0.7))
        waves = scene.uniform(4, 8.5) * np.pi / self.pose.length
        phase = u * waves + scene.uniform(0, 6) + 0.5 * scene.noise(u, u * 0, 2.5)
        slope = np.sqrt(1 + (swing * waves * np.cos(phase)) ** 2)
        ends = np.maximum(np.abs(u) - self.pose.length * scene.uniform(0.8, 0.98), 0)
        thickness = width * (1 + 0.16 * scene.noise(u, u * 0, 1.2))
        distance = np.hypot((self.v - swing * np.sin(phase)) / slope, ends) - thickness
        height = dome(distance, width, width * 0.9)
        shadow = self.radius * 0.14
        scene.paint(
            self.patch, distance, scene.vary(color, 0.04), height, gloss=0.55, shadow=shadow
        )

    def _strew(self, color: Color, size: float) -> None:
        """Paint a dozen or more small lumps on the sausage."""
        scene, pose = self.scene, self.pose
        count = int(scene.rng.integers(12, 36))
        u = scene.rng.uniform(-0.85, 0.85, count) * pose.length
        v = np.clip(scene.rng.normal(0, 0.42, count), -1.1, 1.1) * self.radius
        v += self.lean + self._bow(u)
        x = pose.center[0] + np.cos(pose.angle) * u - np.sin(pose.angle) * v
        y = pose.center[1] + (np.sin(pose.angle) * u + np.cos(pose.angle) * v) * pose.squash
        for spot in zip(x, y, strict=True):
            lump = size * scene.uniform(0.6, 1.3)
            patch = scene.patch(spot, lump * 1.8, scene.uniform(0, np.pi))
            distance = box(patch.u, patch.v, lump, lump * scene.uniform(0.5, 1.0), lump * 0.3)
            height = dome(distance, lump * 0.8, lump * 0.5)
            scene.paint(patch, distance, scene.vary(color, 0.1), height, gloss=0.3, shadow=0.01)
