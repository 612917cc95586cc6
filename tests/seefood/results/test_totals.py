"""Counts can be added in any order."""

from itertools import permutations

from seefood.records import Status
from seefood.results.totals import Totals, add_totals, count_rows
from tests.fakes import failed, make_row

ROWS = [
    make_row("s3://b/1"),
    make_row("s3://b/2", label="green", status=Status.UNSURE),
    failed("s3://b/3", "corrupt", "no"),
]


def test_rows_are_counted() -> None:
    """Rows are counted by status, label and code, with their bytes, as one part."""
    totals = count_rows(ROWS)
    assert (3, 1, 1, 3 * 1234) == (totals.rows, totals.failed, totals.parts, totals.bytes_read)
    assert {"ok": 1, "unsure": 1, "failed": 1} == totals.by_status
    assert {"red": 1, "green": 1} == totals.by_label
    assert {"corrupt": 1} == totals.by_error


def test_bytes_that_were_not_read_do_not_count() -> None:
    """A picture that was gone, too large or forbidden was not read."""
    rows = [failed("s3://b/1", "not_found", "gone"), failed("s3://b/2", "too_large", "no")]
    assert 1234 == count_rows([*rows, make_row()]).bytes_read


def test_the_order_does_not_matter() -> None:
    """Workers finish in any order."""
    parts = [Totals(listed=5, skipped=2), count_rows(ROWS), count_rows(ROWS[:1])]
    sums = [add_totals(order) for order in permutations(parts)]
    assert all(total == sums[0] for total in sums)
    assert (5, 2, 4, 2) == (sums[0].listed, sums[0].skipped, sums[0].rows, sums[0].parts)
    assert Totals() == add_totals([])


def test_adding_changes_no_part() -> None:
    """Addition does not change its operands: Beam may add them again."""
    part = count_rows(ROWS)
    _ = part + part
    assert count_rows(ROWS) == part


def test_json_round_trips() -> None:
    """The launcher reads what a worker wrote."""
    totals = add_totals([Totals(listed=5), count_rows(ROWS)])
    assert totals == Totals.from_json(totals.as_json())
