"""Food that is no hot dog."""

from typing import Final

import numpy as np

from seefood.drawn.scene import GLOSSY, Colour, Finish, Painter, Point, Scene
from seefood.drawn.settings import bit, lights, napkin, outdoors, plate, room, table
from seefood.drawn.shapes import box, capsule, dome, ellipse, mix, puffed, smooth_outline

_BAKED: Final = Finish(0.10, 10.0, 0.5)
_LEAVES: Final[tuple[Colour, ...]] = (
    (0.30, 0.50, 0.13),
    (0.42, 0.60, 0.20),
    (0.20, 0.38, 0.12),
    (0.55, 0.68, 0.30),
)


def _middle(scene: Scene, wander: float = 0.12) -> Point:
    return scene.uniform(-wander, wander), scene.uniform(-wander, wander)


def _disc(scene: Scene, centre: Point, radius: float, colour: Colour, finish: Finish) -> None:
    """Lay a flat round slice with a soft edge."""
    area = scene.around(centre, radius * 1.1)
    u, v = area.local(centre)
    distance = np.hypot(u, v) - np.float32(radius)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.025, 0.4)
    spots = 1 + 0.10 * scene.noise(u, v, 0.4, 0.4)
    colours = np.asarray(colour, np.float32) * spots[..., None]
    scene.paint(area, alpha, colours, dome(distance, radius * 0.3, radius * 0.1), finish)


def _leaf(scene: Scene, centre: Point, length: float, colour: Colour) -> None:
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


def pizza(scene: Scene) -> None:
    """A whole pizza from above."""
    table(scene)
    centre, radius = _middle(scene), scene.uniform(0.78, 1.0)
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
    scene.paint(area, alpha, crust, dome(distance, 0.12, 0.09) + 0.004 * scene.noise(u, v, 0.4, 0.4),
                _BAKED)
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
            _disc(scene, spot, scene.uniform(0.10, 0.13), colour, Finish(0.3, 14.0, 0.5))
        elif toppings == "margherita":
            _leaf(scene, spot, scene.uniform(0.08, 0.13), scene.vary((0.18, 0.36, 0.10)))
        else:
            _disc(scene, spot, 0.06, (0.10, 0.09, 0.08), GLOSSY)
            _disc(scene, spot, 0.025, (0.75, 0.30, 0.10), Finish())
    if scene.chance(0.6):
        cuts = np.full(u.shape, np.inf, np.float32)
        for spin in np.linspace(0, np.pi, 4, endpoint=False):
            cuts = np.minimum(cuts, np.abs(u * np.float32(np.cos(spin)) + v * np.float32(np.sin(spin))))
        scene.paint(area, scene.cover(cuts - 0.006) * alpha * np.float32(0.55), (0.35, 0.16, 0.06))


def burger(scene: Scene) -> None:
    """A hamburger from the side."""
    scene.choose((lights, lambda scene: room(scene, scene.uniform(0.0, 0.5))))(scene)
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
    colour = np.array(scene.vary((0.50, 0.34, 0.21), 0.2), np.float32) * (1 + 0.1 * grain)[..., None]
    scene.paint(area, scene.cover(top - down), colour)


def _slab(scene: Scene, centre: Point, half: tuple[float, float], corner: float, colour: Colour) -> None:
    area = scene.around(centre, half[0] * 1.1, half[1] * 1.6)
    u, v = area.local(centre)
    distance = box(u, v, half[0], half[1], corner)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.1, 0.5)
    pores = scene.noise(u, v, 0.3, 0.3)
    height = dome(distance, corner, corner) + 0.002 * pores
    round_off = -0.25 * (u / half[0]) ** 4
    scene.paint(area, alpha, colour, height + round_off, _BAKED)


