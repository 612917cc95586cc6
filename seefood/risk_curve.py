"""What was asked of the accepted pictures, and the curve of their mistakes, in words."""

from collections.abc import Sequence
from typing import Final

_SHARES: Final = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7)


def describe_curve(points: Sequence[Sequence[float]]) -> str:
    """Return about six points of the curve: `0% unsure: 25.0% wrong; 10% unsure: 21.3% wrong`.

    `points` are pairs of the share left unsure and the share of mistakes among the rest, at least
    one.
    """
    near = {tuple(min(points, key=lambda it: abs(it[0] - share))[:2]) for share in _SHARES}
    return "; ".join(f"{unsure:.0%} unsure: {wrong:.1%} wrong" for unsure, wrong in sorted(near))


def asked_percent(share: float, digits: int = 1) -> str:
    """Return a share that was asked for, with more than `digits` decimals where it has more."""
    text = f"{share:.{digits}%}"
    return text if abs(float(text[:-1]) / 100 - share) < 1e-9 else f"{100 * share:.4g}%"
