"""Trees, houses and flowers."""

from typing import Final

import numpy as np

from seefood.synthetic.bodies import (
    SOFT,
    body,
    placed,
)
from seefood.synthetic.scene import Colour, Finish, Painter, Point, Scene
from seefood.synthetic.settings import (
    bit,
    hedge,
    outdoors,
)
from seefood.synthetic.shapes import box, capsule, dome, ellipse, mix, points

_GRASS: Final[Colour] = (0.30, 0.44, 0.17)


def tree(scene: Scene) -> None:
    """A tree on a meadow."""
    horizon = scene.uniform(0.35, 0.6)
    outdoors(scene, scene.vary(_GRASS, 0.08), horizon)
    if scene.chance(0.6):
        hedge(scene, horizon)
    scene.blur(0.012)
    x, foot = scene.uniform(-0.25, 0.25), horizon + 0.22
    bark = scene.vary((0.36, 0.26, 0.18), 0.06)
    trunk = points("-0.17,0 -0.09,-0.15 -0.07,-0.7 0.07,-0.7 0.09,-0.15 0.19,0")
    area = scene.around((x, foot), 0.9, 0.12)
    u, v = area.local((x + 0.1, foot))
    scene.pixels[area.rows, area.columns] *= (
        1 - 0.55 * np.sqrt(np.clip(1 - (u / 0.75) ** 2 - (v / 0.1) ** 2, 0, 1))
    )[..., None]
    body(scene, placed(trunk, (x, foot), 1.0), bark, SOFT, 0.1)
    if scene.chance(0.3):
        _fir(scene, x, foot)
        return
    leaves = scene.choose(
        ((0.22, 0.42, 0.12), (0.34, 0.50, 0.16), (0.80, 0.48, 0.12), (0.72, 0.26, 0.10))
    )
    crown = (x, foot - 0.98)
    for number in range(34):
        reach, spin = float(np.sqrt(scene.uniform(0, 1))), scene.uniform(0, 2 * np.pi)
        height = np.sin(spin) * reach
        spot = (crown[0] + np.cos(spin) * reach * 0.58, crown[1] + height * 0.46)
        deep = 0.55 if number < 14 else 1.0 - 0.25 * height
        tint = scene.vary(leaves, 0.05)
        _clump(
            scene, spot, scene.uniform(0.16, 0.26), (tint[0] * deep, tint[1] * deep, tint[2] * deep)
        )


def _clump(scene: Scene, centre: Point, radius: float, colour: Colour) -> None:
    area = scene.around(centre, radius * 1.4)
    u, v = area.local(centre)
    leaf = scene.noise(u, v, 0.3, 0.2)
    rough = scene.noise(u, v, 0.7, 0.4)
    distance = np.hypot(u, v) - radius + 0.035 * rough + 0.012 * leaf
    tone = np.asarray(colour, np.float32) * (1 + 0.16 * leaf)[..., None]
    scene.paint(
        area, scene.cover(distance), tone, dome(distance, radius, radius * 0.5) + 0.007 * leaf, SOFT
    )


def _fir(scene: Scene, x: float, foot: float) -> None:
    colour = scene.vary((0.13, 0.28, 0.16), 0.06)
    for number in range(6):
        level, wide = foot - 0.18 - 0.24 * number, 0.62 - 0.09 * number
        area = scene.around((x, level - 0.1), wide * 1.1, 0.4)
        u, v = area.local((x, level))
        needle = scene.noise(u, v, 0.3, 0.2)
        slope = np.abs(u) / wide
        distance = np.maximum(
            v + 0.36 * (1 - slope) * 0 - 0.05 * np.cos(u * 26), -v - 0.42 * (1 - slope)
        )
        distance = distance + 0.014 * needle
        tone = np.asarray(colour, np.float32) * (1 + 0.2 * needle - 0.5 * v - 0.2 * u)[..., None]
        alpha = scene.cover(distance * np.float32(0.7)) * (np.abs(u) < wide)
        scene.shadow(area, alpha, 0.05, 0.35)
        scene.paint(area, alpha, tone, 0.006 * needle, SOFT)


