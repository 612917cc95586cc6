"""Rules of the report page."""

import base64
import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from seefood.corrections import Correction, Corrections
from seefood.errors import ErrorCode, PictureError
from seefood.records import ImageRef, Row, Status, utc_now
from seefood.report import make_report
from seefood.report.formatting import bytes_text, score_text, seconds_text, share_text, short_name
from seefood.results.files import part_location
from seefood.results.formats import result_format
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood.synthetic import draw_picture
from tests.fakes import make_row

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


@pytest.fixture(scope="module")
def photo() -> bytes:
    stream = BytesIO()
    draw_picture("hotdog_mustard", 1, (320, 240)).save(stream, "JPEG")
    return stream.getvalue()


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


def test_the_headline_counts_the_outcomes() -> None:
    """The headline counts each picture once: sure labels, unsure, failed."""
    assert "5 pictures: 2 hotdog, 1 not_hotdog, 1 unsure, 1 failed" in text_of(report(ROWS))


def test_labelled_means_the_same_everywhere() -> None:
    """Headline, figure, bar and section count an unsure picture as unsure, not as labelled."""
    page = text_of(report(ROWS))

    assert "labelled 60.0%" in page
    assert "hotdog 2 40.0%" in page
    assert "unsure 1 20.0%" in page
    assert "2 pictures, 40.0%, 1 more unsure" in page


def test_every_label_has_the_command_for_all_its_rows(tmp_path: Path) -> None:
    """The command finds exactly the rows of the label, or the unsure ones, with DuckDB."""
    import duckdb  # noqa: PLC0415 (a tenth of a second)

    output = parse_location(str(tmp_path / "it's here"))
    odd = replace(ROWS[1], uri="s3://b/odd.jpg", label="a 'b'", top=(("a 'b'", 0.9),))
    rows = [*ROWS, odd]
    location = part_location(output, "ab" * 32, [row.ref for row in rows], "jsonl")
    write(location, result_format("jsonl").encode(rows))
    summary = {**SUMMARY, "output": output.uri, "options": {"format": "jsonl"}}
    commands = [
        unescape(found) for found in re.findall(r"<code>(duckdb .*?)</code>", report(rows, summary))
    ]
    found = []
    for command in commands:
        *_, query = shlex.split(command)
        listed = duckdb.connect().execute(query).fetchall()
        found.append([uri.rpartition("/")[2] for uri, *_ in listed])
    assert [
        ["odd.jpg"],  # unsure
        ["odd.jpg", "dinner.jpg", "lunch.jpg"],
        ["odd.jpg"],
        ["a dog.jpg"],
    ] == found


def test_the_lead_states_the_duration_and_rate() -> None:
    """The sentence has the seconds, and the pictures divided by these seconds."""
    page = text_of(report(ROWS))

    assert "Done in 3.2 s: 1.6 pictures a second." in page
    assert "pictures a second 1.6" in page
    fast = text_of(report(ROWS, {**SUMMARY, "seconds": 0.01}))
    assert "Done in 0.0 s: 500 pictures a second." in fast


def test_after_a_rerun_the_lead_states_what_was_new() -> None:
    """The page counts all rows and states how many the latest run added and skipped."""
    page = report(ROWS, {**SUMMARY, "rows": 2, "skipped_by_ledger": 3})

    assert "5 pictures: 2 hotdog" in text_of(page)
    assert "added 2 of them in 3.2 s" in text_of(page)
    assert "skipped 3 that already had rows" in text_of(page)


def test_rows_without_a_run_make_a_page() -> None:
    """Rows of uploads alone are enough; the model's details then come from a row."""
    page = text_of(report(ROWS, {}))

    assert "no summary of a batch job" in page
    assert "ab" * 32 in page


def test_no_rows_make_a_page() -> None:
    """A run without pictures still writes a page that states it."""
    assert "No pictures yet" in text_of(report(()))


