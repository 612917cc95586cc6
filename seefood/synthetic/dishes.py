"""Dishes that are no hot dog: pizza, burger, salad."""

from typing import Final

import numpy as np

from seefood.synthetic.bodies import (
    BAKED,
    LEAVES,
    disc,
    leaf,
    middle,
)
from seefood.synthetic.scene import GLOSSY, Colour, Finish, Painter, Point, Scene
from seefood.synthetic.settings import (
    bit,
    lights,
    plate,
    room,
    table,
)
from seefood.synthetic.shapes import box, dome, ellipse, mix


def pizza(scene: Scene) -> None:
    """A whole pizza from above."""
    table(scene)
    centre, radius = middle(scene), scene.uniform(0.78, 1.0)
    squash = scene.uniform(0.75, 1.0)
    if scene.chance(0.6):
        plate(scene, centre, radius * 1.14, squash)
    area = scene.around(centre, radius * 1.1)
    u, v = area.local(centre, scene.uniform(0, 6), squash)
    wobble = scene.noise(u, v, 1.6) * 0.022
    distance = np.hypot(u, v) - radius + wobble
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.07, 0.55)
    char = np.clip(scene.noise(u, v, 0.8, 0.7) - 0.7, 0, 1)
    crust = mix(scene.vary((0.82, 0.60, 0.34), 0.06), (0.33, 0.17, 0.08), char * 0.8)
    scene.paint(
        area, alpha, crust, dome(distance, 0.12, 0.09) + 0.004 * scene.noise(u, v, 0.4, 0.4), BAKED
    )
    inner = distance + radius * 0.13 + 0.012 * scene.noise(u, v, 0.6, 0.6)
    scene.paint(area, scene.cover(inner), scene.vary((0.72, 0.20, 0.07), 0.05))
    melted = scene.noise(u, v, 1.0, 0.7)
    brown = np.clip(scene.noise(u, v, 0.7, 0.6) - 0.9, 0, 1)
    cheese = mix(scene.vary((0.95, 0.80, 0.45), 0.05), (0.72, 0.40, 0.14), brown * 0.8)
    share = scene.cover(inner + 0.02) * np.clip(melted * 2 + 2.2, 0, 1)
    scene.paint(area, share, cheese, 0.005 * melted, Finish(0.28, 12.0, 0.5))
    turn = scene.uniform(0, 1)
    toppings = scene.choose(("pepperoni", "pepperoni", "margherita", "olives"))
    for number in range(int(scene.rng.integers(9, 17))):
        reach = radius * 0.78 * float(np.sqrt((number + 0.4) / 16))
        spin = turn + number * 2.399963  # the golden angle spreads them evenly
        spot = (centre[0] + reach * np.cos(spin), centre[1] + reach * np.sin(spin) * squash)
        if toppings == "pepperoni" or (toppings == "olives" and number % 2):
            colour = scene.vary((0.66, 0.17, 0.10), 0.05)
            disc(scene, spot, scene.uniform(0.10, 0.13), colour, Finish(0.3, 14.0, 0.5))
        elif toppings == "margherita":
            leaf(scene, spot, scene.uniform(0.08, 0.13), scene.vary((0.18, 0.36, 0.10)))
        else:
            disc(scene, spot, 0.06, (0.10, 0.09, 0.08), GLOSSY)
            disc(scene, spot, 0.025, (0.75, 0.30, 0.10), Finish())
    if scene.chance(0.6):
        cuts = np.full(u.shape, np.inf, np.float32)
        for spin in np.linspace(0, np.pi, 4, endpoint=False):
            cuts = np.minimum(
                cuts, np.abs(u * np.float32(np.cos(spin)) + v * np.float32(np.sin(spin)))
            )
        scene.paint(area, scene.cover(cuts - 0.006) * alpha * np.float32(0.55), (0.35, 0.16, 0.06))


def _kitchen(scene: Scene) -> None:
    room(scene, scene.uniform(0.0, 0.5))


def burger(scene: Scene) -> None:
    """A hamburger from the side."""
    scene.choose((lights, _kitchen))(scene)
    scene.blur(0.05)
    _board(scene, 0.52)
    x, wide = scene.uniform(-0.15, 0.15), scene.uniform(0.66, 0.85)
    bun = scene.vary((0.80, 0.50, 0.22), 0.08)
    _slab(scene, (x, 0.56), (wide * 0.94, 0.15), 0.09, bun)
    level = 0.42
    order = ["patty", "cheese", "tomato", "lettuce"]
    if scene.chance(0.4):
        order = ["patty", "cheese", "patty", "cheese", "lettuce"]
    for layer in order:
        level = _burger_layer(scene, layer, x, level, wide)
    _crown(scene, (x, level + 0.04), wide, bun)


def _board(scene: Scene, top: float) -> None:
    """Paint a table top seen from the side, from `top` down."""
    area = scene.everywhere()
    down = area.y + 0 * area.x
    grain = scene.noise(area.x * 0.1 + 0 * down, down * 1.5, 0.6, 0.4)
    colour = (
        np.array(scene.vary((0.50, 0.34, 0.21), 0.2), np.float32) * (1 + 0.1 * grain)[..., None]
    )
    scene.paint(area, scene.cover(top - down), colour)


