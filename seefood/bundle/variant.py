"""What a faster variant of a bundle states of itself: its engine, its time and its measured loss.

A variant is a bundle inside another one, with a digest, golden pictures and a certificate of its
own, so that its rows are never taken for those of the bundle around it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

DEFAULT_POINTS: Final = 0.5
"""The largest loss that `--fast` accepts without a number, in percentage points."""


@dataclass(frozen=True, slots=True)
class Loss:
    """How a variant differs from its bundle on labelled pictures, in percentage points."""

    points: float
    """The bundle's accuracy minus the variant's; negative if the variant is right more often."""
    interval_95: tuple[float, float]
    """Of `points`: that of a paired difference."""
    accuracy: float
    """The variant's, a share."""
    labels_differ: float
    """The share of the pictures whose label differs."""
    labels_differ_95: tuple[float, float]
    pictures: int
    data: str
    """The name of the pictures."""

    @property
    def sentence(self) -> str:
        """The change in accuracy, positive for a gain, and the differing labels, in words."""
        low, high = self.interval_95
        return (
            f"accuracy {-self.points:+.2f} points ({-high:+.2f} to {-low:+.2f}), "
            f"{self.labels_differ:.1%} of the labels differ, on {self.pictures:,} pictures of "
            f"{self.data}"
        )


@dataclass(frozen=True, slots=True)
class Variant:
    """The part of a variant's certificate that relates it to its bundle."""

    of: str
    """The digest of the bundle that it is a variant of."""
    name: str
    """Its folder's name, such as `int8`."""
    engine: str
    """The engine that it is made for and was measured with."""
    time_share: float
    """Its CPU time for a picture relative to the bundle's, decoding left out."""
    loss: Loss
    shares: tuple[str, ...] = ()
    """The files that it has in common with the bundle around it, which holds them."""


def variant_from_json(document: Mapping[str, Any]) -> Variant:
    """Return the variant in `document`. Raises what reading an invalid one raises."""
    loss = document["loss"]
    variant = Variant(
        of=str(document["of"]),
        name=str(document["name"]),
        engine=str(document["engine"]),
        time_share=float(document["time_share"]),
        loss=Loss(
            points=float(loss["points"]),
            interval_95=_pair(loss["interval_95"]),
            accuracy=float(loss["accuracy"]),
            labels_differ=float(loss["labels_differ"]),
            labels_differ_95=_pair(loss["labels_differ_95"]),
            pictures=int(loss["pictures"]),
            data=str(loss["data"]),
        ),
        shares=tuple(map(str, document["shares"])),
    )
    if not (math.isfinite(variant.loss.points) and variant.time_share > 0):
        raise ValueError(f"a loss of {variant.loss.points} in {variant.time_share} of the time")
    return variant


def variant_as_json(variant: Variant) -> dict[str, Any]:
    """Return what `variant_from_json` reads."""
    return asdict(variant)


def _pair(values: Any) -> tuple[float, float]:
    low, high = map(float, values)
    return low, high
