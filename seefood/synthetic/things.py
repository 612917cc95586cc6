"""Things that are not hot dogs: a pizza, a banana, a flower and a house."""

from typing import Final

import numpy as np

from seefood.synthetic.backgrounds import paint_lawn, paint_plate, paint_table
from seefood.synthetic.scene import Color, Point, Scene
from seefood.synthetic.shapes import box, capsule, disc, dome, ellipse, mix, shade

_PETALS: Final[tuple[Color, ...]] = (
    (0.95, 0.95, 0.93),
    (0.93, 0.75, 0.12),
    (0.85, 0.25, 0.45),
    (0.62, 0.40, 0.78),
    (0.92, 0.45, 0.15),
)
_WALLS: Final[tuple[Color, ...]] = (
    (0.90, 0.86, 0.76),
    (0.75, 0.38, 0.28),
    (0.62, 0.72, 0.78),
    (0.93, 0.93, 0.91),
)
_ROOFS: Final[tuple[Color, ...]] = ((0.48, 0.20, 0.15), (0.30, 0.30, 0.33), (0.42, 0.32, 0.25))
_DOORS: Final[tuple[Color, ...]] = ((0.55, 0.15, 0.12), (0.18, 0.32, 0.42), (0.35, 0.22, 0.14))
_GOLDEN_ANGLE: Final = 2.399963


def paint_pizza(scene: Scene) -> None:
    """Paint a whole pizza seen from above."""
    paint_table(scene)
    center = (scene.uniform(-0.12, 0.12), scene.uniform(-0.12, 0.12))
    radius, squash = scene.uniform(0.78, 1.0), scene.uniform(0.75, 1.0)
    if scene.chance(0.6):
        paint_plate(scene, center, radius * 1.14, squash)
    patch = scene.patch(center, radius * 1.1, scene.uniform(0, 6), squash)
    u, v = patch.u, patch.v
    distance = disc(u, v, radius) + 0.022 * scene.noise(u, v, 1.6)
    char = np.clip(scene.noise(u, v, 0.8, 0.7) - 0.7, 0, 0.8)
    crust = mix(scene.vary((0.82, 0.60, 0.34)), (0.33, 0.17, 0.08), char)
    scene.paint(patch, distance, crust, dome(distance, 0.12, 0.09), gloss=0.1, shadow=0.07)
    inner = distance + radius * 0.13 + 0.012 * scene.noise(u, v, 0.6, 0.6)
    scene.paint(patch, inner, scene.vary((0.72, 0.20, 0.07)))
    melted = scene.noise(u, v, 1.0, 0.7)
    brown = np.clip(scene.noise(u, v, 0.7, 0.6) - 0.9, 0, 0.8)
    cheese = mix(scene.vary((0.95, 0.80, 0.45)), (0.72, 0.40, 0.14), brown)
    holes = np.maximum(inner + 0.02, -0.02 * (melted + 1.1))
    scene.paint(patch, holes, cheese, 0.005 * melted, gloss=0.28)
    topping = scene.choose(((0.66, 0.17, 0.10), (0.66, 0.17, 0.10), (0.18, 0.36, 0.10)))
    for number in range(int(scene.rng.integers(9, 17))):
        reach = radius * 0.78 * float(np.sqrt((number + 0.4) / 16))
        turn = number * _GOLDEN_ANGLE
        spot = (center[0] + reach * np.cos(turn), center[1] + reach * np.sin(turn) * squash)
        size = scene.uniform(0.09, 0.13)
        slice_ = scene.patch(spot, size * 1.1)
        edge = disc(slice_.u, slice_.v, size)
        color = shade(scene.vary(topping), 1 + 0.1 * scene.noise(slice_.u, slice_.v, 0.4, 0.4))
        scene.paint(slice_, edge, color, dome(edge, size * 0.3, 0.01), gloss=0.3, shadow=0.025)


def paint_banana(scene: Scene) -> None:
    """Paint one to three bananas."""
    paint_table(scene)
    if scene.chance(0.4):
        paint_plate(scene, (0.0, 0.05), 1.05, scene.uniform(0.6, 0.9))
    count = scene.choose((1, 1, 2, 3))
    angle, side = scene.uniform(-0.5, 0.5), scene.choose((-1.0, 1.0))
    color = scene.vary(scene.choose(((0.95, 0.80, 0.20), (0.92, 0.76, 0.16), (0.74, 0.78, 0.26))))
    for number in range(count):
        center = (scene.uniform(-0.06, 0.06), (number - (count - 1) / 2) * 0.3 * side)
        _paint_one_banana(scene, center, angle + number * 0.08 * side, side, color)


def _paint_one_banana(scene: Scene, center: Point, angle: float, side: float, color: Color) -> None:
    length = scene.uniform(0.85, 1.0)
    patch = scene.patch(center, length * 1.35, angle)
    u = patch.u / np.float32(length)
    v = patch.v / np.float32(length) + np.float32(side * 0.45) * (u * u - np.float32(1 / 3))
    girth = 0.19 * np.sqrt(np.clip(1 - u**4, 0.02, 1))
    girth = np.where(u > 0.82, np.maximum(girth, 0.042), girth)
    distance = np.maximum(np.abs(v) - girth, np.abs(u) - 1.04) * np.float32(length * 0.8)
    ridge = np.clip(1 - np.abs(v / girth), 0, 1)
    height = girth * (0.75 * np.sqrt(ridge * (2 - ridge)) + 0.25 * ridge) * length
    bruise = np.clip(scene.noise(u * 0.6, v, 0.5, 0.5) - 1.5, 0, 1) * scene.uniform(0, 1)
    color_here = mix(mix(color, (0.32, 0.20, 0.08), bruise), (0.45, 0.48, 0.16), u * 7 - 6)
    ends = mix(color_here, (0.16, 0.11, 0.07), (np.abs(u) - 0.96) * 25)
    scene.paint(patch, distance, ends, height, gloss=0.2, shadow=0.14)


