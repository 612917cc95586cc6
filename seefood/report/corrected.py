"""The section about what people said: how often they corrected the model, and to what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seefood.corrections import Confusion
from seefood.report.formatting import count_text, share_text
from seefood.sanitize import printable

_MAX_LABELS: Final = 10


@dataclass(frozen=True, slots=True)
class Corrected:
    """What people said: the model's labels in lines, people's in columns."""

    note: str
    columns: Sequence[str]
    lines: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    """The model's label, and per column the count and its class: `right`, `wrong` or none."""


def corrected(confusion: Confusion) -> Corrected | None:
    """Return the section; None if nobody has answered."""
    if not confusion.answered:
        return None
    labels = confusion.labels[:_MAX_LABELS]
    rest = len(confusion.labels) - len(labels)
    note = (
        f"People answered {count_text(confusion.answered, 'picture')} and corrected "
        f"{confusion.corrected:,} of them ({share_text(confusion.corrected, confusion.answered)})."
    )
    more = f" {count_text(rest, 'other label')} have no line here." if rest else ""
    has_failed = any(model is None for model, _ in confusion.pairs)
    said: list[str | None] = [*labels, None] if has_failed else [*labels]
    return Corrected(
        note + more,
        [printable(label) for label in labels],
        [
            ("failed" if model is None else printable(model), _line(confusion, model, labels))
            for model in said
        ],
    )


def _line(confusion: Confusion, model: str | None, labels: Sequence[str]) -> list[tuple[str, str]]:
    counts = [confusion.pairs[model, label] for label in labels]
    kinds = ["right" if model == label else "wrong" for label in labels]
    return [
        (f"{count:,}", f"{kind} shade-{min(10, 3 + len(str(count)))}" if count else "")
        for count, kind in zip(counts, kinds, strict=True)
    ]
