"""Shoes and cars."""

from typing import Final

import numpy as np

from seefood.synthetic.bodies import (
    ball,
    body,
    placed,
)
from seefood.synthetic.scene import GLOSSY, Colour, Finish, Painter, Point, Scene
from seefood.synthetic.settings import (
    counter,
    hedge,
    outdoors,
    room,
    wood,
)
from seefood.synthetic.shapes import (
    box,
    capsule,
    dome,
    ellipse,
    mix,
    points,
    puffed,
    smooth_outline,
)

_ASPHALT: Final[Colour] = (0.38, 0.38, 0.39)


def _floor(scene: Scene) -> None:
    room(scene, -0.1)


def shoe(scene: Scene) -> None:
    """A sneaker from the side."""
    scene.choose((wood, counter, _floor))(scene)
    scene.blur(0.015)
    size, flip = scene.uniform(0.8, 1.0), scene.choose((-1.0, 1.0))
    centre = (scene.uniform(-0.1, 0.1), scene.uniform(0.0, 0.2))
    palette: tuple[Colour, ...] = (
        (0.78, 0.12, 0.12),
        (0.14, 0.22, 0.45),
        (0.92, 0.91, 0.89),
        (0.13, 0.13, 0.14),
        (0.18, 0.48, 0.36),
        (0.90, 0.62, 0.15),
    )
    colour = scene.vary(scene.choose(palette))
    sole = points(
        "-1.02,0.22 -0.5,0.27 0.4,0.27 1,0.2 1.08,0.34 0.95,0.45 0,0.46 -0.9,0.46 -1.06,0.38"
    )
    upper = points(
        "-0.98,0.28 -1,-0.1 -0.95,-0.48 -0.72,-0.52 -0.45,-0.38 -0.2,-0.42 0.1,-0.24 0.45,-0.04 "
        "0.85,0.02 1.03,0.18 0.98,0.29 0,0.32"
    )
    tread = placed(sole, centre, size, flip)
    area = scene.around(centre, size * 1.3)
    scene.shadow(area, scene.polygon(area, smooth_outline(tread)), 0.14, 0.65)
    area, mask = body(scene, placed(upper, centre, size, flip), colour, Finish(0.12, 14.0), 0.2)
    u, v = area.local(centre)
    u, v = u * np.float32(flip) / size, v / size
    weave = scene.noise(u, v, 0.25, 0.2)
    scene.pixels[area.rows, area.columns] *= (1 + 0.04 * weave * mask)[..., None]
    trim = scene.choose(((0.95, 0.95, 0.94), (0.12, 0.12, 0.13), (0.95, 0.80, 0.2)))
    swoosh = np.abs(v - 0.18 + 0.55 * (u + 0.1) ** 2 - 0.35 * u) - 0.045 * np.clip(
        1 - np.abs(u + 0.1) / 0.6, 0, 1
    )
    scene.paint(area, scene.cover(swoosh * size) * mask, trim, dome(swoosh, 0.04, 0.015))
    toe = np.hypot((u - 0.98) / 0.36, (v - 0.22) / 0.24) - 1
    scene.paint(
        area,
        scene.cover(toe * 0.25 * size) * mask,
        (0.92, 0.91, 0.88),
        puffed(mask, scene.unit, 0.15),
    )
    hole = ellipse(u + 0.72, v + 0.47 - 0.12 * (u + 0.72), 0.22, 0.055)
    scene.paint(area, scene.cover(hole * size) * mask, (0.08, 0.08, 0.08))
    for number in range(5):
        start = (
            centre[0] + flip * size * (-0.22 + 0.13 * number),
            centre[1] + size * (-0.33 + 0.075 * number),
        )
        lace = scene.around(start, size * 0.2)
        along, across = lace.local(start, flip * (2.0 + 0.1 * number))
        rod = capsule(along, across, size * 0.12, size * 0.024)
        scene.shadow(lace, scene.cover(rod), 0.015, 0.4)
        scene.paint(lace, scene.cover(rod), trim, dome(rod, 0.024, 0.02), Finish())
    area, mask = body(scene, tread, (0.93, 0.92, 0.90), Finish(0.1, 14.0), 0.08)
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
        (0.75, 0.08, 0.08),
        (0.10, 0.24, 0.52),
        (0.86, 0.86, 0.87),
        (0.12, 0.12, 0.13),
        (0.93, 0.72, 0.10),
        (0.36, 0.42, 0.40),
        (0.20, 0.42, 0.34),
    )
    colour = scene.vary(scene.choose(paints))
    saloon = points(
        "-1.16,0.28 -1.2,0.02 -1.12,-0.12 -0.78,-0.18 -0.48,-0.5 -0.1,-0.56 0.3,-0.52 0.62,-0.2 "
        "1.05,-0.1 1.18,0.06 1.18,0.28 0.9,0.34 -0.9,0.34"
    )
    hatch = points(
        "-1.1,0.28 -1.13,-0.05 -1.05,-0.42 -0.8,-0.58 -0.2,-0.62 0.28,-0.54 0.6,-0.2 1.02,-0.1 "
        "1.14,0.06 1.14,0.28 0.9,0.34 -0.9,0.34"
    )
    outline = scene.choose((saloon, hatch))
    ground = scene.around((centre[0], centre[1] + size * 0.48), size * 1.35, size * 0.25)
    u, v = ground.local((centre[0], centre[1] + size * 0.5))
    pool = np.clip(1 - (u / (size * 1.25)) ** 2 - (v / (size * 0.12)) ** 2, 0, 1)
    scene.pixels[ground.rows, ground.columns] *= (1 - 0.75 * np.sqrt(pool))[..., None]
    area, mask = body(
        scene, placed(outline, centre, size, flip), colour, Finish(0.35, 30.0, 0.5), 0.16
    )
    u, v = area.local(centre)
    u, v = u * np.float32(flip) / size, v / size
    sill = np.clip((v - 0.18) * 6, 0, 0.5) * mask
    scene.paint(area, sill, (0.05, 0.05, 0.05))
    top = -0.49 if outline is saloon else -0.53
    rear = -0.66 if outline is saloon else -0.95
    glass = np.maximum.reduce(
        [
            np.broadcast_to(top - v, mask.shape),
            np.broadcast_to(v + 0.19, mask.shape),
            (u - 0.52 - (v + 0.19) * 0.9),
            (rear - u - (v + 0.19) * (0.9 if outline is saloon else 0.3)),
        ]
    )
    window = scene.cover(glass * size)
    sheen = np.clip(0.35 + 0.5 * np.sin((u + v * 0.6) * 7), 0, 1)
    scene.paint(area, window, mix((0.10, 0.13, 0.16), (0.52, 0.62, 0.70), sheen * 0.7))
    for pillar in (-0.08, -0.58):
        scene.paint(area, scene.cover((np.abs(u - pillar) - 0.022) * size) * window, colour)
    for seam in (-0.08, 0.47, -0.58):
        line = (
            scene.cover((np.abs(u - seam + 0.02 * v) - 0.005) * size)
            * mask
            * (v > -0.19)
            * (v < 0.26)
        )
        scene.paint(area, line * np.float32(0.7), (0.05, 0.05, 0.05))
    for handle in (-0.16, -0.66):
        scene.paint(
            area,
            scene.cover(box(u - handle + 0.0, v + 0.11, 0.05, 0.014, 0.01) * size),
            (0.75, 0.75, 0.76),
        )
    lamp = ellipse(u - 1.08, v - 0.03, 0.085, 0.05)
    scene.paint(
        area, scene.cover(lamp * size) * mask, (0.97, 0.95, 0.85), dome(lamp, 0.05, 0.03), GLOSSY
    )
    tail = ellipse(u + 1.1, v + 0.02, 0.05, 0.07)
    scene.paint(
        area, scene.cover(tail * size) * mask, (0.75, 0.06, 0.05), dome(tail, 0.05, 0.03), GLOSSY
    )
    for axle in (-0.68, 0.70):
        _wheel(scene, (centre[0] + flip * axle * size, centre[1] + 0.32 * size), 0.225 * size)


def _wheel(scene: Scene, centre: Point, radius: float) -> None:
    ball(scene, (centre[0], centre[1] - radius * 0.05), radius * 1.13, (0.03, 0.03, 0.03), Finish())
    area = scene.around(centre, radius * 1.1)
    u, v = area.local(centre)
    reach = np.hypot(u, v) / radius
    tyre = np.abs(reach - 0.82) * radius - radius * 0.18
    scene.paint(
        area,
        scene.cover(reach * radius - radius),
        (0.09, 0.09, 0.10),
        dome(tyre, 0.04, 0.03),
        Finish(0.1),
    )
    spin = np.arctan2(v, u)
    spokes = np.clip(np.cos(spin * 5) * 4 + 1.2, 0, 1) * (reach > 0.2) + (reach <= 0.2)
    rim = scene.cover((reach - 0.64) * radius)
    scene.paint(area, rim, mix((0.12, 0.12, 0.13), (0.74, 0.75, 0.77), spokes.astype(np.float32)))
    ring = scene.cover((np.abs(reach - 0.61) - 0.04) * radius)
    scene.paint(area, ring, (0.80, 0.81, 0.82))


GOODS: Final[dict[str, Painter]] = {"shoe": shoe, "car": car}
