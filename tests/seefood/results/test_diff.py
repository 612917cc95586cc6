import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from seefood.cli.diff import diff_command
from seefood.errors import UsageError
from seefood.records import Row, Status, utc_now
from seefood.report.diff_page import make_diff_page
from seefood.results.diff import Kind, changes, compare, latest_rows, parse_side
from seefood.results.files import encode_rows
from seefood.storage import fetch, write
from seefood.storage.uris import parse_location
from tests.fakes import DIGEST, failed, make_row, put_all
from tests.pictures import jpeg

_OTHER = "f" * 64
_NOW = utc_now()

# Before, after, kind; None where the picture is in one set only.
_CASES: list[tuple[Row | None, Row | None, Kind]] = [
    (make_row(), make_row(), Kind.SAME),
    (make_row(score=0.9), make_row(score=0.7), Kind.SAME),
    (make_row(), make_row(label="green"), Kind.LABEL),
    (make_row(), make_row(label="green", status=Status.UNSURE), Kind.LABEL),
    (make_row(), make_row(status=Status.UNSURE), Kind.THRESHOLD),
    (make_row(status=Status.UNSURE), make_row(), Kind.THRESHOLD),
    (make_row(), failed("s3://b/a.jpg", "corrupt", "x"), Kind.FAILED),
    (failed("s3://b/a.jpg", "corrupt", "x"), make_row(), Kind.RECOVERED),
    (failed("s3://b/a.jpg", "forbidden", "x"), failed("s3://b/a.jpg", "corrupt", "y"), Kind.SAME),
    (None, make_row(), Kind.APPEARED),
    (make_row(), None, Kind.VANISHED),
]


def _put(root: str, digest: str, name: str, *rows: Row) -> None:
    folder = f"{root}/results/digest={digest[:12]}"
    write(parse_location(f"{folder}/{name}.parquet"), encode_rows(list(rows), "parquet"))


@pytest.mark.parametrize(("before", "after", "kind"), _CASES, ids=[str(c[2]) for c in _CASES])
def test_each_picture_changes_in_one_way(before: Row | None, after: Row | None, kind: Kind) -> None:
    """A picture appears, vanishes, fails, recovers, flips, crosses the threshold, or stays."""
    sides = [{row.uri: row} if row else {} for row in (before, after)]
    (change,) = changes(*sides)
    assert kind == change.kind


def test_the_latest_row_of_each_picture_counts(memory: str) -> None:
    """A picture that was replaced is compared by its newest row, and marked as replaced."""
    old = make_row(etag="e1", classified_at=_NOW - timedelta(days=1))
    _put(memory, DIGEST, "part-b", make_row(etag="e2", label="green", classified_at=_NOW))
    _put(memory, DIGEST, "part-c", old)
    rows = latest_rows(parse_location(memory), DIGEST)
    assert ["e2"] == [row.etag for row in rows.values()]
    (change,) = changes({old.uri: old}, rows)
    assert change.is_replaced


def test_a_label_outlasts_a_later_failure_of_the_store(memory: str) -> None:
    """As it does in every other reader: the picture has not changed."""
    _put(memory, DIGEST, "part-a", make_row(classified_at=_NOW - timedelta(days=1)))
    _put(memory, DIGEST, "part-b", failed("s3://b/a.jpg", "store_error", "no answer"))
    assert ["red"] == [row.label for row in latest_rows(parse_location(memory), DIGEST).values()]


def test_a_comparison_counts_all_and_keeps_the_surest() -> None:
    """Flips are counted by their labels; the ones with the highest scores are kept."""
    before = {f"s3://b/{n}": make_row(f"s3://b/{n}", score=n / 100) for n in range(100)}
    after = {
        uri: make_row(uri, label="green" if n % 2 else "red", score=row.score)
        for n, (uri, row) in enumerate(before.items())
    }
    diff = compare(changes(before, after), limit=3)
    assert {Kind.SAME: 50, Kind.LABEL: 50} == dict(diff.counts)
    assert {("red", "green"): 50} == dict(diff.flips)
    assert ["s3://b/99", "s3://b/97", "s3://b/95"] == [
        change.row.uri for change in diff.shown[Kind.LABEL]
    ]


def test_two_models_in_one_output_are_named_by_their_folders(memory: str) -> None:
    """The message lists the folders to choose from; each is accepted as a side."""
    _put(memory, DIGEST, "part-a", make_row())
    _put(memory, _OTHER, "part-a", make_row(label="green", model_digest=_OTHER))
    with pytest.raises(UsageError, match=r"several models; choose one: .*digest=0123456789ab, "):
        parse_side(memory)
    for digest in (DIGEST, _OTHER):
        side = parse_side(f"{memory}/results/digest={digest[:12]}/")
        assert (parse_location(memory), digest[:12]) == side
        assert 1 == len(latest_rows(*side))


@pytest.mark.parametrize("text", ["", "/results/digest=000000000000"])
def test_a_side_without_results_is_a_usage_error(text: str, tmp_path: Path) -> None:
    """The message says that there are no results."""
    with pytest.raises(UsageError, match="there are no results"):
        parse_side(f"{tmp_path}{text}")


def test_the_command_prints_counts_flips_and_a_page(tmp_path: Path, memory: str) -> None:
    """Counts as text, one JSON object a change with `--json`, contact sheets with `--page`."""
    (ref,) = put_all(memory, {"hot <dog>.jpg": jpeg()})
    mine = {"etag": ref.etag, "size_bytes": ref.size_bytes}
    _put(str(tmp_path / "a"), DIGEST, "p", make_row(ref.uri, **mine), make_row("s3://b/old"))
    _put(str(tmp_path / "b"), DIGEST, "p", make_row(ref.uri, label="green", score=0.5, **mine))
    page = tmp_path / "flips.html"
    arguments = [str(tmp_path / "a"), str(tmp_path / "b")]
    result = CliRunner().invoke(
        diff_command, [*arguments, "--page", str(page)], catch_exceptions=False
    )
    assert "1 pictures in both, 2 changed" in result.stdout
    assert "red -> green" in result.stdout
    assert f"{ref.uri}  red 75.0% -> green 50.0%" in result.stdout
    html = page.read_text()
    assert "Another label: 1" in html
    assert "red → green" in html
    assert "hot &lt;dog&gt;.jpg" in html
    assert "data:image/jpeg;base64," in html
    lines = CliRunner().invoke(diff_command, [*arguments, "--json"], catch_exceptions=False).stdout
    by_kind = {change["kind"]: change for change in map(json.loads, lines.splitlines())}
    assert {"label", "vanished"} == by_kind.keys()
    assert "green" == by_kind["label"]["after"]["label"]


def test_a_page_of_no_change_says_so() -> None:
    """A comparison without changes still gives a page."""
    html = make_diff_page(compare([]), "a", "b", fetch)
    assert "0 of 0 pictures changed" in html
