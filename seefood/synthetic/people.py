"""Portraits of people who do not exist."""

from typing import Final

import numpy as np

from seefood.synthetic.bodies import (
    backdrop,
    ball,
    body,
    placed,
)
from seefood.synthetic.scene import Colour, Finish, Painter, Scene
from seefood.synthetic.settings import (
    SKINS,
)
from seefood.synthetic.shapes import capsule, ellipse, points


def person(scene: Scene) -> None:
    """A head and shoulders portrait."""
    backdrop(scene)
    skin = scene.vary(scene.choose(SKINS), 0.05)
    hairs: tuple[Colour, ...] = (
        (0.12, 0.08, 0.06),
        (0.30, 0.18, 0.10),
        (0.62, 0.46, 0.24),
        (0.50, 0.22, 0.10),
        (0.62, 0.60, 0.58),
    )
    hair = scene.vary(scene.choose(hairs), 0.04)
    x, y, size = scene.uniform(-0.2, 0.2), scene.uniform(-0.25, -0.1), scene.uniform(0.46, 0.56)
    long = scene.chance(0.5)
    if long:
        back = points("-0.85,-0.6 0,-1.35 0.85,-0.6 1,0.6 0.85,1.5 -0.85,1.5 -1,0.6")
        body(scene, placed(back, (x, y), size), hair, Finish(0.12, 10.0), 0.1)
    shirt = scene.vary(
        scene.choose(
            (
                (0.70, 0.16, 0.16),
                (0.18, 0.28, 0.50),
                (0.90, 0.90, 0.88),
                (0.15, 0.15, 0.17),
                (0.22, 0.45, 0.35),
            )
        )
    )
    torso = points(
        "-0.45,1.25 0,1.35 0.45,1.25 1.35,1.6 1.75,2.3 1.8,3.4 -1.8,3.4 -1.75,2.3 -1.35,1.6"
    )
    body(scene, placed(torso, (x, y), size), shirt, Finish(), 0.2)
    neck = points("-0.36,0.6 0.36,0.6 0.36,1.2 0.5,1.42 0,1.62 -0.5,1.42 -0.36,1.2")
    shade = (skin[0] * 0.85, skin[1] * 0.8, skin[2] * 0.78)
    body(scene, placed(neck, (x, y), size), shade, Finish(), 0.1)
    for flip in (-1.0, 1.0):
        ball(scene, (x + flip * size * 0.80, y + size * 0.1), size * 0.16, shade, Finish())
    face = points(
        "-0.78,-0.3 -0.55,-0.9 0,-1.08 0.55,-0.9 0.78,-0.3 0.72,0.35 0.42,0.88 0,1.05 -0.42,0.88 "
        "-0.72,0.35"
    )
    area, mask = body(scene, placed(face, (x, y), size), skin, Finish(0.06, 10.0, 0.55), 0.3)
    u, v = area.local((x, y))
    u, v = u / size, v / size
    blush = np.exp(-(((np.abs(u) - 0.45) / 0.2) ** 2 + ((v - 0.32) / 0.16) ** 2)) * mask
    scene.paint(area, blush * np.float32(0.28), (0.85, 0.35, 0.30))
    iris = scene.choose(((0.28, 0.18, 0.10), (0.30, 0.45, 0.60)))
    for flip in (-1.0, 1.0):
        spot = (x + flip * size * 0.32, y - size * 0.06)
        white = ellipse(u - flip * 0.32, v + 0.06, 0.155, 0.085)
        scene.paint(area, scene.cover(white * size), (0.95, 0.94, 0.92))
        ball(
            scene,
            spot,
            size * 0.078,
            iris,
            Finish(),
        )
        ball(scene, spot, size * 0.036, (0.02, 0.02, 0.02), Finish())
        ball(
            scene,
            (spot[0] - size * 0.02, spot[1] - size * 0.025),
            size * 0.018,
            (1, 1, 1),
            Finish(ambient=1.0),
        )
        brow = capsule(u - flip * 0.33, v + 0.26 + 0.25 * (u - flip * 0.3) ** 2, 0.19, 0.032)
        scene.paint(area, scene.cover(brow * size), hair)
        scene.paint(
            area, scene.cover((np.abs(white) - 0.012) * size) * (v < -0.06), (0.15, 0.09, 0.07)
        )
    nose = np.exp(-(((u - 0.04) / 0.055) ** 2 + ((v - 0.18) / 0.2) ** 2))
    scene.paint(area, nose * np.float32(0.3), shade)
    tip = np.exp(-(((np.abs(u) - 0.085) / 0.035) ** 2 + ((v - 0.33) / 0.022) ** 2))
    scene.paint(area, tip * np.float32(0.6), (shade[0] * 0.6, shade[1] * 0.5, shade[2] * 0.5))
    smile = v - 0.60 + 0.35 * u * u
    lips = np.maximum(np.abs(smile) - 0.055 * np.clip(1 - (u / 0.3) ** 2, 0, 1), np.abs(u) - 0.3)
    scene.paint(area, scene.cover(lips * size), (0.74, 0.33, 0.32))
    scene.paint(
        area, scene.cover((np.abs(smile) - 0.01) * size) * (np.abs(u) < 0.27), (0.35, 0.12, 0.12)
    )
    fringe = [
        (-0.86, 0.1 if long else -0.25),
        (-0.88, -0.7),
        (-0.5, -1.2),
        (0.1, -1.3),
        (0.65, -1.1),
        (0.9, -0.6),
        (0.86, 0.1 if long else -0.25),
        (0.7, -0.5),
        (0.3, -0.72),
        (-0.3, -0.58),
        (-0.68, -0.42),
    ]
    area, mask = body(scene, placed(fringe, (x, y), size), hair, Finish(0.2, 8.0), 0.12)
    u, v = area.local((x, y))
    strands = scene.noise(u, v * 0.1, 0.35, 0.3)
    scene.pixels[area.rows, area.columns] *= (1 + 0.14 * strands * mask)[..., None]


PEOPLE: Final[dict[str, Painter]] = {"person": person}
