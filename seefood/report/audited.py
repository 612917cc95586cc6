"""The section about the newest audit of the reported model: how right its labels are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seefood.audit.store import AuditFile
from seefood.audit.text import share_text
from seefood.sanitize import printable

_MAX_LABELS: Final = 10


@dataclass(frozen=True, slots=True)
class Audited:
    """The estimates of an audit."""

    note: str
    lines: Sequence[tuple[str, str, str, str]]
    """Label, true count, precision and recall, each with its interval; the most frequent first."""


def newest_done(audits: Iterable[AuditFile], digest: str | None) -> AuditFile | None:
    """Return the first of `audits` with estimates about the model with `digest`, if any."""
    return next(
        (
            audit
            for audit in audits
            if audit.estimates and digest and digest.startswith(audit.model_digest)
        ),
        None,
    )


def audited(audit: AuditFile, *, is_current: bool) -> Audited:
    """Return the section about an audit with estimates. Raises `KeyError` if some are missing.

    If the rows have changed since, they are not estimates of these rows, and only that is said.
    """
    estimates: Mapping[str, Any] = audit.estimates or {}
    if not is_current:
        note = (
            f"The rows have changed since the audit of {audit.began[:10]}, which was about "
            f"{estimates['population']:,} pictures: `seefood audit` with --new begins another."
        )
        return Audited(note, [])
    labels = sorted(estimates["labels"].items(), key=lambda item: -item[1]["true"]["estimate"])
    rest = len(labels) - _MAX_LABELS
    note = (
        f"The audit of {audit.began[:10]} asked about {estimates['answers']:,} of "
        f"{estimates['population']:,} pictures. {share_text(estimates['accuracy'])} of the labels "
        f"are right. Each interval in brackets holds with a confidence of "
        f"{100 * estimates['confidence']:.4g} %."
    )
    return Audited(
        note + (f" {rest:,} other labels have no line here." if rest > 0 else ""),
        [
            (
                printable(label),
                "{estimate:,.0f} [{low:,.0f}, {high:,.0f}]".format(**item["true"]),
                share_text(item["precision"]),
                share_text(item["recall"]),
            )
            for label, item in labels[:_MAX_LABELS]
        ],
    )
