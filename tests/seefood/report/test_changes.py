"""Rules of the report's section "What changed"."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from seefood.drift.fingerprint import fingerprint_rows
from seefood.drift.verdict import judge
from seefood.records import Row, format_utc, utc_now
from seefood.report.writing import make_report
from tests.fakes import make_row
from tests.pictures import jpeg

_NOW = utc_now()
_BEFORE = [
    make_row(f"s3://b/old-{n}.jpg", jpeg_quality=90, classified_at=_NOW - timedelta(days=1))
    for n in range(300)
]
_TONIGHT = [
    make_row(
        f"s3://b/new-{n}.jpg",
        jpeg_quality=20,
        novelty=1.7 if n == 7 else 0.4,
        classified_at=_NOW,
    )
    for n in range(300)
]


def _summary(tonight: list[Row], before: list[Row]) -> dict[str, Any]:
    earlier = {"20261126": fingerprint_rows(before)} if before else {}
    drift = judge(fingerprint_rows(tonight), earlier, None)
    return {"started_at": format_utc(_NOW), "rows": 300, "drift": drift.as_json()}


def _page(summary: dict[str, Any], rows: list[Row]) -> str:
    return make_report(summary, rows, lambda _: jpeg())


def test_a_change_is_said_in_words_and_shown_by_pictures_of_the_run() -> None:
    """The examples are pictures of this run that have what has changed."""
    page = _page(_summary(_TONIGHT, _BEFORE), [*_BEFORE, *_TONIGHT])
    section = page.partition('id="changes"')[2].partition("</section>")[0]
    assert "pictures with a JPEG quality below 25: 100.0%, 0.0% in the last run" in section
    assert "new-" in section
    assert "old-" not in section


def test_pictures_that_resemble_nothing_have_a_sheet() -> None:
    """The least familiar first."""
    page = _page(_summary(_TONIGHT, _BEFORE), _TONIGHT)
    sheet = page.partition("resemble nothing in training")[2].partition("</section>")[0]
    assert "new-7.jpg" in sheet
    assert "new-8.jpg" not in sheet


def test_a_run_like_those_before_says_so() -> None:
    """One sentence, no sheets."""
    page = _page(_summary(_BEFORE, _BEFORE), _BEFORE)
    assert "do not differ from" in page


@pytest.mark.parametrize(
    "drift",
    [
        None,
        {},
        {"compared_with": 3, "reasons": 4},
        {"compared_with": {}, "changes": [1, {"name": 4, "edge": []}], "reasons": ["a"]},
        {"compared_with": {"pictures": 1, "runs": ["a"]}, "changes": 3, "accuracy_estimate": {}},
    ],
)
def test_a_summary_of_another_release_makes_a_page(drift: Any) -> None:
    """What it lacks is left out."""
    summary = {**_summary(_TONIGHT, _BEFORE), "drift": drift}
    assert "new-7.jpg" in _page(summary, [replace(row, novelty=None) for row in _TONIGHT[:9]])