def _burger_layer(scene: Scene, layer: str, x: float, level: float, wide: float) -> float:
    """Paint one layer whose lower edge is at `level`; return the level on top of it."""
    if layer == "patty":
        area = scene.around((x, level - 0.09), wide * 1.1, 0.2)
        u, v = area.local((x, level - 0.09))
        distance = box(u, v, wide * 0.97, 0.11, 0.09) + 0.016 * scene.noise(u, v, 0.6, 0.5)
        alpha = scene.cover(distance)
        rough = scene.noise(u, v, 0.35, 0.4)
        tone = np.array(scene.vary((0.33, 0.17, 0.10), 0.05), np.float32) * (1 + 0.25 * rough)[..., None]
        scene.paint(area, alpha, tone, dome(distance, 0.09, 0.08) + 0.008 * rough, Finish(0.3, 14.0, 0.45))
        return level - 0.19
    if layer == "tomato":
        for shift in (-0.42, 0.42):
            _slab(scene, (x + shift * wide, level - 0.035), (wide * 0.46, 0.045), 0.04, (0.78, 0.15, 0.09))
        return level - 0.06
    area = scene.around((x, level), wide * 1.2, 0.3)
    u, v = area.local((x, level))
    if layer == "cheese":
        drip = 0.05 + 0.15 * np.clip(1 - np.abs((u / wide + 0.2) % 0.9 - 0.45) * 2.6, 0, 1)
        colour, depth = scene.vary((0.97, 0.68, 0.12), 0.04), 0.03
    else:
        drip = 0.05 + 0.05 * np.sin(u * 31 + 2 * np.sin(u * 9)) * scene.uniform(0.6, 1.0)
        colour, depth = scene.vary(scene.choose(_LEAVES[:2])), 0.05
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
    tone = mix(np.asarray(colour, np.float32) * (1 + 0.05 * skin)[..., None], (0.93, 0.80, 0.55),
               np.clip((v + 0.06) / 0.09, 0, 1) * 0.8)
    scene.paint(area, alpha, tone, rounding, Finish(0.22, 12.0, 0.5))
    for _ in range(34):
        spin, reach = scene.uniform(np.pi * 1.08, np.pi * 1.92), float(np.sqrt(scene.uniform(0.1, 0.8)))
        spot = (foot[0] + np.cos(spin) * reach * wide, foot[1] + np.sin(spin) * reach * tall - 0.02)
        bit(scene, spot, 0.024, (0.95, 0.88, 0.68))


def salad(scene: Scene) -> None:
    """A bowl of salad from above."""
    table(scene)
    centre, radius = _middle(scene), scene.uniform(0.78, 0.98)
    plate(scene, centre, radius, 1.0)
    for number in range(46):
        reach = radius * 0.68 * float(np.sqrt(scene.uniform(0, 1)))
        spin = scene.uniform(0, 2 * np.pi)
        spot = (centre[0] + reach * np.cos(spin), centre[1] + reach * np.sin(spin))
        if number < 30 or number % 3 == 0:  # noqa: PLR2004 (leaves below, the rest among them)
            _leaf(scene, spot, scene.uniform(0.15, 0.32), scene.vary(scene.choose(_LEAVES)))
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
            _disc(scene, spot, size, scene.vary((0.30, 0.48, 0.18)), Finish(0.2))
            _disc(scene, spot, size * 0.88, scene.vary((0.80, 0.88, 0.60)), Finish(0.3))


def ice_cream(scene: Scene) -> None:
    """A cone with one to three scoops."""
    if scene.chance(0.5):
        lights(scene)
    else:
        outdoors(scene, scene.choose(((0.78, 0.70, 0.52), (0.30, 0.45, 0.20))), scene.uniform(0.0, 0.5))
        scene.blur(0.06)
    x, tilt = scene.uniform(-0.2, 0.2), scene.uniform(-0.12, 0.12)
    scoops = int(scene.choose((1, 1, 2, 2, 3)))
    rim = 0.10 * (scoops - 1) + 0.02
    area = scene.around((x, 0.5), 0.7, 1.0)
    u, v = area.local((x, rim), tilt)
    tall, wide = 0.95 - rim, 0.33
    share = np.clip(1 - v / tall, 0, 1)
    distance = np.maximum(np.abs(u) - wide * share, -v)
    alpha = scene.cover(distance * np.float32(0.94))
    lines = np.minimum(np.abs(((u + v * 0.5) / 0.085) % 1 - 0.5), np.abs(((u - v * 0.5) / 0.085) % 1 - 0.5))
    waffle = mix((0.63, 0.40, 0.18), (0.86, 0.64, 0.35), lines * 4)
    height = np.sqrt(np.clip((wide * share) ** 2 - u * u, 0, None)) - 0.02 * np.clip(lines * 4, 0, 1)
    scene.paint(area, alpha, waffle, height, _BAKED)
    flavours: tuple[Colour, ...] = (
        (0.95, 0.90, 0.76), (0.92, 0.62, 0.66), (0.42, 0.26, 0.17), (0.68, 0.84, 0.66),
        (0.97, 0.80, 0.45), (0.62, 0.45, 0.68),
    )
    for number in range(scoops):
        spot = (x + tilt * 0.5 * number, rim - 0.16 - 0.36 * number)
        _scoop(scene, spot, 0.37 - 0.02 * number, scene.vary(scene.choose(flavours)))


