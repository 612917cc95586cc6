"""Where things are photographed: tables, cloths, plates, trays, streets, lawns, rooms."""

import numpy as np

from seefood.synthetic.scene import Colour, Finish, Point, Scene
from seefood.synthetic.shapes import box, capsule, dome, ellipse, mix

WOODS: tuple[Colour, ...] = (
    (0.55, 0.37, 0.22),
    (0.42, 0.27, 0.16),
    (0.70, 0.54, 0.36),
    (0.30, 0.20, 0.14),
    (0.60, 0.56, 0.50),
)
CLOTHS: tuple[Colour, ...] = (
    (0.75, 0.12, 0.12),
    (0.15, 0.25, 0.55),
    (0.12, 0.40, 0.25),
    (0.85, 0.82, 0.76),
    (0.35, 0.35, 0.38),
)
PLAIN: tuple[Colour, ...] = (
    (0.86, 0.85, 0.83),
    (0.20, 0.21, 0.23),
    (0.75, 0.79, 0.82),
    (0.66, 0.60, 0.52),
    (0.50, 0.62, 0.64),
    (0.80, 0.72, 0.55),
)
SKINS: tuple[Colour, ...] = (
    (0.91, 0.72, 0.60),
    (0.82, 0.60, 0.46),
    (0.62, 0.42, 0.30),
    (0.42, 0.27, 0.19),
)


def wood(scene: Scene) -> None:
    """Fill the scene with planks of wood."""
    area = scene.everywhere()
    angle = scene.choose((0.0, 0.0, np.pi / 2, 0.12, -0.2)) + scene.uniform(-0.06, 0.06)
    u, v = area.local((scene.uniform(-1, 1), scene.uniform(-1, 1)), angle)
    plank = scene.uniform(0.35, 0.8)
    number = np.floor(v / plank)
    within = v / plank - number
    shift = np.sin(number * 12.9898) * 43.7585
    shift -= np.floor(shift)
    wave = scene.noise(u, v, 4.0)
    grain = scene.noise(u * 0.06 + shift * 3, v + wave * 0.012, 0.6, 0.4)
    rings = np.sin((v * 14 + scene.noise(u * 0.25 + shift * 7, v, 2.5) * 1.6) * 2.2)
    colour = np.array(scene.vary(scene.choose(WOODS), 0.1), np.float32)
    tone = 1 + 0.09 * grain + 0.05 * rings + 0.22 * (shift - 0.5)
    gap = np.clip(np.minimum(within, 1 - within) * plank * 60, 0.35, 1)
    scene.pixels[:] = colour * (tone * gap)[..., None].astype(np.float32)


def cloth(scene: Scene) -> None:
    """Fill the scene with a table cloth: gingham, striped, or plain with folds."""
    area = scene.everywhere()
    u, v = area.local((0.0, 0.0), scene.uniform(-0.8, 0.8))
    folds = scene.noise(u, v, 3.5)
    u, v = u + folds * 0.012, v + folds * 0.008
    colour = scene.vary(scene.choose(CLOTHS), 0.06)
    pattern = scene.choose(("gingham", "gingham", "stripes", "plain"))
    if pattern == "plain":
        base = np.broadcast_to(np.array(colour, np.float32), (*u.shape, 3))
    else:
        check = scene.uniform(0.12, 0.28)
        edge = scene.unit * check / 3
        across = np.clip(np.sin(u * np.pi / check) * edge, -1, 1) * 0.5 + 0.5
        along = np.clip(np.sin(v * np.pi / check) * edge, -1, 1) * 0.5 + 0.5
        share = across if pattern == "stripes" else (across + along) / 2
        base = mix((0.93, 0.92, 0.90), colour, share)
    weave = scene.noise(u, v, 0.35, 0.2) * 0.02
    scene.pixels[:] = base * (1 + 0.10 * folds + weave)[..., None].astype(np.float32)


def counter(scene: Scene) -> None:
    """Fill the scene with stone, laminate or a plain board."""
    area = scene.everywhere()
    u, v = area.local((0.0, 0.0), scene.uniform(-3, 3))
    colour = scene.vary(scene.choose(PLAIN), 0.08)
    tone = 1 + 0.04 * scene.noise(u, v, 3.0) + 0.025 * scene.noise(u, v, 0.5, 0.3)
    if scene.chance(0.4):  # veins of marble
        vein = np.abs(scene.noise(u, v * 0.6, 3.5, 1.2))
        tone -= 0.16 * np.exp(-((vein / 0.05) ** 2))
    tone += scene.uniform(-0.12, 0.12) * v
    scene.pixels[:] = np.array(colour, np.float32) * tone[..., None].astype(np.float32)


def table(scene: Scene) -> None:
    """Fill the scene with something that food lies on."""
    scene.choose((wood, wood, cloth, cloth, counter))(scene)


