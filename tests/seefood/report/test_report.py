"""Rules of the report page."""

import re
import shlex
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from seefood.corrections import Correction, Corrections
from seefood.records import utc_now
from seefood.report.writing import make_report
from seefood.results.files import part_location
from seefood.results.formats import result_format
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import make_row
from tests.report_page import MOMENT, ROWS, SUMMARY, failed, labelled, no_picture, report, text_of


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


def test_the_date_is_that_of_the_last_row() -> None:
    """The page has the date of its latest row, so writing it again gives the same page."""
    later = replace(ROWS[0], uri="s3://b/later.jpg", classified_at=MOMENT + timedelta(days=1))

    assert "24 November 2026, 16:03 UTC" in text_of(report([later, *ROWS]))


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
