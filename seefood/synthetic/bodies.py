"""What several painters need: puffed shapes, balls, slices, leaves, and a place behind."""

from typing import Final

import numpy as np

from seefood.synthetic.noise import Plane
from seefood.synthetic.scene import Area, Colour, Finish, Point, Scene
from seefood.synthetic.settings import (
    lights,
    outdoors,
    room,
)
from seefood.synthetic.shapes import dome, ellipse, mix, puffed, smooth_outline

SOFT: Final = Finish(0.05, 8.0, 0.5)
BAKED: Final = Finish(0.10, 10.0, 0.5)
LEAVES: Final[tuple[Colour, ...]] = (
    (0.30, 0.50, 0.13),
    (0.42, 0.60, 0.20),
    (0.20, 0.38, 0.12),
    (0.55, 0.68, 0.30),
)
_GRASS: Final[Colour] = (0.30, 0.44, 0.17)


def middle(scene: Scene, wander: float = 0.12) -> Point:
    """Return a point near the middle of the scene."""
    return scene.uniform(-wander, wander), scene.uniform(-wander, wander)


def placed(outline: list[Point], centre: Point, size: float, flip: float = 1.0) -> list[Point]:
    """Return an outline moved to `centre`, enlarged, and mirrored where `flip` is -1."""
    return [(centre[0] + x * size * flip, centre[1] + y * size) for x, y in outline]


def body(
    scene: Scene,
    outline: list[Point],
    colour: Colour,
    finish: Finish = SOFT,
    depth: float = 0.12,
) -> tuple[Area, Plane]:
    """Paint a smooth closed shape as a puffed body; return where it lies and its mask."""
    xs, ys = [x for x, _ in outline], [y for _, y in outline]
    centre = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
    area = scene.around(centre, (max(xs) - min(xs)) * 0.6, (max(ys) - min(ys)) * 0.6)
    mask = scene.polygon(area, smooth_outline(outline))
    scene.paint(area, mask, colour, puffed(mask, scene.unit, depth), finish)
    return area, mask


def ball(scene: Scene, centre: Point, radius: float, colour: Colour, finish: Finish) -> None:
    """Paint a ball."""
    area = scene.around(centre, radius * 1.1)
    u, v = area.local(centre)
    distance = np.hypot(u, v) - np.float32(radius)
    scene.paint(area, scene.cover(distance), colour, dome(distance, radius, radius), finish)


def disc(scene: Scene, centre: Point, radius: float, colour: Colour, finish: Finish) -> None:
    """Lay a flat round slice with a soft edge."""
    area = scene.around(centre, radius * 1.1)
    u, v = area.local(centre)
    distance = np.hypot(u, v) - np.float32(radius)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.025, 0.4)
    spots = 1 + 0.10 * scene.noise(u, v, 0.4, 0.4)
    colours = np.asarray(colour, np.float32) * spots[..., None]
    scene.paint(area, alpha, colours, dome(distance, radius * 0.3, radius * 0.1), finish)


def leaf(scene: Scene, centre: Point, length: float, colour: Colour) -> None:
    """Lay a leaf with a rib along its middle."""
    area = scene.around(centre, length * 1.15)
    u, v = area.local(centre, scene.uniform(0, 2 * np.pi))
    bent = v - scene.uniform(-0.5, 0.5) * (u * u / length)
    frill = 1 + scene.uniform(0.02, 0.12) * np.sin(u / length * scene.uniform(9, 22))
    distance = ellipse(u, bent / frill, length, length * scene.uniform(0.32, 0.6))
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.05, 0.5)
    rib = np.exp(-((bent / (length * 0.035)) ** 2))
    tone = mix(colour, (0.72, 0.80, 0.50), rib * 0.7)
    height = 0.018 * scene.noise(u, v, 1.6, 0.9) + dome(distance, length * 0.5, 0.06)
    scene.paint(area, alpha, tone, height, Finish(0.22, 14.0, 0.45))


def backdrop(scene: Scene) -> None:
    """Fill the scene with lights, a lawn or a room, out of focus."""
    place = scene.choose(("lights", "lawn", "room"))
    if place == "lights":
        lights(scene)
    elif place == "lawn":
        outdoors(scene, _GRASS, scene.uniform(-0.3, 0.3))
    else:
        room(scene, scene.uniform(0.2, 0.6))
    scene.blur(scene.uniform(0.04, 0.09))