def test_the_metrics_and_the_options_are_shown() -> None:
    """Nested values are flattened; an absent value is shown as `none`."""
    page = text_of(report(ROWS))

    assert "accuracy 0.9435" in page
    assert "by label · hotdog · recall 0.9553" in page
    assert "limit none" in page


def test_failures_are_listed_by_code_with_reasons_and_examples() -> None:
    """Each code has its count, its meaning, its most frequent reasons and example names."""
    rows = [failed(f"s3://b/{n}.jpg", "truncated", "it ends early") for n in range(30)]
    page = text_of(report([*rows, failed("s3://b/x.psd", "unsupported_format", "PSD is not read")]))

    assert "truncated 30 pictures" in page
    assert "30 it ends early" in page
    assert page.count(".jpg") == 8
    assert page.index("truncated 30") < page.index("unsupported_format 1 picture ")


def test_thousands_of_different_reasons_are_summed() -> None:
    """Messages that differ for each picture are summed beyond 200, to bound the memory."""
    rows = (failed(f"s3://b/{n}.jpg", "corrupt", f"bad byte {n}") for n in range(1000))

    assert "800 other reasons" in text_of(report(rows))


def test_the_least_certain_come_first_and_lowest_first() -> None:
    """The least certain pictures are those with the lowest scores, in rising order."""
    rows = [labelled(f"s3://b/{n}.jpg", "hotdog", 0.5 + n / 2000) for n in range(1000)]
    page = report(rows)
    section = page[page.index('id="least-certain"') : page.index('id="label-1"')]

    assert [f"{n}.jpg" for n in range(24)] == re.findall(r'class="file"[^>]*>([^<]+)<', section)


def test_samples_do_not_depend_on_the_order_of_rows() -> None:
    """Samples are chosen by hash, so any order of the rows gives the same page."""
    rows = [labelled(f"s3://b/{n}.jpg", "hotdog", 0.9 + n / 20_000) for n in range(1000)]

    assert report(rows) == report(reversed(rows))


def test_many_rows_make_a_small_page(photo: bytes) -> None:
    """A page about many rows fetches at most 150 pictures and has less than 2 MB."""
    fetched: list[str] = []

    def fetch(ref: ImageRef) -> bytes:
        fetched.append(ref.uri)
        return photo

    rows = (labelled(f"s3://b/{n}.jpg", f"class {n % 12}", n / 20_000) for n in range(20_000))
    page = make_report(SUMMARY, rows, fetch)

    assert len(fetched) <= 150
    assert len(set(fetched)) == len(fetched)
    assert len(page) < 2_000_000


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_any_number_of_labels_fits(classes: int) -> None:
    """The ten most frequent labels have sections; the others are summed."""
    rows = [
        labelled(f"s3://b/{n}-{m}.jpg", f"class {n:04}", 0.9)
        for n in range(classes)
        for m in range(2 if n < 3 else 1)
    ]
    page = report(rows)

    assert min(classes, 10) == page.count('class="label ')
    assert (classes > 10) == (f"{classes - 10} other labels" in text_of(page).replace(",", ""))


def test_thumbnails_are_part_of_the_page(photo: bytes) -> None:
    """Pictures are data URIs with an alternative text."""
    page = make_report(SUMMARY, ROWS[:1], lambda _: photo)

    assert 'src="data:image/jpeg;base64,' in page
    assert 'alt="a dog.jpg, labelled not_hotdog"' in page


def test_a_picture_that_cannot_be_shown_has_its_reason() -> None:
    """A deleted or broken picture becomes a placeholder with the reason."""
    assert "not_found: the object was deleted" in text_of(report(ROWS))
    assert "not_an_image: " in text_of(make_report(SUMMARY, ROWS, lambda _: b"no picture"))


