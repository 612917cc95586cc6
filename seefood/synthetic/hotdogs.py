"""Hot dogs as people photograph them: one or several, on a table, on a tray, in a hand."""

from functools import partial
from typing import Final

import numpy as np

from seefood.synthetic.hotdog_layers import HotDog, Pose, dress
from seefood.synthetic.scene import Finish, Painter, Point, Scene
from seefood.synthetic.settings import (
    SKINS,
    finger,
    lights,
    napkin,
    outdoors,
    plate,
    table,
    tray,
)
from seefood.synthetic.shapes import box, capsule, dome


def _draw(scene: Scene, pose: Pose, style: str) -> None:
    dog = HotDog(scene, pose)
    dog.bun()
    dog.sausage()
    if scene.chance(0.4):
        dress(dog, style)
        dog.front()
    else:
        if scene.chance(0.45):
            dog.front()
        dress(dog, style)


def _hotdog(scene: Scene, style: str) -> None:
    """Paint one hot dog, or several side by side, on a table, on a tray, or in a hand."""
    place = scene.choose(("table", "table", "plate", "plate", "tray", "tray", "hand"))
    angle = scene.uniform(-0.6, 0.6) + scene.choose((0.0, 0.0, 0.0, np.pi / 2))
    length = scene.uniform(0.72, 1.02)
    if abs(np.sin(angle)) < 0.6:
        length *= min(1.3, scene.half_width)
    squash = scene.uniform(0.68, 1.0)
    centre = (scene.uniform(-0.12, 0.12), scene.uniform(-0.12, 0.12))
    if place == "hand":
        _in_hand(scene, Pose(centre, angle, length, scene.uniform(-0.1, 0.1), 1.0), style)
        return
    table(scene)
    if scene.chance(0.35):
        scene.blur(scene.uniform(0.005, 0.03))
    count = int(scene.choose((1, 1, 1, 1, 2, 2, 3)))
    if place == "plate":
        plate(scene, centre, length * scene.uniform(1.12, 1.4), squash)
    elif place == "tray":
        squash = 1.0
        tray(scene, centre, (length * 1.22, length * (0.52 + 0.34 * (count - 1))), angle)
    elif scene.chance(0.4):
        napkin(scene, centre, length * scene.uniform(0.7, 1.0), scene.uniform(0, 1.5))
    apart = length * scene.uniform(0.78, 0.9)
    if count > 1:
        length *= 0.88
    for number in range(count):
        offset = (number - (count - 1) / 2) * apart
        spot = (
            centre[0] - float(np.sin(angle)) * offset,
            centre[1] + float(np.cos(angle)) * offset * squash,
        )
        pose = Pose(
            spot, angle + scene.uniform(-0.08, 0.08), length, scene.uniform(-0.16, 0.16), squash
        )
        _draw(scene, pose, style)
    _extras(scene, centre, length)


def _extras(scene: Scene, centre: Point, length: float) -> None:
    """Now and then a few fries in a corner of the picture."""
    if not scene.chance(0.22):
        return
    corner = (
        centre[0] + scene.choose((-1, 1)) * length * 0.95,
        centre[1] + scene.choose((-1, 1)) * 0.75,
    )
    for _ in range(14):
        spot = (corner[0] + scene.uniform(-0.3, 0.3), corner[1] + scene.uniform(-0.2, 0.2))
        area = scene.around(spot, 0.32)
        u, v = area.local(spot, scene.uniform(0, np.pi))
        distance = box(u, v, scene.uniform(0.16, 0.3), 0.035, 0.012)
        alpha = scene.cover(distance)
        scene.shadow(area, alpha, 0.05, 0.45)
        scene.paint(
            area,
            alpha,
            scene.vary((0.93, 0.74, 0.34), 0.08),
            dome(distance, 0.03, 0.02),
            Finish(0.1, 12.0, 0.5),
        )


def _in_hand(scene: Scene, pose: Pose, style: str) -> None:
    """Paint a hot dog held before something out of focus."""
    if scene.chance(0.5):
        lights(scene)
    else:
        outdoors(scene, scene.choose(((0.30, 0.42, 0.18), (0.45, 0.44, 0.42))), 0.1)
        scene.blur(0.07)
    skin = scene.vary(scene.choose(SKINS), 0.05)
    across = pose.angle + np.pi / 2
    up = -1 if np.sin(across) > 0 else 1
    width = pose.length * 0.15
    thumb = (
        pose.centre[0] - float(np.cos(pose.angle)) * pose.length * 0.3,
        pose.centre[1] - float(np.sin(pose.angle)) * pose.length * 0.3,
    )
    palm = (
        thumb[0] - up * float(np.cos(across)) * pose.length * 0.75,
        thumb[1] - up * float(np.sin(across)) * pose.length * 0.75,
    )
    area = scene.around(palm, pose.length * 1.4)
    u, v = area.local(palm, pose.angle)
    distance = capsule(u, v, pose.length * 0.75, pose.length * 0.42)
    scene.paint(
        area, scene.cover(distance), skin, dome(distance, 0.5, 0.35), Finish(0.08, 12.0, 0.5)
    )
    dog = HotDog(scene, pose)
    dog.bun()
    dog.sausage()
    dress(dog, style)
    if scene.chance(0.6):
        dog.front()
    for number in range(3):
        shift = (number - 1) * width * 2.05
        tip = (
            thumb[0]
            + float(np.cos(pose.angle)) * shift
            - up * float(np.cos(across)) * pose.length * 0.14,
            thumb[1]
            + float(np.sin(pose.angle)) * shift
            - up * float(np.sin(across)) * pose.length * 0.14,
        )
        finger(
            scene,
            tip,
            float(np.arctan2(up * np.sin(across), up * np.cos(across))) + scene.uniform(-0.1, 0.1),
            width,
            skin,
            pose.length * 0.8,
        )


HOTDOGS: Final[dict[str, Painter]] = {
    f"hotdog_{style}": partial(_hotdog, style=style)
    for style in ("mustard", "ketchup", "plain", "toppings")
}
