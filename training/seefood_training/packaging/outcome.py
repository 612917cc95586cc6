"""What comes of a packaging: the bundle and what was determined, or why nothing fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seefood.bundle import Bundle
from seefood.errors import UsageError
from seefood_training.packaging.answers import Answers
from seefood_training.packaging.pixels import PixelChoice
from seefood_training.packaging.search import Attempt


@dataclass(frozen=True, slots=True)
class Packaged:
    """A bundle and what was determined from the model."""

    bundle: Bundle
    pixels: PixelChoice
    answers: Answers
    function: str
    engines: tuple[str, ...]
    notes: tuple[str, ...]
    """What was determined and what is not proven, one sentence each."""
    attempts: tuple[Attempt, ...] = ()
    """What the search by examples tried last, the best first."""
    litert_error: str | None = None
    """Why LiteRT cannot run the graph; None if it can."""


def examples_as_json(attempts: Sequence[Attempt]) -> dict[str, Any] | None:
    """Return what the record of a bundle and `--json` state of the examples."""
    if not attempts:
        return None
    best = attempts[0]
    return {
        "reproduced": best.reproduced,
        "of": best.of,
        "largest_difference": best.largest_difference,
        "runner_up": attempts[1].as_json() if len(attempts) > 1 else None,
    }


class NotReproducedError(UsageError):
    """No combination of pixel options reproduces the examples."""

    def __init__(self, best: Attempt, attempts: Sequence[Attempt]) -> None:
        near = (
            f"{best.reproduced} of {best.of} labels"
            if best.largest_difference is None
            else f"a largest difference of {best.largest_difference:.3f} ({best.reproduced} of "
            f"{best.of} labels)"
        )
        super().__init__(
            f"no combination of pixel options reproduces the examples; the nearest, {best.pixels}, "
            f"has {near}: check that the examples come from this model, or that its preprocessing "
            "is a resize and a range; `--force` keeps the nearest"
        )
        self.attempts = tuple(attempts)
