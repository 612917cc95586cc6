"""Shapes as signed distances (negative inside), the heights over them, and mixed colors."""

import numpy as np

from seefood.synthetic.noise import Plane
from seefood.synthetic.scene import Color, Colors


def disc(u: Plane, v: Plane, radius: float) -> Plane:
    """Return the signed distance to a circle around the origin."""
    return np.hypot(u, v) - np.float32(radius)


def ellipse(u: Plane, v: Plane, radius_u: float, radius_v: float) -> Plane:
    """Return nearly the signed distance to an ellipse around the origin."""
    scaled = np.sqrt((u / radius_u) ** 2 + (v / radius_v) ** 2)
    slope = np.sqrt((u / radius_u**2) ** 2 + (v / radius_v**2) ** 2) + np.float32(1e-4)
    distance: Plane = scaled * (scaled - 1) / slope
    return distance


def capsule(u: Plane, v: Plane, half_length: float, radius: float) -> Plane:
    """Return the signed distance to a rod along u with round ends; `half_length` includes them."""
    straight = max(0.0, half_length - radius)
    return disc(np.maximum(np.abs(u) - straight, 0), v, radius)


def box(u: Plane, v: Plane, half_u: float, half_v: float, corner: float = 0.0) -> Plane:
    """Return the signed distance to a rectangle with rounded corners."""
    over_u, over_v = np.abs(u) - (half_u - corner), np.abs(v) - (half_v - corner)
    inside = np.minimum(np.maximum(over_u, over_v), 0)
    return disc(np.maximum(over_u, 0), np.maximum(over_v, 0), corner) + inside


def dome(distance: Plane, radius: float, depth: float) -> Plane:
    """Return the height of a round body of this radius from the distance to its outline."""
    inside = np.clip(1 + distance / radius, 0, 1)
    height: Plane = np.float32(depth) * np.sqrt(np.clip(1 - inside * inside, 0, 1))
    return height


def mix(first: Color | Colors, second: Color, share: Plane) -> Colors:
    """Return `first` where `share` is 0 and `second` where it is 1."""
    start = np.asarray(first, np.float32)
    return start + np.clip(share, 0, 1)[..., None] * (np.asarray(second, np.float32) - start)


def shade(color: Color | Colors, brightness: Plane) -> Colors:
    """Return `color` with each pixel's brightness multiplied."""
    return np.asarray(color, np.float32) * brightness[..., None].astype(np.float32)
