"""One hot dog, layer by layer: bun, sausage, sauce, toppings."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from seefood.synthetic.scene import Colour, Finish, Point, Scene
from seefood.synthetic.settings import (
    bit,
)
from seefood.synthetic.shapes import capsule, dome, mix

_CRUST: Final[tuple[Colour, ...]] = (
    (0.80, 0.54, 0.27),
    (0.72, 0.44, 0.20),
    (0.87, 0.66, 0.38),
    (0.90, 0.74, 0.50),
)
_CRUMB: Final[Colour] = (0.95, 0.87, 0.69)
_SAUSAGES: Final[tuple[Colour, ...]] = (
    (0.62, 0.25, 0.15),
    (0.72, 0.32, 0.20),
    (0.52, 0.20, 0.12),
    (0.78, 0.42, 0.30),
)
MUSTARD: Final[Colour] = (0.94, 0.74, 0.06)
KETCHUP: Final[Colour] = (0.70, 0.05, 0.03)
_SAUCE: Final = Finish(gloss=0.55, shine=26.0, ambient=0.5)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where one hot dog lies."""

    centre: Point
    angle: float
    length: float
    """Half the bun's length, scene units."""
    bend: float
    squash: float


class HotDog:
    """One hot dog: its own coordinates (u along it, v across) and its layers, lowest first."""

    def __init__(self, scene: Scene, pose: Pose) -> None:
        self.scene = scene
        self.pose = pose
        self.length = pose.length
        self.girth = pose.length * scene.uniform(0.36, 0.44)
        across, along = abs(float(np.sin(pose.angle))), abs(float(np.cos(pose.angle)))
        reach, side = pose.length * 1.17, self.girth * 1.5 + abs(pose.bend) * pose.length**2
        self.area = scene.around(
            pose.centre,
            along * reach + across * side,
            (across * reach + along * side) * pose.squash,
        )
        u, v = self.area.local(pose.centre, pose.angle, pose.squash)
        self.u = u
        self.v = v - np.float32(pose.bend) * (u * u - pose.length**2 / 3)
        self.crust = scene.vary(scene.choose(_CRUST))
        # Which side faces the camera hides a part of the sausage.
        self.tilt = scene.uniform(0.0, 0.35) * scene.choose((-1, 1))
        self.thick = self.girth * scene.uniform(0.40, 0.50)

    def bun(self) -> None:
        """Paint both halves with the crumb between them, and their shadow."""
        whole = capsule(self.u, self.v, self.length, self.girth)
        self.scene.shadow(self.area, self.scene.cover(whole), self.girth * 0.5, 0.62)
        for side in (-1, 1):
            self._half(side, self.girth * (0.50 + 0.12 * side * self.tilt))
        crumb = capsule(
            self.u, self.v - self.tilt * self.girth * 0.3, self.length * 0.95, self.girth * 0.46
        )
        rough = self.scene.noise(self.u, self.v, 0.35, 0.35)
        shade = np.clip(1 + crumb / (self.girth * 0.5), 0, 1)
        tone = mix(_CRUMB, (0.72, 0.52, 0.32), (1 - shade) * 0.7)
        self.scene.paint(self.area, self.scene.cover(crumb), tone * (1 + 0.05 * rough)[..., None])

    def _half(self, side: int, offset: float) -> None:
        scene = self.scene
        v = self.v - side * offset
        # Ends that taper a little, as rolls do.
        taper = 1 - 0.16 * (self.u / self.length) ** 2
        distance = capsule(self.u, v / taper, self.length, self.girth * 0.56)
        height = dome(distance, self.girth * 0.56, self.girth * 0.5)
        skin = scene.noise(self.u, v, 0.9, 0.6)
        pores = scene.noise(self.u, v, 0.25, 0.2)
        outward = np.clip(side * v / self.girth * 1.5 + 0.2 + 0.12 * skin, 0, 1)
        pale = tuple(
            min(1.0, 0.35 * part + 0.65 * crumb)
            for part, crumb in zip(self.crust, _CRUMB, strict=True)
        )
        colour = mix((pale[0], pale[1], pale[2]), self.crust, outward * 1.3)
        colour = colour * (1 + 0.035 * skin + 0.02 * pores)[..., None]
        scene.paint(
            self.area,
            scene.cover(distance),
            colour,
            height + 0.0012 * pores,
            Finish(0.12, 10.0, 0.5),
        )

    def sausage(self) -> None:
        """Paint the sausage, longer than the bun more often than not."""
        scene = self.scene
        half = self.length * scene.uniform(0.94, 1.14)
        v = self.v - self.tilt * self.girth * 0.3
        distance = capsule(self.u, v, half, self.thick)
        scene.shadow(self.area, scene.cover(distance), self.girth * 0.22, 0.5)
        height = dome(distance, self.thick, self.thick)
        colour = scene.vary(scene.choose(_SAUSAGES))
        blotch = scene.noise(self.u, v, 0.8, 0.7)
        tone = np.asarray(colour, np.float32) * (1 + 0.09 * blotch)[..., None]
        if scene.chance(0.45):  # grill marks
            gap = self.length * scene.uniform(0.16, 0.3)
            slant = scene.uniform(-0.7, 0.7)
            stripe = np.cos((self.u + slant * v) * 2 * np.pi / gap)
            tone = mix(tone, (0.13, 0.06, 0.04), np.clip(stripe * 2.2 - 1.1, 0, 0.75))
        tip = np.clip((np.abs(self.u) - half + self.thick * 0.7) / self.thick, 0, 1)
        tone = mix(tone, (0.35, 0.14, 0.09), tip * 0.55)
        scene.paint(
            self.area,
            scene.cover(distance),
            tone,
            height,
            Finish(scene.uniform(0.25, 0.6), scene.uniform(14, 36), 0.42),
        )

    def front(self) -> None:
        """Paint the half nearest to the camera over the sausage, so that it sits in the bun."""
        side = 1 if self.tilt < 0 else -1
        scene = self.scene
        v = self.v - side * self.girth * 0.72
        distance = capsule(self.u, v, self.length, self.girth * scene.uniform(0.36, 0.46))
        scene.shadow(self.area, scene.cover(distance), self.girth * 0.1, 0.35)
        skin = scene.noise(self.u, v, 0.9, 0.6)
        pores = scene.noise(self.u, v, 0.25, 0.2)
        inner = np.clip(-side * v / self.girth * 2.2 - 0.2, 0, 1)
        colour = mix(self.crust, _CRUMB, inner * 0.6) * (1 + 0.04 * skin)[..., None]
        scene.paint(
            self.area,
            scene.cover(distance),
            colour,
            dome(distance, self.girth * 0.42, self.girth * 0.42) + 0.0012 * pores,
            Finish(0.12, 10.0, 0.5),
        )

    def line(self, colour: Colour, offset: float = 0.0) -> None:
        """Squeeze a line of sauce along the sausage: a zigzag, a wave, or nearly straight."""
        scene = self.scene
        width = self.thick * scene.uniform(0.16, 0.27)
        swing = self.thick * scene.choose((0.15, 0.5, 0.62, 0.7))
        waves = scene.uniform(4, 8.5) * np.pi / self.length
        phase = self.u * waves + scene.uniform(0, 6) + 0.5 * scene.noise(self.u, self.u * 0, 2.5)
        v = self.v - self.tilt * self.girth * 0.3 - offset - swing * np.sin(phase)
        slope = np.sqrt(1 + (swing * waves * np.cos(phase)) ** 2)
        thickness = width * (1 + 0.16 * scene.noise(self.u, self.u * 0, 1.2))
        reach = self.length * scene.uniform(0.8, 0.98)
        ends = np.maximum(np.abs(self.u) - reach, 0)
        distance = np.hypot(v / slope, ends) - thickness
        alpha = scene.cover(distance)
        scene.shadow(self.area, alpha, self.thick * 0.14, 0.4)
        scene.paint(
            self.area, alpha, scene.vary(colour, 0.04), dome(distance, width, width * 0.9), _SAUCE
        )

    def strew(self, colour: Colour, count: int, size: float) -> None:
        """Strew bits (onion, relish, beans) over the sausage."""
        scene = self.scene
        for _ in range(count):
            along = scene.uniform(-0.85, 0.85) * self.length
            across = float(np.clip(scene.rng.normal(0, 0.42), -1.1, 1.1)) * self.thick
            bit(scene, self._place(along, across), size * scene.uniform(0.6, 1.3), colour)

    def strands(self, colour: Colour, count: int) -> None:
        """Lay thin curved strands (sauerkraut, cheese, fried onion) over the sausage."""
        scene = self.scene
        for _ in range(count):
            along = scene.uniform(-0.8, 0.8) * self.length
            across = scene.uniform(-0.8, 0.8) * self.thick
            half = self.length * scene.uniform(0.07, 0.16)
            centre = self._place(along, across)
            area = scene.around(centre, half * 1.2)
            u, v = area.local(centre, scene.uniform(0, np.pi))
            v = v - scene.uniform(-2.5, 2.5) * (u * u / half - half * 0.3)
            width = self.thick * scene.uniform(0.05, 0.1)
            distance = capsule(u, v, half, width)
            alpha = scene.cover(distance)
            scene.shadow(area, alpha, 0.02, 0.35)
            scene.paint(
                area,
                alpha,
                scene.vary(colour, 0.08),
                dome(distance, width, width),
                Finish(0.25, 20.0, 0.55),
            )

    def _place(self, along: float, across: float) -> Point:
        """Return the scene point of a place on the sausage."""
        pose = self.pose
        v = across + self.tilt * self.girth * 0.3
        v += pose.bend * (along * along - pose.length**2 / 3)
        cosine, sine = float(np.cos(pose.angle)), float(np.sin(pose.angle))
        return (
            pose.centre[0] + cosine * along - sine * v,
            pose.centre[1] + (sine * along + cosine * v) * pose.squash,
        )


