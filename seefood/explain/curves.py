"""The four activation functions that the page explains, as small inline SVG plots."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_WIDTH: Final = 220
_HEIGHT: Final = 140
_RANGE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Curve:
    """The plot of one function."""

    name: str
    formula: str
    path: str
    """SVG path data in a 220 x 140 box whose centre is the origin."""
    low: float
    """Lower end of the plotted range of values."""
    high: float


def sigmoid(x: float) -> float:
    """Return 1 / (1 + e^-x), in (0, 1)."""
    return 1.0 / (1.0 + math.exp(-x))


def relu(x: float) -> float:
    """Return max(0, x)."""
    return max(0.0, x)


def relu6(x: float) -> float:
    """Return min(6, max(0, x))."""
    return min(6.0, max(0.0, x))


def activation_curves() -> list[Curve]:
    """Return sigmoid, tanh, ReLU and ReLU6 over [-5, 5] (ReLU6 over [-8, 8])."""
    return [
        _curve("sigmoid", "1 / (1 + e⁻ˣ)", sigmoid, (-1.2, 1.2)),
        _curve("tanh", "(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)", math.tanh, (-1.2, 1.2)),
        _curve("ReLU", "max(0, x)", relu, (-5.0, 5.0)),
        _curve("ReLU6", "min(6, max(0, x))", relu6, (-7.0, 7.0), 8.0),
    ]


def _curve(
    name: str,
    formula: str,
    function: Callable[[float], float],
    span: tuple[float, float],
    reach: float = _RANGE,
) -> Curve:
    low, high = span
    points = []
    for step in range(101):
        x = -reach + 2 * reach * step / 100
        across = _WIDTH * step / 100
        down = _HEIGHT * (high - function(x)) / (high - low)
        points.append(f"{across:.1f},{min(_HEIGHT, max(0.0, down)):.1f}")
    return Curve(name, formula, "M" + " L".join(points), low, high)
