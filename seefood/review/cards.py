"""Cards as JSON: what the page shows of a picture."""

from typing import Any

from seefood.records import Row, Status, format_utc
from seefood.report.formatting import ERROR_MEANINGS, short_name, shown_uri
from seefood.review.queue import Card
from seefood.sanitize import printable


def card_json(card: Card, *, is_blind: bool) -> dict[str, Any]:
    """Return what the page shows; of a blind queue nothing that the model said."""
    said = card.said
    document = {
        "number": card.number,
        "uri": card.row.uri,
        "etag": card.row.etag,
        "name": short_name(card.row.uri),
        "shown_uri": shown_uri(card.row.uri),
        "said": None
        if said is None
        else {
            "label": said.label,
            "labels": said.names,
            "by": said.reviewer,
            "at": format_utc(said.at),
        },
    }
    if is_blind:
        return document
    others = [_opinion(row) for row in card.others if set(row.names) != set(card.row.names)]
    copies = [card_json(each, is_blind=False) for each in card.copies]
    return {**document, **_opinion(card.row), "others": others, "copies": copies}


def _opinion(row: Row) -> dict[str, Any]:
    """Return what a model said."""
    code = row.error_code if row.status is Status.FAILED else None
    return {
        "label": row.label,
        "labels": row.labels,
        "score": row.score,
        "status": str(row.status),
        "error": code,
        "meaning": "" if code is None else ERROR_MEANINGS.get(code, ""),
        "reason": printable(row.error_message or ""),
        "model": f"{row.model} {row.model_digest[:12]}",
    }
