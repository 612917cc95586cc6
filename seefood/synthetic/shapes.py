"""Outlines and bodies: signed distances (negative inside), masks, and the heights over them."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from seefood.synthetic.noise import Plane
from seefood.synthetic.scene import Colour, Point, Tones


def mix(first: Colour | Tones, second: Colour, share: Plane) -> Tones:
    """Return `first` where `share` is 0 and `second` where it is 1."""
    one = np.asarray(first, np.float32)
    part = np.clip(share, 0, 1)[..., None]
    return one + part * (np.asarray(second, np.float32) - one)


def smooth_outline(points: Sequence[Point], steps: int = 8) -> list[Point]:
    """Return a closed curve through `points` (Catmull-Rom), `steps` points to each of them."""
    knots = np.array(points, np.float64)
    before, after, far = np.roll(knots, 1, 0), np.roll(knots, -1, 0), np.roll(knots, -2, 0)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    curve = 0.5 * (
        2 * knots
        + (after - before) * t
        + (2 * before - 5 * knots + 4 * after - far) * t**2
        + (3 * knots - before - 3 * after + far) * t**3
    )
    return [(float(x), float(y)) for x, y in curve.transpose(1, 0, 2).reshape(-1, 2)]


def puffed(mask: Plane, unit: float, depth: float) -> Plane:
    """Return a height field that rises from the edge of `mask` to about `depth` units inside."""
    rows, columns = mask.shape
    factor = max(1, int(depth * unit / 3))
    image = Image.fromarray(mask.astype(np.float32))
    total = np.zeros_like(mask)
    for share, reach in ((0.6, factor), (0.4, factor * 2)):
        small = (max(2, columns // reach), max(2, rows // reach))
        low = image.resize(small, Image.Resampling.BOX)
        total += np.float32(share) * np.asarray(
            low.resize((columns, rows), Image.Resampling.BICUBIC)
        )
    inside = np.clip(total * 2 - 1, 0, 1)
    return np.sqrt(inside) * np.float32(depth)


def ellipse(u: Plane, v: Plane, radius_u: float, radius_v: float) -> Plane:
    """Return the signed distance (nearly) to an ellipse around the origin."""
    scaled = np.sqrt((u / radius_u) ** 2 + (v / radius_v) ** 2)
    slope = np.sqrt((u / radius_u**2) ** 2 + (v / radius_v**2) ** 2) + np.float32(1e-4)
    distance: Plane = scaled * (scaled - 1) / slope
    return distance


def capsule(u: Plane, v: Plane, half_length: float, radius: float) -> Plane:
    """Return the signed distance to a rod along u with round ends; `half_length` includes them."""
    straight = max(0.0, half_length - radius)
    return np.hypot(np.maximum(np.abs(u) - straight, 0), v) - np.float32(radius)


def box(u: Plane, v: Plane, half_u: float, half_v: float, corner: float = 0.0) -> Plane:
    """Return the signed distance to a rectangle with rounded corners."""
    over_u, over_v = np.abs(u) - (half_u - corner), np.abs(v) - (half_v - corner)
    outside = np.hypot(np.maximum(over_u, 0), np.maximum(over_v, 0))
    return outside + np.minimum(np.maximum(over_u, over_v), 0) - np.float32(corner)


def dome(distance: Plane, radius: float, depth: float) -> Plane:
    """Return the height of a round body of this radius from the signed distance to its outline."""
    inside = np.clip(1 + distance / radius, 0, 1)
    height: Plane = np.float32(depth) * np.sqrt(np.clip(1 - inside * inside, 0, 1))
    return height


def points(text: str) -> list[Point]:
    """Return the points of "x,y x,y …", as SVG writes polygons."""
    pairs = (pair.split(",") for pair in text.split())
    return [(float(x), float(y)) for x, y in pairs]