def house(scene: Scene) -> None:
    """A house with a roof, a door and windows."""
    horizon = scene.uniform(0.3, 0.45)
    outdoors(scene, scene.vary(_GRASS, 0.06), horizon)
    hedge(scene, horizon)
    scene.blur(0.012)
    x, wide, tall = scene.uniform(-0.2, 0.2), scene.uniform(0.68, 0.9), scene.uniform(0.55, 0.72)
    foot = horizon + 0.25
    wall = scene.vary(
        scene.choose(
            ((0.90, 0.86, 0.76), (0.75, 0.38, 0.28), (0.62, 0.72, 0.78), (0.93, 0.93, 0.91))
        )
    )
    area = scene.around((x, foot - tall / 2), wide * 1.05, tall * 0.6)
    u, v = area.local((x, foot - tall / 2))
    front = scene.cover(box(u, v, wide, tall / 2))
    scene.shadow(area, front, 0.12, 0.45)
    bricks = np.minimum(
        np.abs((v / 0.05) % 1 - 0.5), np.abs((u / 0.13 + np.floor(v / 0.05) * 0.5) % 1 - 0.5) * 2.2
    )
    plaster = (
        1 + 0.035 * scene.noise(u, v, 0.5, 0.3) - 0.13 * (bricks < 0.07) * scene.choose((0, 1))
    )
    scene.paint(area, front, np.asarray(wall, np.float32) * plaster[..., None].astype(np.float32))
    eaves = foot - tall
    roof = scene.vary(scene.choose(((0.48, 0.20, 0.15), (0.30, 0.30, 0.33), (0.42, 0.32, 0.25))))
    top = [
        (x - wide * 1.14, eaves + 0.04),
        (x - wide * 0.35, eaves - 0.52),
        (x + wide * 0.35, eaves - 0.52),
        (x + wide * 1.14, eaves + 0.04),
    ]
    if scene.chance(0.5):
        top = [(x - wide * 1.14, eaves + 0.04), (x, eaves - 0.62), (x + wide * 1.14, eaves + 0.04)]
    chimney = scene.around((x + wide * 0.45, eaves - 0.42), 0.1, 0.25)
    across, down = chimney.local((x + wide * 0.45, eaves - 0.42))
    scene.paint(chimney, scene.cover(box(across, down, 0.075, 0.22)), (0.50, 0.28, 0.22))
    area = scene.around((x, eaves - 0.28), wide * 1.2, 0.42)
    u, v = area.local((x, eaves))
    mask = scene.polygon(area, top)
    scene.shadow(area, mask, 0.06, 0.5)
    tiles = np.clip(np.sin(v * 75) * 0.5 + 0.5, 0, 1) * 0.22 + 0.06 * np.sin(
        u * 60 + np.floor(v * 12) * 1.6
    )
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
    panes = scene.cover(
        np.maximum(box(u, v, half[0], half[1]), 0.012 - np.minimum(np.abs(u), np.abs(v)))
    )
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
        (0.95, 0.95, 0.93),
        (0.93, 0.75, 0.12),
        (0.85, 0.25, 0.45),
        (0.62, 0.40, 0.78),
        (0.92, 0.45, 0.15),
    )
    tint = scene.vary(scene.choose(tints))
    count = int(scene.choose((8, 12, 16, 21)))
    turn = scene.uniform(0, 1)
    for layer in (1.0, 0.86):
        for number in range(count):
            spin = turn + (number + (layer < 1) * 0.5) * 2 * np.pi / count
            middle = (
                centre[0] + np.cos(spin) * size * 0.55 * layer,
                centre[1] + np.sin(spin) * size * 0.55 * layer,
            )
            petal = scene.around(middle, size * 0.48)
            u, v = petal.local(middle, spin)
            width = size * min(0.26, 2.6 / count)
            distance = ellipse(u, v, size * 0.43 * layer, width)
            alpha = scene.cover(distance)
            scene.shadow(petal, alpha, 0.03, 0.3)
            veins = 0.03 * np.sin(v / width * 11) - 0.16 * np.clip(-u / size * 2, 0, 1)
            scene.paint(
                petal,
                alpha,
                np.asarray(tint, np.float32) * (1 + veins)[..., None],
                dome(distance, width, width * 0.35) - 0.12 * (u / size) ** 2,
                Finish(ambient=0.6),
            )
    area = scene.around(centre, size * 0.3)
    u, v = area.local(centre)
    heart = scene.vary(scene.choose(((0.92, 0.68, 0.10), (0.34, 0.20, 0.10))))
    distance = np.hypot(u, v) - np.float32(size * 0.24)
    dots = scene.noise(u, v, 0.22, 0.1)
    scene.shadow(area, scene.cover(distance), 0.03, 0.4)
    scene.paint(
        area,
        scene.cover(distance),
        np.asarray(heart, np.float32) * (1 + 0.18 * dots)[..., None],
        dome(distance, size * 0.24, 0.12) + 0.01 * dots,
        Finish(),
    )


GARDENS: Final[dict[str, Painter]] = {"tree": tree, "house": house, "flower": flower}