def _scoop(scene: Scene, centre: Point, radius: float, colour: Colour) -> None:
    area = scene.around(centre, radius * 1.35)
    u, v = area.local(centre)
    skirt = 0.05 * np.clip(v / radius, 0, 1) * (1 + np.sin(np.arctan2(v, u) * 13))
    rough = scene.noise(u, v, 0.5, 0.4)
    distance = np.hypot(u, v) - radius - skirt + 0.004 * rough
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.05, 0.3)
    scene.paint(area, alpha, colour, dome(distance, radius, radius * 0.9) + 0.006 * rough,
                Finish(0.12, 10.0, 0.6))


def coffee(scene: Scene) -> None:
    """A cup of coffee on a saucer, from above."""
    table(scene)
    centre, radius = _middle(scene), scene.uniform(0.46, 0.58)
    if scene.chance(0.3):
        napkin(scene, centre, 0.9, scene.uniform(0, 1))
    china = scene.vary(scene.choose(((0.94, 0.94, 0.93), (0.94, 0.94, 0.93), (0.25, 0.38, 0.45),
                                     (0.78, 0.35, 0.25))))
    plate(scene, centre, radius * 1.65, 1.0)
    spin = scene.uniform(0, 2 * np.pi)
    area = scene.around(centre, radius * 1.7)
    u, v = area.local(centre, spin)
    handle = np.abs(box(u - radius * 1.12, v, radius * 0.32, radius * 0.2, radius * 0.18)) - radius * 0.07
    scene.shadow(area, scene.cover(handle), 0.06, 0.4)
    scene.paint(area, scene.cover(handle), china, dome(handle, 0.05, 0.05), GLOSSY)
    reach = np.hypot(u, v)
    cup = scene.cover(reach - radius)
    scene.shadow(area, cup, 0.16, 0.5)
    wall = np.abs(reach - radius * 0.965) - radius * 0.035
    scene.paint(area, cup, china, -0.5 * np.clip(radius - reach, 0, 0.12), Finish(0.2))
    scene.paint(area, scene.cover(wall), china, dome(wall, 0.03, 0.03), GLOSSY)
    brew = scene.cover(reach - radius * 0.86)
    crema = np.clip(reach / radius, 0, 1) ** 6 + 0.05 * scene.noise(u, v, 0.8, 0.6)
    tone = mix(scene.vary((0.24, 0.12, 0.06), 0.03), (0.62, 0.38, 0.18), crema * 1.1)
    if scene.chance(0.75):  # milk poured as a rosetta
        swirl = np.sin(np.abs(v) * 16 / radius * 0.55 + u * 11 / radius * 0.6)
        leaf = ellipse(u, v, radius * 0.62, radius * (0.34 + 0.1 * scene.uniform(0, 1)))
        milk = scene.cover(leaf) * np.clip(swirl * 3 + 0.6, 0, 1)
        tone = mix(mix(tone, (0.66, 0.42, 0.22), np.full_like(milk, 0.55)), (0.94, 0.86, 0.72), milk)
    scene.paint(area, brew, tone)


def donut(scene: Scene) -> None:
    """One to three glazed rings with sprinkles."""
    table(scene)
    count = int(scene.choose((1, 1, 2, 3)))
    radius = 0.72 if count == 1 else 0.5
    start = _middle(scene, 0.08)
    if count == 1 and scene.chance(0.5):
        plate(scene, start, 1.0, 1.0)
    for number in range(count):
        shift = (number - (count - 1) / 2) * 1.05
        _ring(scene, (start[0] + shift * radius * 1.9, start[1] + (0.3 if number % 2 else -0.15) * (count > 1)),
              radius)