def paint_flower(scene: Scene) -> None:
    """Paint a flower before a green background that is out of focus."""
    whole = scene.patch()
    leaves = 1 + 0.35 * scene.noise(whole.u, whole.v, 2.0, 0.8)
    scene.pixels[:] = shade(scene.vary((0.26, 0.42, 0.16), 0.1), leaves)
    scene.blur(0.07)
    center, size = (scene.uniform(-0.15, 0.15), scene.uniform(-0.25, 0.0)), scene.uniform(0.6, 0.8)
    stem = scene.patch((center[0], center[1] + 0.9), 1.0, np.pi / 2)
    rod = capsule(stem.u, stem.v - 0.08 * np.sin(stem.u * 2), 0.95, 0.035)
    scene.paint(stem, rod, (0.30, 0.48, 0.16), dome(rod, 0.035, 0.035))
    tint, count = scene.vary(scene.choose(_PETALS)), scene.choose((8, 12, 16, 21))
    width = size * min(0.26, 2.6 / count)
    for layer, start in ((1.0, 0.0), (0.86, 0.5)):
        for turn in (np.arange(count) + start) * 2 * np.pi / count:
            reach = size * 0.55 * layer
            spot = (center[0] + np.cos(turn) * reach, center[1] + np.sin(turn) * reach)
            petal = scene.patch(spot, size * 0.48, turn)
            distance = ellipse(petal.u, petal.v, size * 0.43 * layer, width)
            veins = 0.03 * np.sin(petal.v / width * 11) - 0.3 * np.clip(-petal.u / size, 0, 0.5)
            height = dome(distance, width, width * 0.35)
            scene.paint(petal, distance, shade(tint, 1.05 + veins), height, shadow=0.03)
    middle = scene.patch(center, size * 0.3)
    distance = disc(middle.u, middle.v, size * 0.24)
    dots = scene.noise(middle.u, middle.v, 0.22, 0.1)
    heart = shade(scene.choose(((0.92, 0.68, 0.10), (0.34, 0.20, 0.10))), 1 + 0.18 * dots)
    height = dome(distance, size * 0.24, 0.12) + 0.01 * dots
    scene.paint(middle, distance, heart, height, shadow=0.03)


def paint_house(scene: Scene) -> None:
    """Paint a house with a roof, a door and windows on a lawn."""
    horizon = scene.uniform(0.3, 0.45)
    paint_lawn(scene, horizon)
    scene.blur(0.012)
    wide, tall = scene.uniform(0.68, 0.9), scene.uniform(0.55, 0.72)
    x, foot = scene.uniform(-0.2, 0.2), horizon + 0.25
    wall = scene.patch((x, foot - tall / 2), wide * 1.05)
    row = np.floor(wall.v / 0.05)
    joints = np.minimum(wall.v / 0.05 % 1, (wall.u / 0.13 + row * 0.5) % 1 * 2.2)
    bricks = 1 - scene.choose((0.0, 0.13)) * (joints < 0.15)
    scene.paint(
        wall,
        box(wall.u, wall.v, wide, tall / 2),
        shade(scene.vary(scene.choose(_WALLS)), bricks),
        shadow=0.12,
    )
    eaves = foot - tall
    _paint_box(scene, (x + wide * 0.45, eaves - 0.4), (0.075, 0.22), (0.50, 0.28, 0.22))
    roof = scene.patch((x, eaves), wide * 1.2)
    pitch, top = scene.uniform(0.5, 0.7), scene.choose((0.42, 1.0))
    slope = np.abs(roof.u) / (wide * 1.14) * pitch - pitch - roof.v
    distance = np.maximum(np.maximum(slope * 0.85, roof.v - 0.04), -pitch * top - roof.v)
    tiles = 0.22 * np.clip(np.sin(roof.v * 75) * 0.5 + 0.5, 0, 1)
    scene.paint(roof, distance, shade(scene.choose(_ROOFS), 1.05 - tiles), shadow=0.06)
    for column in (-0.6, 0.6):
        _paint_window(scene, (x + column * wide, foot - tall * 0.56), (0.15, 0.18))
    if scene.chance(0.5):
        _paint_window(scene, (x, eaves - 0.16), (0.1, 0.08))
    _paint_box(scene, (x, foot - 0.21), (0.15, 0.22), (0.93, 0.92, 0.9))
    _paint_box(scene, (x, foot - 0.2), (0.125, 0.2), scene.vary(scene.choose(_DOORS)))
    _paint_box(scene, (x + 0.09, foot - 0.2), (0.014, 0.014), (0.85, 0.72, 0.3))


def _paint_window(scene: Scene, center: Point, half: Point) -> None:
    _paint_box(scene, center, (half[0] + 0.03, half[1] + 0.03), (0.95, 0.94, 0.92))
    for column in (-0.5, 0.5):
        for row in (-0.5, 0.5):
            pane = (center[0] + column * half[0], center[1] + row * half[1])
            size = (half[0] / 2 - 0.012, half[1] / 2 - 0.012)
            _paint_box(scene, pane, size, scene.vary((0.45, 0.56, 0.66), 0.2))


def _paint_box(scene: Scene, center: Point, half: Point, color: Color) -> None:
    patch = scene.patch(center, max(half) * 1.5)
    scene.paint(patch, box(patch.u, patch.v, *half), color, shadow=0.02)