def dress(dog: HotDog, style: str) -> None:
    """Put what the style says on a hot dog: `mustard`, `ketchup`, `plain` or `toppings`."""
    scene = dog.scene
    if style == "toppings":
        _toppings(dog)
        return
    if style == "mustard":
        dog.line(MUSTARD)
    elif style == "ketchup":
        dog.line(KETCHUP)
    if style != "plain" and scene.chance(0.15):
        dog.line(KETCHUP if style == "mustard" else MUSTARD, dog.thick * 0.3)


def _toppings(dog: HotDog) -> None:
    scene = dog.scene
    if scene.chance(0.45):
        dog.strands(
            scene.choose(((0.93, 0.88, 0.62), (0.95, 0.72, 0.22), (0.66, 0.42, 0.18))),
            int(scene.rng.integers(14, 30)),
        )
    if scene.chance(0.6):
        dog.strew((0.36, 0.52, 0.14), int(scene.rng.integers(12, 36)), dog.thick * 0.17)
    if scene.chance(0.65):
        dog.strew((0.95, 0.93, 0.88), int(scene.rng.integers(12, 36)), dog.thick * 0.16)
    if scene.chance(0.35):
        dog.strew((0.78, 0.13, 0.09), int(scene.rng.integers(8, 20)), dog.thick * 0.22)
    if scene.chance(0.25):
        dog.strew((0.40, 0.17, 0.08), int(scene.rng.integers(25, 45)), dog.thick * 0.22)
    dog.line(MUSTARD if scene.chance(0.65) else KETCHUP)
    if scene.chance(0.4):
        dog.line(KETCHUP, dog.thick * scene.uniform(-0.3, 0.3))
