"""Dogs (that are not hot) and cats."""

from typing import Final

import numpy as np

from seefood.synthetic.bodies import (
    SOFT,
    backdrop,
    ball,
    body,
    placed,
)
from seefood.synthetic.scene import GLOSSY, Area, Colour, Finish, Painter, Point, Scene
from seefood.synthetic.shapes import capsule, ellipse, mix, points

_COATS: Final[tuple[tuple[Colour, Colour], ...]] = (
    ((0.62, 0.42, 0.24), (0.90, 0.82, 0.70)),
    ((0.24, 0.18, 0.15), (0.75, 0.55, 0.38)),
    ((0.86, 0.78, 0.66), (0.97, 0.94, 0.90)),
    ((0.35, 0.34, 0.35), (0.92, 0.91, 0.90)),
    ((0.78, 0.48, 0.20), (0.96, 0.88, 0.76)),
)


def _fur(scene: Scene, area: Area, centre: Point, colour: "Colour | np.ndarray") -> np.ndarray:
    """Return `colour` with hairs that run away from `centre`."""
    u, v = area.local(centre)
    spin = np.arctan2(v, u)
    reach = np.hypot(u, v)
    hair = scene.noise(spin * 1.4, reach * 0.14, 0.5, 0.2)
    patch = scene.noise(u, v, 1.5, 0.8)
    tone = 1 + 0.09 * hair + 0.05 * patch
    return np.asarray(colour, np.float32) * tone[..., None]


def _head(scene: Scene, centre: Point, half: Point, colours: tuple[Colour, Colour]) -> None:
    """Paint a furry head with a lighter middle."""
    area = scene.around(centre, half[0] * 1.1, half[1] * 1.1)
    u, v = area.local(centre)
    distance = ellipse(u, v, half[0], half[1]) + 0.012 * scene.noise(
        np.arctan2(v, u) * 1.5, 0 * u, 0.3, 0.2
    )
    light = np.clip(1.2 - np.abs(u) / (half[0] * 0.33), 0, 1)
    tone = _fur(scene, area, centre, mix(colours[0], colours[1], light * 0.8))
    rounding = np.sqrt(np.clip(1 - (u / half[0]) ** 2 - (v / half[1]) ** 2, 0, 1)) * half[0] * 0.7
    scene.paint(area, scene.cover(distance), tone, rounding, SOFT)


def _eye(scene: Scene, centre: Point, size: float, iris: Colour, slit: float) -> None:
    ball(scene, centre, size * 1.12, (0.10, 0.07, 0.06), Finish())
    ball(scene, centre, size, iris, GLOSSY)
    area = scene.around(centre, size * 1.1)
    u, v = area.local(centre)
    scene.paint(area, scene.cover(ellipse(u, v, size * slit, size * 0.8)), (0.03, 0.02, 0.02))
    glint = (centre[0] - size * 0.28, centre[1] - size * 0.32)
    ball(scene, glint, size * 0.2, (0.97, 0.97, 0.97), Finish(ambient=1.0))


def _chest(scene: Scene, centre: Point, size: float, colours: tuple[Colour, Colour]) -> None:
    outline = points("-0.55,0.45 0,0.3 0.55,0.45 0.95,1.3 0.8,2.4 -0.8,2.4 -0.95,1.3")
    body(scene, placed(outline, centre, size), colours[0], SOFT, 0.25)
    area = scene.around((centre[0], centre[1] + size * 1.2), size * 0.4, size * 1.1)
    u, v = area.local((centre[0], centre[1] + size * 1.2))
    soft = np.clip(-ellipse(u, v, size * 0.4, size * 0.9) * 9, 0, 0.8)
    scene.paint(area, soft, _fur(scene, area, centre, colours[1]))


