"""Apples, and bananas, which lie about as hot dogs do."""

from typing import Final

import numpy as np

from seefood.synthetic.bodies import (
    leaf,
)
from seefood.synthetic.scene import Colour, Finish, Painter, Point, Scene
from seefood.synthetic.settings import (
    plate,
    table,
)
from seefood.synthetic.shapes import capsule, dome, mix, points, smooth_outline


def apple(scene: Scene) -> None:
    """An apple with its stem and a leaf."""
    table(scene)
    if scene.chance(0.5):
        scene.blur(0.02)
    count = int(scene.choose((1, 1, 1, 2)))
    for number in range(count):
        size = scene.uniform(0.55, 0.78) * (1.0 if count == 1 else 0.75)
        spot = (
            scene.uniform(-0.1, 0.1) + (number - (count - 1) / 2) * 1.15,
            scene.uniform(-0.05, 0.15),
        )
        _apple(scene, spot, size)


def _apple(scene: Scene, centre: Point, size: float) -> None:
    skins: tuple[tuple[Colour, Colour], ...] = (
        ((0.72, 0.08, 0.08), (0.90, 0.62, 0.22)),
        ((0.50, 0.70, 0.18), (0.76, 0.82, 0.40)),
        ((0.86, 0.66, 0.20), (0.82, 0.25, 0.14)),
    )
    base, blush = scene.choose(skins)
    outline = points(
        "0,-0.78 0.35,-0.92 0.78,-0.72 0.97,-0.15 0.8,0.5 0.45,0.92 0,0.84 -0.45,0.92 -0.8,0.5 "
        "-0.97,-0.15 -0.78,-0.72 -0.35,-0.92"
    )
    turned = [(centre[0] + x * size, centre[1] + y * size) for x, y in outline]
    area = scene.around(centre, size * 1.35)
    u, v = area.local(centre)
    mask = scene.polygon(area, smooth_outline(turned))
    scene.shadow(area, mask, 0.22, 0.6)
    streaks = scene.noise(np.arctan2(u, v + size * 2) * 2, v * 0.15, 0.6, 0.6)
    freckles = np.clip(scene.noise(u, v, 0.18, 0.1) - 2.0, 0, 1)
    share = np.clip(0.35 + 0.3 * streaks - v / size * 0.35, 0, 1)
    tone = mix(mix(scene.vary(base), scene.vary(blush), share), (0.95, 0.88, 0.65), freckles)
    body = np.sqrt(np.clip(1.02 - (u / size) ** 2 - (v / size) ** 2, 0, 1)) * size * 0.9
    dimple = -0.25 * size * np.exp(-((u / (size * 0.28)) ** 2 + ((v / size + 0.74) / 0.16) ** 2))
    scene.paint(area, mask, tone, body + dimple, Finish(0.5, 26.0, 0.42))
    stem = area.local((centre[0] + size * 0.03, centre[1] - size * 0.92), 1.4)
    rod = capsule(stem[0], stem[1] + 0.6 * stem[0] ** 2, size * 0.26, size * 0.035)
    scene.paint(area, scene.cover(rod), (0.32, 0.20, 0.10), dome(rod, 0.03, 0.03), Finish())
    if scene.chance(0.6):
        leaf(
            scene,
            (centre[0] + size * 0.28, centre[1] - size * 0.98),
            size * 0.3,
            (0.28, 0.48, 0.14),
        )


def banana(scene: Scene) -> None:
    """One banana, or a hand of them."""
    table(scene)
    if scene.chance(0.4):
        plate(scene, (0.0, 0.05), 1.05, scene.uniform(0.6, 0.9))
    count = int(scene.choose((1, 1, 2, 3)))
    angle, side = scene.uniform(-0.5, 0.5), scene.choose((-1.0, 1.0))
    colour = scene.vary(
        scene.choose(((0.95, 0.80, 0.20), (0.92, 0.76, 0.16), (0.74, 0.78, 0.26))), 0.06
    )
    length = scene.uniform(0.85, 1.0)
    for number in range(count):
        shift = (number - (count - 1) / 2) * 0.3
        _banana(
            scene,
            (scene.uniform(-0.06, 0.06), shift * side),
            angle + number * 0.08 * side,
            length,
            side,
            colour,
        )


def _banana(
    scene: Scene, centre: Point, angle: float, length: float, side: float, colour: Colour
) -> None:
    area = scene.around(centre, length * 1.35)
    u, v = area.local(centre, angle)
    v = v + np.float32(side * 0.45) * (u * u / length - length / 3)
    along = np.clip(np.abs(u) / length, 0, 1.2)
    girth = 0.19 * np.sqrt(np.clip(1 - along**4, 0.02, 1)) * length
    stem = np.clip((u / length - 0.86) / 0.1, 0, 1)
    girth = np.where(u > length * 0.82, np.maximum(girth, 0.042 * length), girth)
    distance = np.maximum(np.abs(v) - girth, np.abs(u) - length * 1.04) * np.float32(0.8)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.14, 0.55)
    ridge = np.abs(v / girth)
    height = girth * (np.sqrt(np.clip(1 - ridge**2, 0, 1)) * 0.75 + 0.25 * np.clip(1 - ridge, 0, 1))
    bruise = np.clip(scene.noise(u * 0.6, v, 0.5, 0.5) - 1.5, 0, 1) * scene.uniform(0, 1)
    tone = mix(colour, (0.32, 0.20, 0.08), bruise)
    tone = mix(tone, (0.45, 0.48, 0.16), stem * 0.7)
    tip = np.clip((-u / length - 0.93) / 0.05, 0, 1)
    tone = mix(tone, (0.16, 0.11, 0.07), np.maximum(tip, np.clip((u / length - 0.99) / 0.03, 0, 1)))
    scene.paint(area, alpha, tone, height, Finish(0.2, 14.0, 0.5))


FRUIT: Final[dict[str, Painter]] = {"apple": apple, "banana": banana}