def test_a_huge_object_is_not_fetched_for_a_thumbnail() -> None:
    """Objects above 40 MiB are not fetched for thumbnails."""
    row = replace(ROWS[1], size_bytes=90_000_000)

    assert "90 MB is too large for a thumbnail" in text_of(make_report(SUMMARY, [row], no_picture))


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "line\nbreak\x1b[31m",
    "\u202egpj.exe",
    "lone \udcff surrogate",
    "{{ 7 * 7 }}",
)


@pytest.mark.parametrize(
    "text", HOSTILE, ids=["script", "attribute", "control", "bidi", "surrogate", "template"]
)
def test_untrusted_text_is_escaped(text: str) -> None:
    """Names, labels and messages are shown as text, control characters as escapes."""
    page = report(
        [labelled(f"s3://b/{text}", text, 0.9), failed(f"file:///b/{text}", text, text)],
        {**SUMMARY, "sources": [text], "options": {text: text}},
    )

    assert "<script" not in page
    assert "<img src=x" not in page
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\udcff]", page)
    assert "49" not in text_of(page).replace("{{ 7 * 7 }}", "")
    page.encode("utf-8")


def test_the_page_loads_nothing() -> None:
    """Every reference is data, an anchor or a local file; there is no script."""
    page = report([*ROWS, labelled("file:///pictures/a%20b.jpg", "hotdog", 0.98)])
    references = re.findall(r"""(?:src|href|action|poster)\s*=\s*["']([^"']*)""", page)

    assert [] == [r for r in references if not r.startswith(("data:", "#", "file:///"))]
    assert "<script" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert 'href="file:///pictures/a%20b.jpg"' in page


def test_the_policy_allows_only_this_style_sheet() -> None:
    """The content security policy allows the style sheet by its hash and no other style."""
    page = report(ROWS)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]+)"', page)[0])

    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;" in policy
    assert " style=" not in page
    assert " onclick" not in page


def test_the_date_is_that_of_the_last_row() -> None:
    """The page has the date of its latest row, so writing it again gives the same page."""
    later = replace(ROWS[0], uri="s3://b/later.jpg", classified_at=MOMENT + timedelta(days=1))

    assert "24 November 2026, 16:03 UTC" in text_of(report([later, *ROWS]))


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ("100%", share_text(5, 5)),
        ("0%", share_text(0, 5)),
        ("99.9%", share_text(99_999, 100_000)),
        ("0.1%", share_text(1, 100_000)),
        ("100%", score_text(0.99996)),
        ("99.9%", score_text(0.9991)),
        ("3.2\u00a0s", seconds_text(3.21)),
        ("12 min 5 s", seconds_text(725.2)),
        ("3 h 20 min", seconds_text(12_001)),
        ("512 B", bytes_text(512)),
        ("1.3 MB", bytes_text(1_310_000)),
        ("830 GB", bytes_text(830_000_000_000)),
        ("2,500.0 TB", bytes_text(2_500_000_000_000_000)),
        ("b c.jpg", short_name("file:///a/b%20c.jpg")),
        ("b%20c.jpg", short_name("s3://a/b%20c.jpg")),
    ],
)
def test_numbers_and_names_are_formatted(expected: str, shown: str) -> None:
    """Shares only become 0% or 100% if they are exact; names keep the store's spelling."""
    assert expected == shown


def test_corrections_are_a_table_of_model_and_people() -> None:
    """The page says how many were corrected and to what; without answers it has no such part."""
    rows = [make_row(f"s3://b/{n}") for n in range(3)]
    said = ["green", "red", "red"]
    corrections = Corrections(
        [
            Correction(row.uri, row.etag, label, row.label, None, "ada", utc_now())
            for row, label in zip(rows, said, strict=True)
        ]
    )
    text = text_of(make_report(SUMMARY, rows, no_picture, corrections))
    assert "People answered 3 pictures and corrected 1 of them" in text
    assert "Corrections" not in text_of(make_report(SUMMARY, rows, no_picture))
