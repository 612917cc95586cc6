"""Rows and reports of them, for tests of the page."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

from seefood.errors import ErrorCode, PictureError
from seefood.records import ImageRef, Row, Status
from seefood.report.writing import make_report

MOMENT = datetime(2026, 11, 23, 16, 3, 36, tzinfo=UTC)
SUMMARY: Mapping[str, Any] = {
    "run_id": "20261123T160336Z-ab12cd",
    "seconds": 3.2,
    "pictures_per_second": 240.0,
    "rows": 5,
    "skipped_by_ledger": 0,
    "model": {
        "name": "hotdog",
        "digest": "ab" * 32,
        "engine": "litert",
        "labels": ["hotdog", "not_hotdog"],
        "metrics": {"accuracy": 0.9435, "by_label": {"hotdog": {"recall": 0.9553}}},
    },
    "options": {"top_k": 5, "limit": None},
}


def labelled(uri: str, label: str, score: float, status: Status = Status.OK) -> Row:
    return Row(
        uri=uri,
        etag="tag",
        version_id=None,
        size_bytes=1000,
        width=40,
        height=30,
        format="JPEG",
        label=label,
        score=score,
        top=((label, score),),
        status=status,
        error_code=None,
        error_message=None,
        model="hotdog",
        model_digest="ab" * 32,
        engine="litert",
        classified_at=MOMENT,
    )


def failed(uri: str, code: str, message: str) -> Row:
    return replace(
        labelled(uri, "", 0.0, Status.FAILED),
        label=None,
        score=None,
        top=None,
        error_code=code,
        error_message=message,
    )


ROWS = (
    labelled("s3://b/a dog.jpg", "not_hotdog", 0.91),
    labelled("s3://b/lunch.jpg", "hotdog", 0.99),
    labelled("s3://b/dinner.jpg", "hotdog", 0.97),
    labelled("s3://b/odd.jpg", "hotdog", 0.52, Status.UNSURE),
    failed("s3://b/cut.jpg", "truncated", "damaged JPEG: the file ends early"),
)


def no_picture(ref: ImageRef) -> bytes:
    raise PictureError(
        ErrorCode.NOT_FOUND, f"the object was deleted after it was listed {ref.etag}"
    )


def report(rows: Iterable[Row], summary: Mapping[str, Any] = SUMMARY) -> str:
    return make_report(summary, rows, no_picture)


def text_of(html: str) -> str:
    """Return the visible text of a page with spaces collapsed."""
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