def plate(scene: Scene, centre: Point, radius: float, squash: float) -> None:
    """Put a round plate on the table."""
    area = scene.around(centre, radius + 0.1)
    u, v = area.local(centre, 0.0, squash)
    distance = np.hypot(u, v) - np.float32(radius)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.09, 0.45)
    colour = scene.vary(
        scene.choose(
            ((0.93, 0.93, 0.92), (0.93, 0.93, 0.92), (0.30, 0.36, 0.42), (0.85, 0.80, 0.70))
        )
    )
    rim = radius * 0.68
    inward = np.clip((radius - np.hypot(u, v)) / (radius - rim), 0, 1)
    height = -0.05 * inward * inward * (3 - 2 * inward) + dome(distance, 0.03, 0.03)
    scene.paint(area, alpha, colour, height, Finish(0.18, 40.0, 0.55))


def tray(scene: Scene, centre: Point, half: tuple[float, float], angle: float) -> None:
    """Put a paper tray on the table: a boat with a checkered or plain lining."""
    area = scene.around(centre, half[0] + 0.3)
    u, v = area.local(centre, angle)
    distance = box(u, v, half[0], half[1], 0.12)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.1, 0.5)
    colour = scene.choose(((0.80, 0.14, 0.12), (0.15, 0.30, 0.60), (0.72, 0.58, 0.40)))
    wall = np.clip(-distance / 0.16, 0, 1)
    height = 0.10 * (1 - wall)
    check = 0.09
    pattern = (np.floor(u / check) + np.floor(v / check)) % 2
    paper = mix((0.93, 0.92, 0.88), colour, pattern.astype(np.float32))
    if scene.chance(0.4):
        paper = mix((0.90, 0.87, 0.80), colour, np.zeros_like(pattern))
    scene.paint(area, alpha, paper, height, Finish(0.05, 20.0, 0.6))


def napkin(scene: Scene, centre: Point, half: float, angle: float) -> None:
    """Put a paper napkin on the table."""
    area = scene.around(centre, half * 1.6)
    u, v = area.local(centre, angle)
    distance = box(u, v, half, half * 0.8, 0.02)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.03, 0.35)
    height = 0.008 * scene.noise(u, v, 3.0, 1.2)
    scene.paint(area, alpha, scene.vary((0.93, 0.92, 0.90), 0.05), height, Finish(ambient=0.6))


def outdoors(scene: Scene, ground: Colour, horizon: float) -> None:
    """Fill the scene with sky above `horizon` and `ground` below it."""
    area = scene.everywhere()
    shape = (scene.height, scene.width)
    down = np.broadcast_to(area.y, shape)
    blue = scene.vary(scene.choose(((0.45, 0.66, 0.92), (0.62, 0.74, 0.86), (0.80, 0.80, 0.82))))
    pale = tuple(min(1.0, part + 0.22) for part in blue)
    share = np.clip((down + scene.half_height) / (horizon + scene.half_height + 0.01), 0, 1)
    sky = mix(blue, (pale[0], pale[1], pale[2]), share)
    clouds = scene.noise(area.x + 0 * area.y, down * 2.2, 5.0)
    sky = mix(sky, (0.97, 0.97, 0.98), np.clip(clouds * 0.5, 0, 0.85))
    depth = np.clip(down - horizon, 0.0, None) + 0.06
    u, v = area.x / depth, 1 / depth
    rough = scene.noise(u * 0.5, v * 0.5, 0.8, 0.35)
    fine = scene.noise(u, v, 0.3, 0.2)
    tone = 1 + 0.10 * rough + 0.07 * fine
    land = np.array(ground, np.float32) * tone[..., None].astype(np.float32)
    below = scene.cover(horizon - down)
    scene.pixels[:] = sky + below[..., None] * (land - sky)


def hedge(scene: Scene, horizon: float) -> None:
    """Put far trees or buildings along the horizon."""
    area = scene.everywhere()
    down = area.y + 0 * area.x
    skyline = horizon - 0.16 - 0.07 * scene.noise(area.x, 0 * area.x, 2.0, 0.8)
    if scene.chance(0.5):
        leaves = 1 + 0.22 * scene.noise(area.x + 0 * area.y, down, 0.8, 0.3)
        colour = np.array(scene.vary((0.20, 0.34, 0.16), 0.08), np.float32) * leaves[..., None]
    else:
        block = np.floor(area.x / 0.23)
        shift = np.sin(block * 12.9898) * 43758.5453
        shift -= np.floor(shift)
        skyline = horizon - 0.22 - 0.5 * shift
        wall = np.array(scene.vary((0.60, 0.55, 0.50), 0.15), np.float32)
        rows = (np.sin(down * 60) > 0.3) & (np.sin(area.x * 75) > 0.1)
        colour = wall * (0.8 + 0.4 * shift - 0.25 * rows)[..., None]
    alpha = scene.cover(skyline - down) * scene.cover(down - horizon)
    scene.paint(area, alpha, colour.astype(np.float32))