def _slab(
    scene: Scene, centre: Point, half: tuple[float, float], corner: float, colour: Colour
) -> None:
    area = scene.around(centre, half[0] * 1.1, half[1] * 1.6)
    u, v = area.local(centre)
    distance = box(u, v, half[0], half[1], corner)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.1, 0.5)
    pores = scene.noise(u, v, 0.3, 0.3)
    height = dome(distance, corner, corner) + 0.002 * pores
    round_off = -0.25 * (u / half[0]) ** 4
    scene.paint(area, alpha, colour, height + round_off, BAKED)


def _burger_layer(scene: Scene, layer: str, x: float, level: float, wide: float) -> float:
    """Paint one layer whose lower edge is at `level`; return the level on top of it."""
    if layer == "patty":
        area = scene.around((x, level - 0.09), wide * 1.1, 0.2)
        u, v = area.local((x, level - 0.09))
        distance = box(u, v, wide * 0.97, 0.11, 0.09) + 0.016 * scene.noise(u, v, 0.6, 0.5)
        alpha = scene.cover(distance)
        rough = scene.noise(u, v, 0.35, 0.4)
        tone = (
            np.array(scene.vary((0.33, 0.17, 0.10), 0.05), np.float32)
            * (1 + 0.25 * rough)[..., None]
        )
        scene.paint(
            area, alpha, tone, dome(distance, 0.09, 0.08) + 0.008 * rough, Finish(0.3, 14.0, 0.45)
        )
        return level - 0.19
    if layer == "tomato":
        for shift in (-0.42, 0.42):
            _slab(
                scene,
                (x + shift * wide, level - 0.035),
                (wide * 0.46, 0.045),
                0.04,
                (0.78, 0.15, 0.09),
            )
        return level - 0.06
    area = scene.around((x, level), wide * 1.2, 0.3)
    u, v = area.local((x, level))
    if layer == "cheese":
        drip = 0.05 + 0.15 * np.clip(1 - np.abs((u / wide + 0.2) % 0.9 - 0.45) * 2.6, 0, 1)
        colour, depth = scene.vary((0.97, 0.68, 0.12), 0.04), 0.03
    else:
        drip = 0.05 + 0.05 * np.sin(u * 31 + 2 * np.sin(u * 9)) * scene.uniform(0.6, 1.0)
        colour, depth = scene.vary(scene.choose(LEAVES[:2])), 0.05
    distance = np.maximum(np.maximum(v - drip, -v - depth), np.abs(u) - wide * 1.04)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.03, 0.4)
    wave = 0.03 * np.sin(u * 31 + 2 * np.sin(u * 9)) if layer == "lettuce" else 0 * u
    scene.paint(area, alpha, colour, dome(distance, 0.04, 0.03) + wave, Finish(0.3, 16.0, 0.5))
    return level - depth


def _crown(scene: Scene, foot: Point, wide: float, colour: Colour) -> None:
    """Paint the upper half of a bun with sesame, standing on `foot`."""
    tall = scene.uniform(0.42, 0.54)
    area = scene.around(foot, wide * 1.15, tall * 1.3)
    u, v = area.local(foot)
    distance = np.maximum(ellipse(u, v, wide, tall), v - 0.03)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.05, 0.45)
    rounding = np.sqrt(np.clip(1 - (u / wide) ** 2 - (v / tall) ** 2, 0, 1)) * 0.45
    skin = scene.noise(u, v, 1.2, 0.7)
    tone = mix(
        np.asarray(colour, np.float32) * (1 + 0.05 * skin)[..., None],
        (0.93, 0.80, 0.55),
        np.clip((v + 0.06) / 0.09, 0, 1) * 0.8,
    )
    scene.paint(area, alpha, tone, rounding, Finish(0.22, 12.0, 0.5))
    for _ in range(34):
        spin, reach = (
            scene.uniform(np.pi * 1.08, np.pi * 1.92),
            float(np.sqrt(scene.uniform(0.1, 0.8))),
        )
        spot = (foot[0] + np.cos(spin) * reach * wide, foot[1] + np.sin(spin) * reach * tall - 0.02)
        bit(scene, spot, 0.024, (0.95, 0.88, 0.68))


def salad(scene: Scene) -> None:
    """A bowl of salad from above."""
    table(scene)
    centre, radius = middle(scene), scene.uniform(0.78, 0.98)
    plate(scene, centre, radius, 1.0)
    for number in range(46):
        reach = radius * 0.68 * float(np.sqrt(scene.uniform(0, 1)))
        spin = scene.uniform(0, 2 * np.pi)
        spot = (centre[0] + reach * np.cos(spin), centre[1] + reach * np.sin(spin))
        if number < 30 or number % 3 == 0:
            leaf(scene, spot, scene.uniform(0.15, 0.32), scene.vary(scene.choose(LEAVES)))
        elif number % 3 == 1:
            colour = scene.vary((0.80, 0.14, 0.09), 0.05)
            size = scene.uniform(0.08, 0.12)
            area = scene.around(spot, size * 1.1)
            u, v = area.local(spot)
            distance = np.hypot(u, v) - np.float32(size)
            scene.shadow(area, scene.cover(distance), 0.05, 0.5)
            scene.paint(area, scene.cover(distance), colour, dome(distance, size, size), GLOSSY)
        else:
            size = scene.uniform(0.09, 0.13)
            disc(scene, spot, size, scene.vary((0.30, 0.48, 0.18)), Finish(0.2))
            disc(scene, spot, size * 0.88, scene.vary((0.80, 0.88, 0.60)), Finish(0.3))


DISHES: Final[dict[str, Painter]] = {"pizza": pizza, "burger": burger, "salad": salad}
