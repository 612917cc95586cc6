"""Which labels an output knows: its models', its people's, and those that a user adds."""

from collections.abc import Iterable

from seefood.corrections.correction import MAX_TEXT
from seefood.errors import UsageError
from seefood.sanitize import printable


def checked_label(text: str) -> str:
    """Return a label that a person gives, without spaces around. Raises `UsageError`."""
    label = text.strip()
    if not label or len(label) > MAX_TEXT or label != printable(label):
        raise UsageError(
            f"{text!r:.120} cannot be a label; use 1 to {MAX_TEXT} visible characters in one line"
        )
    return label


def parse_labels(texts: Iterable[str]) -> list[str]:
    """Return the labels of `--labels`, each a label or several with commas between, once each."""
    parts = (part for text in texts for part in text.split(","))
    return list(dict.fromkeys(checked_label(part) for part in parts))


def refuse_unknown(label: str, known: Iterable[str], *, can_add: bool = True) -> None:
    """Raise `UsageError` for a label that nobody knows; `can_add` where `--labels` is an option."""
    names = list(known)
    if label not in names:
        shown = ", ".join(map(repr, names[:20])) or "none"
        raise UsageError(
            f"nobody knows the label {label!r:.120}; the labels are {shown}"
            f"{' and more' if len(names) > 20 else ''}; "
            + (f"add it with --labels {label!r:.120}" if can_add else "give one of them")
        )