def room(scene: Scene, horizon: float) -> None:
    """Fill the scene with a wall above `horizon` and a floor below it."""
    area = scene.everywhere()
    down = area.y + 0 * area.x
    wall_tone = 1 + 0.03 * scene.noise(area.x + 0 * area.y, down, 2.0) - 0.08 * area.x
    wall = np.array(scene.vary(scene.choose(PLAIN), 0.1), np.float32) * wall_tone[..., None]
    depth = np.clip(down - horizon, 0, None) + 0.25
    u, v = area.x / depth, 1 / depth
    plank = np.floor(u * 2.2)
    shift = np.sin(plank * 12.9898) * 43.7585
    shift -= np.floor(shift)
    tone = 1 + 0.10 * scene.noise(u, v * 0.08 + shift, 0.6, 0.4) + 0.2 * (shift - 0.5)
    floor = np.array(scene.vary(scene.choose(WOODS), 0.1), np.float32) * tone[..., None]
    below = scene.cover(horizon - down)
    scene.pixels[:] = (wall + below[..., None] * (floor - wall)).astype(np.float32)
    skirting = scene.cover(np.abs(down - horizon + 0.05) - 0.05)
    scene.paint(area, skirting, (0.90, 0.89, 0.87))


def lights(scene: Scene) -> None:
    """Fill the scene with something far out of focus: soft discs of light on a dim ground."""
    area = scene.everywhere()
    ground = np.array(scene.choose(PLAIN), np.float32) * scene.uniform(0.3, 0.8)
    tone = 1 + 0.3 * scene.noise(area.x + 0 * area.y, area.y + 0 * area.x, 5.0, 1.3)
    scene.pixels[:] = ground * np.clip(tone, 0.3, 1.8)[..., None].astype(np.float32)
    for _ in range(int(scene.rng.integers(4, 12))):
        centre = (
            scene.uniform(-scene.half_width, scene.half_width),
            scene.uniform(-scene.half_height, scene.half_height),
        )
        radius = scene.uniform(0.08, 0.3)
        spot = scene.around(centre, radius)
        u, v = spot.local(centre)
        colour = scene.vary(
            scene.choose(((1.0, 0.85, 0.55), (0.9, 0.9, 1.0), (0.6, 0.8, 0.6))), 0.2
        )
        scene.paint(spot, scene.cover(np.hypot(u, v) - radius) * np.float32(0.3), colour)
    scene.blur(0.04)


def finger(
    scene: Scene, tip: Point, angle: float, width: float, skin: Colour, length: float = 1.6
) -> None:
    """Lay a finger whose tip is at `tip` and that comes from the direction `angle`."""
    centre = (
        tip[0] - np.cos(angle) * (length - width),
        tip[1] - np.sin(angle) * (length - width),
    )
    area = scene.around(centre, length + 0.05)
    u, v = area.local(centre, angle)
    width_here = width * (1 + 0.06 * np.cos((u - length) * 7))
    distance = capsule(u, v * width / width_here, length, width)
    alpha = scene.cover(distance)
    scene.shadow(area, alpha, 0.05, 0.45)
    bump = 0.0012 * scene.noise(u, v, 0.4, 0.3)
    crease = np.exp(-(((u - length + width * 3.2) / 0.02) ** 2))
    tone = mix(skin, (skin[0] * 0.72, skin[1] * 0.6, skin[2] * 0.55), crease * 0.5)
    scene.paint(
        area, alpha, tone, dome(distance, width, width * 0.9) + bump, Finish(0.10, 12.0, 0.5)
    )
    nail = ellipse(u - (length - width * 0.75), v, width * 0.55, width * 0.5)
    light_skin = (min(1.0, skin[0] * 1.08), min(1.0, skin[1] * 1.02), min(1.0, skin[2] * 1.02))
    scene.paint(
        area, scene.cover(nail), light_skin, dome(nail, width, 0.03), Finish(0.35, 30.0, 0.5)
    )


def bit(scene: Scene, centre: Point, size: float, colour: Colour) -> None:
    """Put a small lump (a diced onion, a bean, a seed) somewhere."""
    area = scene.around(centre, size * 1.8)
    u, v = area.local(centre, scene.uniform(0, np.pi))
    distance = box(u, v, size, size * scene.uniform(0.5, 1.0), size * scene.uniform(0.15, 0.45))
    alpha = scene.cover(distance)
    shade = scene.pixels[area.rows, area.columns]
    shade *= 1 - np.float32(0.3) * scene.cover(distance - size * 0.35)[..., None]
    scene.paint(
        area,
        alpha,
        scene.vary(colour, 0.1),
        dome(distance, size * 0.8, size * 0.5),
        Finish(0.3, 18.0, 0.55),
    )