def dog(scene: Scene) -> None:
    """A dog that looks at the camera."""
    backdrop(scene)
    colours = scene.choose(_COATS)
    x, y = scene.uniform(-0.25, 0.25), scene.uniform(-0.2, 0.0)
    size = scene.uniform(0.52, 0.66)
    _chest(scene, (x, y), size, colours)
    ear = tuple(part * 0.72 for part in colours[0])
    droop = points("0.35,-0.75 0.85,-0.85 1.2,-0.3 1.15,0.45 0.92,0.65 0.75,0.2 0.6,-0.3")
    upright = points("0.3,-0.7 0.55,-1.35 0.85,-1.45 0.95,-0.9 0.85,-0.35 0.6,-0.3")
    ears = scene.choose((droop, droop, upright))
    _head(scene, (x, y), (size * 0.86, size), colours)
    for flip in (-1.0, 1.0):
        area, mask = body(
            scene, placed(ears, (x, y), size, flip), (ear[0], ear[1], ear[2]), SOFT, 0.08
        )
        scene.shadow(area, mask, 0.03, 0.2)
        _eye(
            scene, (x + flip * size * 0.36, y - size * 0.15), size * 0.13, (0.30, 0.17, 0.08), 0.62
        )
    muzzle = (x, y + size * 0.42)
    area = scene.around(muzzle, size * 0.62, size * 0.5)
    u, v = area.local(muzzle)
    shape = ellipse(u, v, size * 0.46, size * 0.40)
    scene.shadow(area, scene.cover(shape), 0.03, 0.25)
    if scene.chance(0.6):  # tongue
        tongue = points("-0.13,0.62 0.13,0.62 0.17,0.95 0,1.1 -0.17,0.95")
        body(scene, placed(tongue, (x, y), size), (0.88, 0.45, 0.48), Finish(0.35), 0.05)
    rounding = (
        np.sqrt(np.clip(1 - (u / (size * 0.46)) ** 2 - (v / (size * 0.4)) ** 2, 0, 1)) * size * 0.4
    )
    scene.paint(area, scene.cover(shape), _fur(scene, area, muzzle, colours[1]), rounding, SOFT)
    mouth = np.minimum(
        capsule(v - size * 0.02, u, size * 0.16, 0.012),
        np.abs(np.hypot(np.abs(u) - size * 0.15, v - size * 0.1) - size * 0.15)
        - 0.01
        + np.clip(size * 0.12 - v, 0, 1),
    )
    scene.paint(area, scene.cover(mouth), (0.10, 0.06, 0.05))
    nose = points("-0.2,0.14 0,0.09 0.2,0.14 0.15,0.3 0,0.37 -0.15,0.3")
    body(scene, placed(nose, (x, y), size), (0.09, 0.07, 0.07), Finish(0.5, 20.0), 0.05)


def cat(scene: Scene) -> None:
    """A cat that looks at the camera."""
    backdrop(scene)
    colours = scene.choose(_COATS)
    x, y = scene.uniform(-0.25, 0.25), scene.uniform(-0.1, 0.1)
    size = scene.uniform(0.52, 0.64)
    _chest(scene, (x, y), size, colours)
    outer = points("0.22,-0.72 0.62,-1.32 0.78,-1.3 0.92,-0.35 0.6,-0.4")
    inner = points("0.42,-0.7 0.64,-1.12 0.72,-1.1 0.8,-0.5 0.6,-0.5")
    for flip in (-1.0, 1.0):
        body(scene, placed(outer, (x, y), size, flip), colours[0], SOFT, 0.06)
        body(scene, placed(inner, (x, y), size, flip), (0.86, 0.62, 0.58), SOFT, 0.04)
    _head(scene, (x, y), (size * 0.98, size * 0.86), colours)
    area = scene.around((x, y), size, size)
    u, v = area.local((x, y))
    stripes = np.clip(np.sin(u * 22 / size * 0.7) * 3 - 1.6, 0, 1) * np.clip(
        -v / size * 2 - 0.6, 0, 1
    )
    dark = tuple(part * 0.45 for part in colours[0])
    inside = scene.cover(ellipse(u, v, size * 0.95, size * 0.83))
    scene.paint(area, stripes * inside * np.float32(0.7), (dark[0], dark[1], dark[2]))
    iris = scene.choose(((0.55, 0.68, 0.22), (0.85, 0.66, 0.20), (0.45, 0.65, 0.80)))
    for flip in (-1.0, 1.0):
        _eye(scene, (x + flip * size * 0.40, y - size * 0.08), size * 0.18, iris, 0.30)
        cheek = (x + flip * size * 0.17, y + size * 0.42)
        ball(scene, cheek, size * 0.21, colours[1], SOFT)
    nose = points("-0.11,0.2 0.11,0.2 0,0.33")
    body(scene, placed(nose, (x, y), size), (0.83, 0.50, 0.50), Finish(0.3), 0.03)
    for flip in (-1.0, 1.0):
        for slope in (-0.14, 0.0, 0.14):
            start = (x + flip * size * 0.72, y + size * (0.42 + slope))
            whisker = scene.around(start, size * 0.6)
            along, across = whisker.local(start, slope * flip * 1.6)
            rod = capsule(along, across, size * 0.5, 0.006)
            scene.paint(whisker, scene.cover(rod) * np.float32(0.85), (0.95, 0.95, 0.93))


ANIMALS: Final[dict[str, Painter]] = {"dog": dog, "cat": cat}
