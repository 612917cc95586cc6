"""The section about what people said: how often they corrected the model, and to what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seefood.corrections import Confusion
from seefood.report.formatting import count_text, share_text
from seefood.sanitize import printable

_MAX_LABELS: Final = 10
_NOT_GIVEN: Final = "not given"


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
    labels: list[str | None] = [*confusion.labels[:_MAX_LABELS]]
    rest = len(confusion.labels) - len(labels)
    note = (
        f"People answered {count_text(confusion.answered, 'picture')} and corrected "
        f"{confusion.corrected:,} of them ({share_text(confusion.corrected, confusion.answered)})."
    )
    more = f" {count_text(rest, 'other label')} have no line here." if rest else ""
    columns = [*labels, None] if any(right is None for _, right in confusion.pairs) else labels
    said = [*labels, None] if any(model is None for model, _ in confusion.pairs) else labels
    return Corrected(
        note + more,
        [_NOT_GIVEN if label is None else printable(label) for label in columns],
        [
            (_no_label(confusion) if model is None else printable(model), line)
            for model, line in ((model, _line(confusion, model, columns)) for model in said)
        ],
    )


def _no_label(confusion: Confusion) -> str:
    """Return the name of the line without a label of the model."""
    return _NOT_GIVEN if any(right is None for _, right in confusion.pairs) else "failed"


def _line(
    confusion: Confusion, model: str | None, labels: Sequence[str | None]
) -> list[tuple[str, str]]:
    counts = [confusion.pairs[model, label] for label in labels]
    kinds = ["right" if model == label else "wrong" for label in labels]
    return [
        (f"{count:,}", f"{kind} shade-{min(10, 3 + len(str(count)))}" if count else "")
        for count, kind in zip(counts, kinds, strict=True)
    ]
