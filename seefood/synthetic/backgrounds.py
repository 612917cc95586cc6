"""What things stand on: a table of wood, cloth or stone, a plate, a paper tray, a lawn."""

from typing import Final

import numpy as np

from seefood.synthetic.scene import Color, Point, Scene
from seefood.synthetic.shapes import box, disc, dome, mix, shade

_WOODS: Final[tuple[Color, ...]] = (
    (0.55, 0.37, 0.22),
    (0.42, 0.27, 0.16),
    (0.70, 0.54, 0.36),
    (0.30, 0.20, 0.14),
    (0.60, 0.56, 0.50),
)
_CLOTHS: Final[tuple[Color, ...]] = (
    (0.75, 0.12, 0.12),
    (0.15, 0.25, 0.55),
    (0.12, 0.40, 0.25),
    (0.35, 0.35, 0.38),
)
_STONES: Final[tuple[Color, ...]] = (
    (0.86, 0.85, 0.83),
    (0.20, 0.21, 0.23),
    (0.66, 0.60, 0.52),
    (0.50, 0.62, 0.64),
)
_CHINA: Final[tuple[Color, ...]] = ((0.93, 0.93, 0.92), (0.93, 0.93, 0.92), (0.30, 0.36, 0.42))
_TRAYS: Final[tuple[Color, ...]] = ((0.80, 0.14, 0.12), (0.15, 0.30, 0.60), (0.72, 0.58, 0.40))
_SKIES: Final[tuple[Color, ...]] = ((0.45, 0.66, 0.92), (0.62, 0.74, 0.86), (0.80, 0.80, 0.82))
_GRASS: Final[Color] = (0.30, 0.44, 0.17)


def paint_table(scene: Scene) -> None:
    """Fill the scene with a table top seen from above."""
    scene.choose((_paint_wood, _paint_wood, _paint_cloth, _paint_cloth, _paint_stone))(scene)


def _paint_wood(scene: Scene) -> None:
    patch = scene.patch(angle=scene.choose((0.0, 0.0, np.pi / 2, 0.12, -0.2)))
    width = scene.uniform(0.35, 0.8)
    plank = np.floor(patch.v / width)
    within = patch.v / width - plank
    shift = np.sin(plank * 12.9898) * 43.7585 % 1  # a pseudo-random number for each plank
    grain = scene.noise(patch.u * 0.06 + shift * 3, patch.v, 0.6, 0.4)
    rings = np.sin(patch.v * 31 + scene.noise(patch.u * 0.25 + shift * 7, patch.v, 2.5) * 3.5)
    gap = np.clip(np.minimum(within, 1 - within) * width * 60, 0.35, 1)
    tone = (1 + 0.09 * grain + 0.05 * rings + 0.22 * (shift - 0.5)) * gap
    scene.pixels[:] = shade(scene.vary(scene.choose(_WOODS), 0.1), tone)


def _paint_cloth(scene: Scene) -> None:
    patch = scene.patch(angle=scene.uniform(-0.8, 0.8))
    folds = scene.noise(patch.u, patch.v, 3.5)
    check = scene.uniform(0.12, 0.28)
    edge = scene.unit * check / 3
    across, along = (
        np.clip(np.sin((side + folds * 0.01) * np.pi / check) * edge, -1, 1) / 2 + 0.5
        for side in (patch.u, patch.v)
    )
    share = scene.choose(((across + along) / 2, across, np.ones_like(across)))
    color = mix((0.93, 0.92, 0.90), scene.vary(scene.choose(_CLOTHS)), share)
    weave = scene.noise(patch.u, patch.v, 0.35, 0.2)
    scene.pixels[:] = shade(color, 1 + 0.10 * folds + 0.02 * weave)


def _paint_stone(scene: Scene) -> None:
    patch = scene.patch(angle=scene.uniform(-3, 3))
    tone = (
        1 + 0.04 * scene.noise(patch.u, patch.v, 3.0) + 0.025 * scene.noise(patch.u, patch.v, 0.5)
    )
    vein = np.abs(scene.noise(patch.u, patch.v * 0.6, 3.5, 1.2))
    tone -= scene.choose((0.0, 0.16)) * np.exp(-((vein / 0.05) ** 2))
    scene.pixels[:] = shade(scene.vary(scene.choose(_STONES), 0.08), tone)


def paint_plate(scene: Scene, center: Point, radius: float, squash: float = 1.0) -> None:
    """Paint a round plate."""
    patch = scene.patch(center, radius + 0.1, 0.0, squash)
    distance = disc(patch.u, patch.v, radius)
    inward = np.clip(-distance / (radius * 0.32), 0, 1)
    height = dome(distance, 0.03, 0.03) - 0.05 * inward * inward * (3 - 2 * inward)
    scene.paint(patch, distance, scene.vary(scene.choose(_CHINA)), height, gloss=0.18, shadow=0.09)


def paint_tray(scene: Scene, center: Point, half: tuple[float, float], angle: float) -> None:
    """Paint a paper tray with a checkered or plain lining; `half` is (length, width) / 2."""
    patch = scene.patch(center, float(np.hypot(*half)), angle)
    distance = box(patch.u, patch.v, *half, 0.12)
    checks = (np.floor(patch.u / 0.09) + np.floor(patch.v / 0.09)) % 2 * scene.choose((0, 1, 1))
    paper = mix((0.93, 0.92, 0.88), scene.choose(_TRAYS), checks)
    height = 0.10 * (1 - np.clip(-distance / 0.16, 0, 1))
    scene.paint(patch, distance, paper, height, shadow=0.1)


def paint_lawn(scene: Scene, horizon: float) -> None:
    """Fill the scene with a sky above `horizon` and grass below it."""
    whole = scene.patch()
    blue = scene.vary(scene.choose(_SKIES))
    sky = mix((0.93, 0.95, 0.98), blue, np.clip(0.4 + (horizon - whole.v) / 2, 0, 1))
    clouds = scene.noise(whole.u, whole.v * 2.2, 5.0)
    scene.pixels[:] = mix(sky, (0.97, 0.97, 0.98), np.clip(clouds * 0.5, 0, 0.85))
    depth = np.clip(whole.v - horizon, 0.0, None) + 0.06
    blades = scene.noise(whole.u / depth, 1 / depth, 0.5, 0.3)
    scene.paint(whole, horizon - whole.v, shade(scene.vary(_GRASS), 1 + 0.13 * blades))