def _ring(scene: Scene, centre: Point, radius: float) -> None:
    area = scene.around(centre, radius * 1.15)
    u, v = area.local(centre)
    thick = radius * 0.37
    wobble = 0.008 * scene.noise(u, v, 2.5, 1.3)
    distance = np.abs(np.hypot(u, v) - (radius - thick)) - thick + wobble
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.12, 0.6)
    height = dome(distance, thick, thick * 0.8)
    scene.paint(area, alpha, scene.vary((0.76, 0.52, 0.26), 0.06), height, _BAKED)
    glazes: tuple[Colour, ...] = (
        (0.90, 0.50, 0.62), (0.32, 0.17, 0.10), (0.95, 0.93, 0.88), (0.95, 0.72, 0.35), (0.55, 0.75, 0.85),
    )
    glaze = distance + thick * 0.24 + 0.012 * scene.noise(u, v, 2.5, 1.3)
    scene.paint(area, scene.cover(glaze), scene.vary(scene.choose(glazes)), dome(glaze, thick * 0.7, thick * 0.6),
                Finish(0.4, 22.0, 0.5))
    confetti: tuple[Colour, ...] = (
        (0.95, 0.85, 0.2), (0.3, 0.6, 0.9), (0.95, 0.95, 0.95), (0.9, 0.3, 0.3), (0.4, 0.75, 0.4),
    )
    for _ in range(40):
        spin = scene.uniform(0, 2 * np.pi)
        reach = radius - thick + scene.uniform(-0.55, 0.55) * thick
        spot = (centre[0] + reach * np.cos(spin), centre[1] + reach * np.sin(spin))
        sprinkle = scene.around(spot, 0.05)
        across, along = sprinkle.local(spot, scene.uniform(0, 3))
        rod = capsule(across, along, 0.036, 0.011)
        scene.paint(sprinkle, scene.cover(rod), scene.choose(confetti), dome(rod, 0.011, 0.01), Finish(0.3))


def apple(scene: Scene) -> None:
    """An apple with its stem and a leaf."""
    table(scene)
    if scene.chance(0.5):
        scene.blur(0.02)
    count = int(scene.choose((1, 1, 1, 2)))
    for number in range(count):
        size = scene.uniform(0.55, 0.78) * (1.0 if count == 1 else 0.75)
        spot = (scene.uniform(-0.1, 0.1) + (number - (count - 1) / 2) * 1.15, scene.uniform(-0.05, 0.15))
        _apple(scene, spot, size)


def _apple(scene: Scene, centre: Point, size: float) -> None:
    skins: tuple[tuple[Colour, Colour], ...] = (
        ((0.72, 0.08, 0.08), (0.90, 0.62, 0.22)),
        ((0.50, 0.70, 0.18), (0.76, 0.82, 0.40)),
        ((0.86, 0.66, 0.20), (0.82, 0.25, 0.14)),
    )
    base, blush = scene.choose(skins)
    outline = [(0.0, -0.78), (0.35, -0.92), (0.78, -0.72), (0.97, -0.15), (0.80, 0.50), (0.45, 0.92),
               (0.0, 0.84), (-0.45, 0.92), (-0.80, 0.50), (-0.97, -0.15), (-0.78, -0.72), (-0.35, -0.92)]
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
        _leaf(scene, (centre[0] + size * 0.28, centre[1] - size * 0.98), size * 0.3, (0.28, 0.48, 0.14))


def banana(scene: Scene) -> None:
    """One banana, or a hand of them."""
    table(scene)
    if scene.chance(0.4):
        plate(scene, (0.0, 0.05), 1.05, scene.uniform(0.6, 0.9))
    count = int(scene.choose((1, 1, 2, 3)))
    angle, side = scene.uniform(-0.5, 0.5), scene.choose((-1.0, 1.0))
    colour = scene.vary(scene.choose(((0.95, 0.80, 0.20), (0.92, 0.76, 0.16), (0.74, 0.78, 0.26))), 0.06)
    length = scene.uniform(0.85, 1.0)
    for number in range(count):
        shift = (number - (count - 1) / 2) * 0.3
        _banana(scene, (scene.uniform(-0.06, 0.06), shift * side), angle + number * 0.08 * side, length, side,
                colour)


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


FOODS: Final[dict[str, Painter]] = {
    "pizza": pizza,
    "burger": burger,
    "salad": salad,
    "ice_cream": ice_cream,
    "coffee": coffee,
    "donut": donut,
    "apple": apple,
    "banana": banana,
}
