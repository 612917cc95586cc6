"""Ice cream, coffee and donuts."""

from typing import Final

import numpy as np

from seefood.synthetic.bodies import (
    BAKED,
    middle,
)
from seefood.synthetic.scene import GLOSSY, Colour, Finish, Painter, Point, Scene
from seefood.synthetic.settings import (
    lights,
    napkin,
    outdoors,
    plate,
    table,
)
from seefood.synthetic.shapes import box, capsule, dome, ellipse, mix


def ice_cream(scene: Scene) -> None:
    """A cone with one to three scoops."""
    if scene.chance(0.5):
        lights(scene)
    else:
        outdoors(
            scene, scene.choose(((0.78, 0.70, 0.52), (0.30, 0.45, 0.20))), scene.uniform(0.0, 0.5)
        )
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
    lines = np.minimum(
        np.abs(((u + v * 0.5) / 0.085) % 1 - 0.5), np.abs(((u - v * 0.5) / 0.085) % 1 - 0.5)
    )
    waffle = mix((0.63, 0.40, 0.18), (0.86, 0.64, 0.35), lines * 4)
    height = np.sqrt(np.clip((wide * share) ** 2 - u * u, 0, None)) - 0.02 * np.clip(
        lines * 4, 0, 1
    )
    scene.paint(area, alpha, waffle, height, BAKED)
    flavours: tuple[Colour, ...] = (
        (0.95, 0.90, 0.76),
        (0.92, 0.62, 0.66),
        (0.42, 0.26, 0.17),
        (0.68, 0.84, 0.66),
        (0.97, 0.80, 0.45),
        (0.62, 0.45, 0.68),
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
    scene.paint(
        area,
        alpha,
        colour,
        dome(distance, radius, radius * 0.9) + 0.006 * rough,
        Finish(0.12, 10.0, 0.6),
    )


def coffee(scene: Scene) -> None:
    """A cup of coffee on a saucer, from above."""
    table(scene)
    centre, radius = middle(scene), scene.uniform(0.46, 0.58)
    if scene.chance(0.3):
        napkin(scene, centre, 0.9, scene.uniform(0, 1))
    china = scene.vary(
        scene.choose(
            ((0.94, 0.94, 0.93), (0.94, 0.94, 0.93), (0.25, 0.38, 0.45), (0.78, 0.35, 0.25))
        )
    )
    plate(scene, centre, radius * 1.65, 1.0)
    spin = scene.uniform(0, 2 * np.pi)
    area = scene.around(centre, radius * 1.7)
    u, v = area.local(centre, spin)
    handle = (
        np.abs(box(u - radius * 1.12, v, radius * 0.32, radius * 0.2, radius * 0.18))
        - radius * 0.07
    )
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
        swirl = np.sin((u + np.abs(v) * 0.7) * 25 / radius)
        leaf = ellipse(u, v, radius * 0.62, radius * (0.34 + 0.1 * scene.uniform(0, 1)))
        milk = scene.cover(leaf) * np.clip(swirl * 3 + 0.9, 0, 1)
        tone = mix(
            mix(tone, (0.66, 0.42, 0.22), np.full_like(milk, 0.55)), (0.94, 0.86, 0.72), milk
        )
    scene.paint(area, brew, tone)


def donut(scene: Scene) -> None:
    """One to three glazed rings with sprinkles."""
    table(scene)
    count = int(scene.choose((1, 1, 2, 3)))
    radius = 0.72 if count == 1 else 0.5
    start = middle(scene, 0.08)
    if count == 1 and scene.chance(0.5):
        plate(scene, start, 1.0, 1.0)
    for number in range(count):
        shift = (number - (count - 1) / 2) * 1.05
        _ring(
            scene,
            (
                start[0] + shift * radius * 1.9,
                start[1] + (0.3 if number % 2 else -0.15) * (count > 1),
            ),
            radius,
        )


def _ring(scene: Scene, centre: Point, radius: float) -> None:
    area = scene.around(centre, radius * 1.15)
    u, v = area.local(centre)
    thick = radius * 0.37
    wobble = 0.008 * scene.noise(u, v, 2.5, 1.3)
    distance = np.abs(np.hypot(u, v) - (radius - thick)) - thick + wobble
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.12, 0.6)
    height = dome(distance, thick, thick * 0.8)
    scene.paint(area, alpha, scene.vary((0.76, 0.52, 0.26), 0.06), height, BAKED)
    glazes: tuple[Colour, ...] = (
        (0.90, 0.50, 0.62),
        (0.32, 0.17, 0.10),
        (0.95, 0.93, 0.88),
        (0.95, 0.72, 0.35),
        (0.55, 0.75, 0.85),
    )
    glaze = distance + thick * 0.24 + 0.012 * scene.noise(u, v, 2.5, 1.3)
    scene.paint(
        area,
        scene.cover(glaze),
        scene.vary(scene.choose(glazes)),
        dome(glaze, thick * 0.7, thick * 0.6),
        Finish(0.4, 22.0, 0.5),
    )
    confetti: tuple[Colour, ...] = (
        (0.95, 0.85, 0.2),
        (0.3, 0.6, 0.9),
        (0.95, 0.95, 0.95),
        (0.9, 0.3, 0.3),
        (0.4, 0.75, 0.4),
    )
    for _ in range(40):
        spin = scene.uniform(0, 2 * np.pi)
        reach = radius - thick + scene.uniform(-0.55, 0.55) * thick
        spot = (centre[0] + reach * np.cos(spin), centre[1] + reach * np.sin(spin))
        sprinkle = scene.around(spot, 0.05)
        across, along = sprinkle.local(spot, scene.uniform(0, 3))
        rod = capsule(across, along, 0.036, 0.011)
        scene.paint(
            sprinkle, scene.cover(rod), scene.choose(confetti), dome(rod, 0.011, 0.01), Finish(0.3)
        )


TREATS: Final[dict[str, Painter]] = {"ice_cream": ice_cream, "coffee": coffee, "donut": donut}
