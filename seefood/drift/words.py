"""Says in words what has changed."""

from seefood.drift.changes import Change
from seefood.drift.fingerprint import SCORES
from seefood.drift.measures import CATEGORIES, MEASURES


def change_sentence(change: Change, against: str) -> str:
    """Return one sentence, such as "pictures with a JPEG quality below 40: 87 %, 1 % in …"."""
    return (
        f"{_which(change)}: {_percent(_shown(change, change.now.value))}, "
        f"{_percent(_shown(change, change.before.value))} in {against}"
    )


def _is_below(change: Change) -> bool:
    """Whether the sentence is about the pictures below the edge: the share that has grown."""
    return not isinstance(change.above, str) and change.effect < 0


def _shown(change: Change, share: float) -> float:
    return 1 - share if _is_below(change) else share


def _which(change: Change) -> str:
    if isinstance(change.above, str):
        if change.name == "failure" and change.above == "none":
            return "pictures that could be classified"
        return f"pictures with {CATEGORIES[change.name].words} {change.above!r}"
    side = "below" if _is_below(change) else "of at least"
    if change.name.startswith(SCORES):
        label = change.name.removeprefix(SCORES)
        return f"of the pictures labelled {label!r}, those with a score {side} {change.above:.1%}"
    measure = MEASURES[change.name]
    return f"pictures with {measure.words} {side} {change.above:g}{measure.unit}"


def _percent(share: float) -> str:
    return f"{share:.1%}"
