"""Things that nobody eats: animals, people, shoes, cars, trees, houses, flowers."""

from typing import Final

import numpy as np

from seefood.drawn.noise import Plane
from seefood.drawn.scene import GLOSSY, Area, Colour, Finish, Painter, Point, Scene
from seefood.drawn.settings import PLAIN, SKINS, bit, counter, hedge, lights, outdoors, room, wood
from seefood.drawn.shapes import box, capsule, dome, ellipse, mix, puffed, smooth_outline

_FUR: Final = Finish(0.05, 8.0, 0.5)
_COATS: Final[tuple[tuple[Colour, Colour], ...]] = (
    ((0.62, 0.42, 0.24), (0.90, 0.82, 0.70)),
    ((0.24, 0.18, 0.15), (0.75, 0.55, 0.38)),
    ((0.86, 0.78, 0.66), (0.97, 0.94, 0.90)),
    ((0.35, 0.34, 0.35), (0.92, 0.91, 0.90)),
    ((0.78, 0.48, 0.20), (0.96, 0.88, 0.76)),
)
_GRASS: Final[Colour] = (0.30, 0.44, 0.17)
_ASPHALT: Final[Colour] = (0.38, 0.38, 0.39)


def _shape(
    scene: Scene,
    points: list[Point],
    colour: Colour,
    finish: Finish = _FUR,
    depth: float = 0.12,
) -> tuple[Area, Plane]:
    """Paint a smooth closed shape as a puffed body; return where it lies and its mask."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    centre = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
    area = scene.around(centre, (max(xs) - min(xs)) * 0.6, (max(ys) - min(ys)) * 0.6)
    mask = scene.polygon(area, smooth_outline(points))
    scene.paint(area, mask, colour, puffed(mask, scene.unit, depth), finish)
    return area, mask


def _placed(points: list[Point], centre: Point, size: float, flip: float = 1.0) -> list[Point]:
    return [(centre[0] + x * size * flip, centre[1] + y * size) for x, y in points]


def _fur(scene: Scene, area: Area, centre: Point, colour: "Colour | np.ndarray") -> np.ndarray:
    """Return `colour` with hairs that run away from `centre`."""
    u, v = area.local(centre)
    spin = np.arctan2(v, u)
    reach = np.hypot(u, v)
    hair = scene.noise(spin * 1.4, reach * 0.14, 0.5, 0.2)
    patch = scene.noise(u, v, 1.5, 0.8)
    tone = 1 + 0.09 * hair + 0.05 * patch
    return np.asarray(colour, np.float32) * tone[..., None]


def _backdrop(scene: Scene) -> None:
    scene.choose((lights, lambda it: outdoors(it, _GRASS, it.uniform(-0.3, 0.3)),
                  lambda it: room(it, it.uniform(0.2, 0.6))))(scene)
    scene.blur(scene.uniform(0.04, 0.09))


def _ball(scene: Scene, centre: Point, radius: float, colour: Colour, finish: Finish) -> None:
    area = scene.around(centre, radius * 1.1)
    u, v = area.local(centre)
    distance = np.hypot(u, v) - np.float32(radius)
    scene.paint(area, scene.cover(distance), colour, dome(distance, radius, radius), finish)


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
    scene.paint(area, scene.cover(distance), tone, rounding, _FUR)


def _eye(scene: Scene, centre: Point, size: float, iris: Colour, slit: float) -> None:
    _ball(scene, centre, size * 1.12, (0.10, 0.07, 0.06), Finish())
    _ball(scene, centre, size, iris, GLOSSY)
    area = scene.around(centre, size * 1.1)
    u, v = area.local(centre)
    scene.paint(area, scene.cover(ellipse(u, v, size * slit, size * 0.8)), (0.03, 0.02, 0.02))
    glint = (centre[0] - size * 0.28, centre[1] - size * 0.32)
    _ball(scene, glint, size * 0.2, (0.97, 0.97, 0.97), Finish(ambient=1.0))


def _chest(scene: Scene, centre: Point, size: float, colours: tuple[Colour, Colour]) -> None:
    points = [(-0.55, 0.45), (0.0, 0.3), (0.55, 0.45), (0.95, 1.3), (0.8, 2.4), (-0.8, 2.4), (-0.95, 1.3)]
    _shape(scene, _placed(points, centre, size), colours[0], _FUR, 0.25)
    area = scene.around((centre[0], centre[1] + size * 1.2), size * 0.4, size * 1.1)
    u, v = area.local((centre[0], centre[1] + size * 1.2))
    soft = np.clip(-ellipse(u, v, size * 0.4, size * 0.9) * 9, 0, 0.8)
    scene.paint(area, soft, _fur(scene, area, centre, colours[1]))


def dog(scene: Scene) -> None:
    """A dog that looks at the camera."""
    _backdrop(scene)
    colours = scene.choose(_COATS)
    x, y = scene.uniform(-0.25, 0.25), scene.uniform(-0.2, 0.0)
    size = scene.uniform(0.52, 0.66)
    _chest(scene, (x, y), size, colours)
    ear = tuple(part * 0.72 for part in colours[0])
    droop = [(0.35, -0.75), (0.85, -0.85), (1.2, -0.3), (1.15, 0.45), (0.92, 0.65), (0.75, 0.2), (0.6, -0.3)]
    upright = [(0.3, -0.7), (0.55, -1.35), (0.85, -1.45), (0.95, -0.9), (0.85, -0.35), (0.6, -0.3)]
    ears = scene.choose((droop, droop, upright))
    _head(scene, (x, y), (size * 0.86, size), colours)
    for flip in (-1.0, 1.0):
        area, mask = _shape(scene, _placed(ears, (x, y), size, flip), (ear[0], ear[1], ear[2]), _FUR, 0.08)
        scene.shadow(area, mask, 0.03, 0.2)
        _eye(scene, (x + flip * size * 0.36, y - size * 0.15), size * 0.13, (0.30, 0.17, 0.08), 0.62)
    muzzle = (x, y + size * 0.42)
    area = scene.around(muzzle, size * 0.62, size * 0.5)
    u, v = area.local(muzzle)
    shape = ellipse(u, v, size * 0.46, size * 0.40)
    scene.shadow(area, scene.cover(shape), 0.03, 0.25)
    if scene.chance(0.6):  # tongue
        tongue = [(-0.13, 0.62), (0.13, 0.62), (0.17, 0.95), (0.0, 1.1), (-0.17, 0.95)]
        _shape(scene, _placed(tongue, (x, y), size), (0.88, 0.45, 0.48), Finish(0.35), 0.05)
    rounding = np.sqrt(np.clip(1 - (u / (size * 0.46)) ** 2 - (v / (size * 0.4)) ** 2, 0, 1)) * size * 0.4
    scene.paint(area, scene.cover(shape), _fur(scene, area, muzzle, colours[1]), rounding, _FUR)
    mouth = np.minimum(
        capsule(v - size * 0.02, u, size * 0.16, 0.012),
        np.abs(np.hypot(np.abs(u) - size * 0.15, v - size * 0.1) - size * 0.15) - 0.01 + np.clip(size * 0.12 - v, 0, 1),
    )
    scene.paint(area, scene.cover(mouth), (0.10, 0.06, 0.05))
    nose = [(-0.2, 0.14), (0.0, 0.09), (0.2, 0.14), (0.15, 0.30), (0.0, 0.37), (-0.15, 0.30)]
    _shape(scene, _placed(nose, (x, y), size), (0.09, 0.07, 0.07), Finish(0.5, 20.0), 0.05)


def cat(scene: Scene) -> None:
    """A cat that looks at the camera."""
    _backdrop(scene)
    colours = scene.choose(_COATS)
    x, y = scene.uniform(-0.25, 0.25), scene.uniform(-0.1, 0.1)
    size = scene.uniform(0.52, 0.64)
    _chest(scene, (x, y), size, colours)
    outer = [(0.22, -0.72), (0.62, -1.32), (0.78, -1.30), (0.92, -0.35), (0.6, -0.4)]
    inner = [(0.42, -0.70), (0.64, -1.12), (0.72, -1.10), (0.80, -0.5), (0.6, -0.5)]
    for flip in (-1.0, 1.0):
        _shape(scene, _placed(outer, (x, y), size, flip), colours[0], _FUR, 0.06)
        _shape(scene, _placed(inner, (x, y), size, flip), (0.86, 0.62, 0.58), _FUR, 0.04)
    _head(scene, (x, y), (size * 0.98, size * 0.86), colours)
    area = scene.around((x, y), size, size)
    u, v = area.local((x, y))
    stripes = np.clip(np.sin(u * 22 / size * 0.7) * 3 - 1.6, 0, 1) * np.clip(-v / size * 2 - 0.6, 0, 1)
    dark = tuple(part * 0.45 for part in colours[0])
    inside = scene.cover(ellipse(u, v, size * 0.95, size * 0.83))
    scene.paint(area, stripes * inside * np.float32(0.7), (dark[0], dark[1], dark[2]))
    iris = scene.choose(((0.55, 0.68, 0.22), (0.85, 0.66, 0.20), (0.45, 0.65, 0.80)))
    for flip in (-1.0, 1.0):
        _eye(scene, (x + flip * size * 0.40, y - size * 0.08), size * 0.18, iris, 0.30)
        cheek = (x + flip * size * 0.17, y + size * 0.42)
        _ball(scene, cheek, size * 0.21, colours[1], _FUR)
    nose = [(-0.11, 0.20), (0.11, 0.20), (0.0, 0.33)]
    _shape(scene, _placed(nose, (x, y), size), (0.83, 0.50, 0.50), Finish(0.3), 0.03)
    for flip in (-1.0, 1.0):
        for slope in (-0.14, 0.0, 0.14):
            start = (x + flip * size * 0.72, y + size * (0.42 + slope))
            whisker = scene.around(start, size * 0.6)
            along, across = whisker.local(start, slope * flip * 1.6)
            rod = capsule(along, across, size * 0.5, 0.006)
            scene.paint(whisker, scene.cover(rod) * np.float32(0.85), (0.95, 0.95, 0.93))


def shoe(scene: Scene) -> None:
    """A sneaker from the side."""
    scene.choose((wood, counter, lambda it: room(it, -0.1)))(scene)
    scene.blur(0.015)
    size, flip = scene.uniform(0.8, 1.0), scene.choose((-1.0, 1.0))
    centre = (scene.uniform(-0.1, 0.1), scene.uniform(0.0, 0.2))
    palette: tuple[Colour, ...] = (
        (0.78, 0.12, 0.12), (0.14, 0.22, 0.45), (0.92, 0.91, 0.89), (0.13, 0.13, 0.14),
        (0.18, 0.48, 0.36), (0.90, 0.62, 0.15),
    )
    colour = scene.vary(scene.choose(palette))
    sole = [(-1.02, 0.22), (-0.5, 0.27), (0.4, 0.27), (1.0, 0.2), (1.08, 0.34), (0.95, 0.45), (0.0, 0.46),
            (-0.9, 0.46), (-1.06, 0.38)]
    upper = [(-0.98, 0.28), (-1.0, -0.1), (-0.95, -0.48), (-0.72, -0.52), (-0.45, -0.38), (-0.2, -0.42),
             (0.1, -0.24), (0.45, -0.04), (0.85, 0.02), (1.03, 0.18), (0.98, 0.29), (0.0, 0.32)]
    placed = _placed(sole, centre, size, flip)
    area = scene.around(centre, size * 1.3)
    scene.shadow(area, scene.polygon(area, smooth_outline(placed)), 0.14, 0.65)
    area, mask = _shape(scene, _placed(upper, centre, size, flip), colour, Finish(0.12, 14.0), 0.2)
    u, v = area.local(centre)
    u, v = u * np.float32(flip) / size, v / size
    weave = scene.noise(u, v, 0.25, 0.2)
    scene.pixels[area.rows, area.columns] *= (1 + 0.04 * weave * mask)[..., None]
    trim = scene.choose(((0.95, 0.95, 0.94), (0.12, 0.12, 0.13), (0.95, 0.80, 0.2)))
    swoosh = np.abs(v - 0.18 + 0.55 * (u + 0.1) ** 2 - 0.35 * u) - 0.045 * np.clip(1 - np.abs(u + 0.1) / 0.6, 0, 1)
    scene.paint(area, scene.cover(swoosh * size) * mask, trim, dome(swoosh, 0.04, 0.015))
    toe = np.hypot((u - 0.98) / 0.36, (v - 0.22) / 0.24) - 1
    scene.paint(area, scene.cover(toe * 0.25 * size) * mask, (0.92, 0.91, 0.88), puffed(mask, scene.unit, 0.15))
    hole = ellipse(u + 0.70, v + 0.49, 0.22, 0.05)
    scene.paint(area, scene.cover(hole * size), (0.08, 0.08, 0.08))
    for number in range(5):
        start = (centre[0] + flip * size * (-0.22 + 0.13 * number), centre[1] + size * (-0.33 + 0.075 * number))
        lace = scene.around(start, size * 0.2)
        along, across = lace.local(start, flip * (2.0 + 0.1 * number))
        rod = capsule(along, across, size * 0.12, size * 0.024)
        scene.shadow(lace, scene.cover(rod), 0.015, 0.4)
        scene.paint(lace, scene.cover(rod), trim, dome(rod, 0.024, 0.02), Finish())
    area, mask = _shape(scene, placed, (0.93, 0.92, 0.90), Finish(0.1, 14.0), 0.08)
    u, v = area.local(centre)
    groove = np.abs(v / size - 0.385) - 0.008
    scene.paint(area, scene.cover(groove * size) * mask, colour)


def car(scene: Scene) -> None:
    """A car from the side, on a road."""
    outdoors(scene, _ASPHALT, 0.12)
    hedge(scene, 0.12)
    scene.blur(scene.uniform(0.01, 0.03))
    size, flip = scene.uniform(0.92, 1.12), scene.choose((-1.0, 1.0))
    centre = (scene.uniform(-0.12, 0.12), scene.uniform(0.12, 0.24))
    paints: tuple[Colour, ...] = (
        (0.75, 0.08, 0.08), (0.10, 0.24, 0.52), (0.86, 0.86, 0.87), (0.12, 0.12, 0.13), (0.93, 0.72, 0.10),
        (0.36, 0.42, 0.40), (0.20, 0.42, 0.34),
    )
    colour = scene.vary(scene.choose(paints))
    saloon = [(-1.16, 0.28), (-1.2, 0.02), (-1.12, -0.12), (-0.78, -0.18), (-0.48, -0.5), (-0.1, -0.56),
              (0.3, -0.52), (0.62, -0.2), (1.05, -0.1), (1.18, 0.06), (1.18, 0.28), (0.9, 0.34), (-0.9, 0.34)]
    hatch = [(-1.1, 0.28), (-1.13, -0.05), (-1.05, -0.42), (-0.8, -0.58), (-0.2, -0.62), (0.28, -0.54),
             (0.6, -0.2), (1.02, -0.1), (1.14, 0.06), (1.14, 0.28), (0.9, 0.34), (-0.9, 0.34)]
    body = scene.choose((saloon, hatch))
    ground = scene.around((centre[0], centre[1] + size * 0.48), size * 1.35, size * 0.25)
    u, v = ground.local((centre[0], centre[1] + size * 0.5))
    pool = np.clip(1 - (u / (size * 1.25)) ** 2 - (v / (size * 0.12)) ** 2, 0, 1)
    scene.pixels[ground.rows, ground.columns] *= (1 - 0.75 * np.sqrt(pool))[..., None]
    area, mask = _shape(scene, _placed(body, centre, size, flip), colour, Finish(0.35, 30.0, 0.5), 0.16)
    u, v = area.local(centre)
    u, v = u * np.float32(flip) / size, v / size
    sill = np.clip((v - 0.18) * 6, 0, 0.5) * mask
    scene.paint(area, sill, (0.05, 0.05, 0.05))
    top = -0.49 if body is saloon else -0.53
    rear = -0.66 if body is saloon else -0.95
    glass = np.maximum.reduce([
        np.broadcast_to(top - v, mask.shape),
        np.broadcast_to(v + 0.19, mask.shape),
        (u - 0.52 - (v + 0.19) * 0.9),
        (rear - u - (v + 0.19) * (0.9 if body is saloon else 0.3)),
    ])
    window = scene.cover(glass * size)
    sheen = np.clip(0.35 + 0.5 * np.sin((u + v * 0.6) * 7), 0, 1)
    scene.paint(area, window, mix((0.10, 0.13, 0.16), (0.52, 0.62, 0.70), sheen * 0.7))
    for pillar in (-0.08, -0.58):
        scene.paint(area, scene.cover((np.abs(u - pillar) - 0.022) * size) * window, colour)
    for seam in (-0.08, 0.47, -0.58):
        line = scene.cover((np.abs(u - seam + 0.02 * v) - 0.005) * size) * mask * (v > -0.19) * (v < 0.26)
        scene.paint(area, line * np.float32(0.7), (0.05, 0.05, 0.05))
    for handle in (-0.16, -0.66):
        scene.paint(area, scene.cover(box(u - handle + 0.0, v + 0.11, 0.05, 0.014, 0.01) * size), (0.75, 0.75, 0.76))
    lamp = ellipse(u - 1.08, v - 0.03, 0.085, 0.05)
    scene.paint(area, scene.cover(lamp * size) * mask, (0.97, 0.95, 0.85), dome(lamp, 0.05, 0.03), GLOSSY)
    tail = ellipse(u + 1.1, v + 0.02, 0.05, 0.07)
    scene.paint(area, scene.cover(tail * size) * mask, (0.75, 0.06, 0.05), dome(tail, 0.05, 0.03), GLOSSY)
    for axle in (-0.68, 0.70):
        _wheel(scene, (centre[0] + flip * axle * size, centre[1] + 0.32 * size), 0.225 * size)


def _wheel(scene: Scene, centre: Point, radius: float) -> None:
    _ball(scene, (centre[0], centre[1] - radius * 0.05), radius * 1.13, (0.03, 0.03, 0.03), Finish())
    area = scene.around(centre, radius * 1.1)
    u, v = area.local(centre)
    reach = np.hypot(u, v) / radius
    tyre = np.abs(reach - 0.82) * radius - radius * 0.18
    scene.paint(area, scene.cover(reach * radius - radius), (0.09, 0.09, 0.10), dome(tyre, 0.04, 0.03), Finish(0.1))
    spin = np.arctan2(v, u)
    spokes = np.clip(np.cos(spin * 5) * 4 + 1.2, 0, 1) * (reach > 0.2) + (reach <= 0.2)  # noqa: PLR2004
    rim = scene.cover((reach - 0.64) * radius)
    scene.paint(area, rim, mix((0.12, 0.12, 0.13), (0.74, 0.75, 0.77), spokes.astype(np.float32)))
    ring = scene.cover((np.abs(reach - 0.61) - 0.04) * radius)
    scene.paint(area, ring, (0.80, 0.81, 0.82))


def tree(scene: Scene) -> None:
    """A tree on a meadow."""
    horizon = scene.uniform(0.35, 0.6)
    outdoors(scene, scene.vary(_GRASS, 0.08), horizon)
    if scene.chance(0.6):
        hedge(scene, horizon)
    scene.blur(0.012)
    x, foot = scene.uniform(-0.25, 0.25), horizon + 0.22
    bark = scene.vary((0.36, 0.26, 0.18), 0.06)
    trunk = [(-0.17, 0.0), (-0.09, -0.15), (-0.07, -0.7), (0.07, -0.7), (0.09, -0.15), (0.19, 0.0)]
    area = scene.around((x, foot), 0.9, 0.12)
    u, v = area.local((x + 0.1, foot))
    scene.pixels[area.rows, area.columns] *= (
        1 - 0.55 * np.sqrt(np.clip(1 - (u / 0.75) ** 2 - (v / 0.1) ** 2, 0, 1))
    )[..., None]
    _shape(scene, _placed(trunk, (x, foot), 1.0), bark, _FUR, 0.1)
    if scene.chance(0.3):
        _fir(scene, x, foot)
        return
    leaves = scene.choose(((0.22, 0.42, 0.12), (0.34, 0.50, 0.16), (0.80, 0.48, 0.12), (0.72, 0.26, 0.10)))
    crown = (x, foot - 0.98)
    for number in range(34):
        reach, spin = float(np.sqrt(scene.uniform(0, 1))), scene.uniform(0, 2 * np.pi)
        height = np.sin(spin) * reach
        spot = (crown[0] + np.cos(spin) * reach * 0.58, crown[1] + height * 0.46)
        deep = 0.55 if number < 14 else 1.0 - 0.25 * height  # noqa: PLR2004 (those behind are darker)
        tint = scene.vary(leaves, 0.05)
        _clump(scene, spot, scene.uniform(0.16, 0.26), (tint[0] * deep, tint[1] * deep, tint[2] * deep))


def _clump(scene: Scene, centre: Point, radius: float, colour: Colour) -> None:
    area = scene.around(centre, radius * 1.4)
    u, v = area.local(centre)
    leaf = scene.noise(u, v, 0.3, 0.2)
    rough = scene.noise(u, v, 0.7, 0.4)
    distance = np.hypot(u, v) - radius + 0.035 * rough + 0.012 * leaf
    tone = np.asarray(colour, np.float32) * (1 + 0.16 * leaf)[..., None]
    scene.paint(area, scene.cover(distance), tone, dome(distance, radius, radius * 0.5) + 0.007 * leaf, _FUR)


def _fir(scene: Scene, x: float, foot: float) -> None:
    colour = scene.vary((0.13, 0.28, 0.16), 0.06)
    for number in range(6):
        level, wide = foot - 0.18 - 0.24 * number, 0.62 - 0.09 * number
        area = scene.around((x, level - 0.1), wide * 1.1, 0.4)
        u, v = area.local((x, level))
        needle = scene.noise(u, v, 0.3, 0.2)
        slope = np.abs(u) / wide
        distance = np.maximum(v + 0.36 * (1 - slope) * 0 - 0.05 * np.cos(u * 26), -v - 0.42 * (1 - slope))
        distance = distance + 0.014 * needle
        tone = np.asarray(colour, np.float32) * (1 + 0.2 * needle - 0.5 * v - 0.2 * u)[..., None]
        alpha = scene.cover(distance * np.float32(0.7)) * (np.abs(u) < wide)
        scene.shadow(area, alpha, 0.05, 0.35)
        scene.paint(area, alpha, tone, 0.006 * needle, _FUR)


def person(scene: Scene) -> None:
    """A head and shoulders portrait."""
    _backdrop(scene)
    skin = scene.vary(scene.choose(SKINS), 0.05)
    hairs: tuple[Colour, ...] = (
        (0.12, 0.08, 0.06), (0.30, 0.18, 0.10), (0.62, 0.46, 0.24), (0.50, 0.22, 0.10), (0.62, 0.60, 0.58),
    )
    hair = scene.vary(scene.choose(hairs), 0.04)
    x, y, size = scene.uniform(-0.2, 0.2), scene.uniform(-0.25, -0.1), scene.uniform(0.46, 0.56)
    long = scene.chance(0.5)
    if long:
        back = [(-0.85, -0.6), (0.0, -1.35), (0.85, -0.6), (1.0, 0.6), (0.85, 1.5), (-0.85, 1.5), (-1.0, 0.6)]
        _shape(scene, _placed(back, (x, y), size), hair, Finish(0.12, 10.0), 0.1)
    shirt = scene.vary(scene.choose(((0.70, 0.16, 0.16), (0.18, 0.28, 0.50), (0.90, 0.90, 0.88), (0.15, 0.15, 0.17),
                                     (0.22, 0.45, 0.35))))
    torso = [(-0.45, 1.25), (0.0, 1.35), (0.45, 1.25), (1.35, 1.6), (1.75, 2.3), (1.8, 3.4), (-1.8, 3.4),
             (-1.75, 2.3), (-1.35, 1.6)]
    _shape(scene, _placed(torso, (x, y), size), shirt, Finish(), 0.2)
    neck = [(-0.36, 0.6), (0.36, 0.6), (0.36, 1.2), (0.5, 1.42), (0.0, 1.62), (-0.5, 1.42), (-0.36, 1.2)]
    shade = (skin[0] * 0.85, skin[1] * 0.8, skin[2] * 0.78)
    _shape(scene, _placed(neck, (x, y), size), shade, Finish(), 0.1)
    for flip in (-1.0, 1.0):
        _ball(scene, (x + flip * size * 0.80, y + size * 0.1), size * 0.16, shade, Finish())
    face = [(-0.78, -0.3), (-0.55, -0.9), (0.0, -1.08), (0.55, -0.9), (0.78, -0.3), (0.72, 0.35), (0.42, 0.88),
            (0.0, 1.05), (-0.42, 0.88), (-0.72, 0.35)]
    area, mask = _shape(scene, _placed(face, (x, y), size), skin, Finish(0.06, 10.0, 0.55), 0.3)
    u, v = area.local((x, y))
    u, v = u / size, v / size
    blush = np.exp(-(((np.abs(u) - 0.45) / 0.2) ** 2 + ((v - 0.32) / 0.16) ** 2)) * mask
    scene.paint(area, blush * np.float32(0.28), (0.85, 0.35, 0.30))
    for flip in (-1.0, 1.0):
        spot = (x + flip * size * 0.32, y - size * 0.06)
        white = ellipse(u - flip * 0.32, v + 0.06, 0.155, 0.085)
        scene.paint(area, scene.cover(white * size), (0.95, 0.94, 0.92))
        _ball(scene, spot, size * 0.078, scene.choose(((0.28, 0.18, 0.10), (0.30, 0.45, 0.60))), Finish())
        _ball(scene, spot, size * 0.036, (0.02, 0.02, 0.02), Finish())
        _ball(scene, (spot[0] - size * 0.02, spot[1] - size * 0.025), size * 0.018, (1, 1, 1), Finish(ambient=1.0))
        brow = capsule(u - flip * 0.33, v + 0.26 + 0.25 * (u - flip * 0.3) ** 2, 0.19, 0.032)
        scene.paint(area, scene.cover(brow * size), hair)
        scene.paint(area, scene.cover((np.abs(white) - 0.012) * size) * (v < -0.06), (0.15, 0.09, 0.07))
    nose = np.exp(-(((u - 0.04) / 0.055) ** 2 + ((v - 0.18) / 0.2) ** 2))
    scene.paint(area, nose * np.float32(0.3), shade)
    tip = np.exp(-(((np.abs(u) - 0.085) / 0.035) ** 2 + ((v - 0.33) / 0.022) ** 2))
    scene.paint(area, tip * np.float32(0.6), (shade[0] * 0.6, shade[1] * 0.5, shade[2] * 0.5))
    smile = v - 0.60 + 0.35 * u * u
    lips = np.maximum(np.abs(smile) - 0.055 * np.clip(1 - (u / 0.3) ** 2, 0, 1), np.abs(u) - 0.3)
    scene.paint(area, scene.cover(lips * size), (0.74, 0.33, 0.32))
    scene.paint(area, scene.cover((np.abs(smile) - 0.01) * size) * (np.abs(u) < 0.27), (0.35, 0.12, 0.12))  # noqa: PLR2004
    fringe = [(-0.86, 0.1 if long else -0.25), (-0.88, -0.7), (-0.5, -1.2), (0.1, -1.3), (0.65, -1.1), (0.9, -0.6),
              (0.86, 0.1 if long else -0.25), (0.7, -0.5), (0.3, -0.72), (-0.3, -0.58), (-0.68, -0.42)]
    area, mask = _shape(scene, _placed(fringe, (x, y), size), hair, Finish(0.2, 8.0), 0.12)
    u, v = area.local((x, y))
    strands = scene.noise(u, v * 0.1, 0.35, 0.3)
    scene.pixels[area.rows, area.columns] *= (1 + 0.14 * strands * mask)[..., None]


def house(scene: Scene) -> None:
    """A house with a roof, a door and windows."""
    horizon = scene.uniform(0.3, 0.45)
    outdoors(scene, scene.vary(_GRASS, 0.06), horizon)
    hedge(scene, horizon)
    scene.blur(0.012)
    x, wide, tall = scene.uniform(-0.2, 0.2), scene.uniform(0.68, 0.9), scene.uniform(0.55, 0.72)
    foot = horizon + 0.25
    wall = scene.vary(scene.choose(((0.90, 0.86, 0.76), (0.75, 0.38, 0.28), (0.62, 0.72, 0.78), (0.93, 0.93, 0.91))))
    area = scene.around((x, foot - tall / 2), wide * 1.05, tall * 0.6)
    u, v = area.local((x, foot - tall / 2))
    front = scene.cover(box(u, v, wide, tall / 2))
    scene.shadow(area, front, 0.12, 0.45)
    bricks = np.minimum(np.abs((v / 0.05) % 1 - 0.5), np.abs((u / 0.13 + np.floor(v / 0.05) * 0.5) % 1 - 0.5) * 2.2)
    plaster = 1 + 0.035 * scene.noise(u, v, 0.5, 0.3) - 0.13 * (bricks < 0.07) * scene.choose((0, 1))  # noqa: PLR2004
    scene.paint(area, front, np.asarray(wall, np.float32) * plaster[..., None].astype(np.float32))
    eaves = foot - tall
    roof = scene.vary(scene.choose(((0.48, 0.20, 0.15), (0.30, 0.30, 0.33), (0.42, 0.32, 0.25))))
    top = [(x - wide * 1.14, eaves + 0.04), (x - wide * 0.35, eaves - 0.52), (x + wide * 0.35, eaves - 0.52),
           (x + wide * 1.14, eaves + 0.04)]
    if scene.chance(0.5):
        top = [(x - wide * 1.14, eaves + 0.04), (x, eaves - 0.62), (x + wide * 1.14, eaves + 0.04)]
    chimney = scene.around((x + wide * 0.45, eaves - 0.42), 0.1, 0.25)
    across, down = chimney.local((x + wide * 0.45, eaves - 0.42))
    scene.paint(chimney, scene.cover(box(across, down, 0.075, 0.22)), (0.50, 0.28, 0.22))
    area = scene.around((x, eaves - 0.28), wide * 1.2, 0.42)
    u, v = area.local((x, eaves))
    mask = scene.polygon(area, top)
    scene.shadow(area, mask, 0.06, 0.5)
    tiles = np.clip(np.sin(v * 75) * 0.5 + 0.5, 0, 1) * 0.22 + 0.06 * np.sin(u * 60 + np.floor(v * 12) * 1.6)
    scene.paint(area, mask, np.asarray(roof, np.float32) * (1.05 - tiles)[..., None])
    for column in (-0.6, 0.6):
        _window(scene, (x + column * wide, foot - tall * 0.56), (0.15, 0.18))
    if scene.chance(0.5):
        _window(scene, (x, eaves - 0.22), (0.1, 0.1))
    door = scene.around((x, foot - 0.21), 0.2, 0.26)
    u, v = door.local((x, foot - 0.21))
    scene.paint(door, scene.cover(box(u, v, 0.15, 0.22)), (0.93, 0.92, 0.9))
    colour = scene.vary(scene.choose(((0.55, 0.15, 0.12), (0.18, 0.32, 0.42), (0.35, 0.22, 0.14))))
    panels = np.abs(box(np.abs(u) - 0.06, np.abs(v) - 0.09, 0.04, 0.06)) - 0.006
    scene.paint(door, scene.cover(box(u, v - 0.01, 0.125, 0.2)), colour, dome(panels, 0.01, 0.01))
    bit(scene, (x + 0.09, foot - 0.2), 0.014, (0.85, 0.72, 0.3))


def _window(scene: Scene, centre: Point, half: Point) -> None:
    area = scene.around(centre, half[0] * 1.5, half[1] * 1.5)
    u, v = area.local(centre)
    frame = scene.cover(box(u, v, half[0] + 0.03, half[1] + 0.03))
    scene.shadow(area, frame, 0.02, 0.4)
    scene.paint(area, frame, (0.95, 0.94, 0.92))
    sky = np.clip(0.5 - v * 2 + 0.3 * np.sin((u + v) * 14), 0, 1)
    panes = scene.cover(np.maximum(box(u, v, half[0], half[1]), 0.012 - np.minimum(np.abs(u), np.abs(v))))
    scene.paint(area, panes, mix((0.16, 0.22, 0.28), (0.62, 0.74, 0.84), sky))


def flower(scene: Scene) -> None:
    """A flower before green out of focus."""
    area = scene.everywhere()
    shape = (scene.height, scene.width)
    x, y = np.broadcast_to(area.x, shape), np.broadcast_to(area.y, shape)
    green = np.asarray(scene.vary((0.26, 0.42, 0.16), 0.1), np.float32)
    scene.pixels[:] = green * (1 + 0.35 * scene.noise(x, y, 2.0, 0.8))[..., None]
    scene.blur(0.07)
    centre, size = (scene.uniform(-0.15, 0.15), scene.uniform(-0.25, 0.0)), scene.uniform(0.6, 0.8)
    stem = scene.around((centre[0], centre[1] + 0.8), 0.25, 0.9)
    u, v = stem.local((centre[0], centre[1] + 0.8), np.pi / 2)
    rod = capsule(u, v - 0.08 * np.sin(u * 2), 0.95, 0.035)
    scene.paint(stem, scene.cover(rod), (0.30, 0.48, 0.16), dome(rod, 0.035, 0.035), Finish())
    tints: tuple[Colour, ...] = (
        (0.95, 0.95, 0.93), (0.93, 0.75, 0.12), (0.85, 0.25, 0.45), (0.62, 0.40, 0.78), (0.92, 0.45, 0.15),
    )
    tint = scene.vary(scene.choose(tints))
    count = int(scene.choose((8, 12, 16, 21)))
    turn = scene.uniform(0, 1)
    for layer in (1.0, 0.86):
        for number in range(count):
            spin = turn + (number + (layer < 1) * 0.5) * 2 * np.pi / count
            middle = (centre[0] + np.cos(spin) * size * 0.55 * layer, centre[1] + np.sin(spin) * size * 0.55 * layer)
            petal = scene.around(middle, size * 0.48)
            u, v = petal.local(middle, spin)
            width = size * min(0.26, 2.6 / count)
            distance = ellipse(u, v, size * 0.43 * layer, width)
            alpha = scene.cover(distance)
            scene.shadow(petal, alpha, 0.03, 0.3)
            veins = 0.03 * np.sin(v / width * 11) - 0.16 * np.clip(-u / size * 2, 0, 1)
            scene.paint(petal, alpha, np.asarray(tint, np.float32) * (1 + veins)[..., None],
                        dome(distance, width, width * 0.35) - 0.12 * (u / size) ** 2, Finish(ambient=0.6))
    area = scene.around(centre, size * 0.3)
    u, v = area.local(centre)
    heart = scene.vary(scene.choose(((0.92, 0.68, 0.10), (0.34, 0.20, 0.10))))
    distance = np.hypot(u, v) - np.float32(size * 0.24)
    dots = scene.noise(u, v, 0.22, 0.1)
    scene.shadow(area, scene.cover(distance), 0.03, 0.4)
    scene.paint(area, scene.cover(distance), np.asarray(heart, np.float32) * (1 + 0.18 * dots)[..., None],
                dome(distance, size * 0.24, 0.12) + 0.01 * dots, Finish())


THINGS: Final[dict[str, Painter]] = {
    "dog": dog,
    "cat": cat,
    "shoe": shoe,
    "car": car,
    "tree": tree,
    "person": person,
    "house": house,
    "flower": flower,
}
