"""The curve of mistakes among the accepted pictures, by the share left `unsure`, in words."""

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
