from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from seefood.cli.compact import compact_command
from seefood.errors import UsageError
from seefood.records import Row, utc_now
from seefood.results.compaction import compact
from seefood.results.files import encode_rows, list_parts, read_rows
from seefood.results.formats import format_names
from seefood.runs.lease import hold_lease
from seefood.runs.run_spec import RunSpec
from seefood.storage import open_store, write
from seefood.storage.uris import parse_location
from tests.duckdb_process import query as duckdb_rows
from tests.fakes import DIGEST, failed, make_row

_NOW = utc_now()


def _fill(root: str, suffix: str, parts: int = 7, each: int = 10) -> list[Row]:
    """Write small parts and return all their rows, sorted."""
    rows = []
    for part in range(parts):
        some = [
            make_row(f's3://b/{part}/{n}, "x".jpg', classified_at=_NOW) for n in range(each - 1)
        ]
        some.append(failed(f"s3://b/{part}/bad.jpg", "corrupt", "line\nbreak"))
        uri = f"{root}/results/digest={DIGEST[:12]}/part-{part:032x}.{suffix}"
        write(parse_location(uri), encode_rows(some, suffix))
        rows += some
    return sorted(rows, key=lambda row: row.uri)


def _all(root: str) -> list[Row]:
    return sorted(read_rows(parse_location(root)), key=lambda row: row.uri)


@pytest.mark.parametrize("suffix", format_names())
def test_rows_survive_compaction(suffix: str, memory: str) -> None:
    """The same rows are in fewer objects; a second compaction changes nothing."""
    rows = _fill(memory, suffix)
    output = parse_location(memory)
    expected = _all(memory)
    assert len(rows) == len(expected)
    done = compact(output, DIGEST, 30)
    assert 7 == done.before
    assert done.after == len(list_parts(output)) < 4
    assert expected == _all(memory)
    assert 0 == compact(output, DIGEST, 30).rows


def test_an_interrupted_compaction_is_completed(memory: str) -> None:
    """Killed after writing the large object: the next one leaves one row a picture."""
    _fill(memory, "parquet")
    expected = _all(memory)
    store, output = open_store(memory), parse_location(memory)
    small = {part.uri: store.read(parse_location(part.uri).key) for part in list_parts(output)}
    compact(output, DIGEST)
    for uri, data in list(small.items())[:3]:
        store.write(parse_location(uri).key, data)
    assert len(expected) < len(_all(memory))
    compact(output, DIGEST)
    assert expected == _all(memory)


def test_no_run_writes_meanwhile(memory: str) -> None:
    """`seefood compact` is refused while a run holds the lease."""
    _fill(memory, "parquet")
    with (
        hold_lease(RunSpec(parse_location(memory), DIGEST, "run")),
        pytest.raises(UsageError, match="is taken: the run run"),
    ):
        compact_command.main([memory], standalone_mode=False)


def test_an_output_without_results_is_a_usage_error(tmp_path: Path) -> None:
    """The message says that there are no results."""
    result = CliRunner().invoke(compact_command, [str(tmp_path)])
    assert "there are no results below" in str(result.exception)


def test_readers_of_tables_read_results_as_they_are(tmp_path: Path) -> None:
    """DuckDB and pandas see one table, before and after compaction."""
    _fill(str(tmp_path), "parquet")
    files = f"{tmp_path}/results/**/*.parquet"

    def counts() -> list[tuple[object, ...]]:
        """Return how many rows have which label."""
        return duckdb_rows(query.format(files))

    query = "select label, count(*) from '{}' group by 1 order by 1 nulls last"
    expected = [("red", 63), (None, 7)]
    assert expected == counts()
    assert 70 == len(pd.read_parquet(tmp_path / "results"))
    result = CliRunner().invoke(compact_command, [str(tmp_path)], catch_exceptions=False)
    assert "7 objects became 1, 70 rows moved" in result.stdout
    assert expected == counts()
    frame = pd.read_parquet(tmp_path / "results")
    assert 70 == len(frame)
    assert "datetime64[ms, UTC]" == str(frame["classified_at"].dtype)
    assert {"label": "red", "score": 0.75} == frame["top"].dropna().iloc[0][0]


def test_one_row_a_picture_by_the_documented_query(tmp_path: Path) -> None:
    """While rows are replaced or compacted, this query hides the duplicates."""
    folder = f"{tmp_path}/results/digest={DIGEST[:12]}"
    old = make_row(label="green", classified_at=_NOW - timedelta(days=1))
    for name, row in (("a", old), ("b", make_row(classified_at=_NOW))):
        write(parse_location(f"{folder}/part-{name}.parquet"), encode_rows([row], "parquet"))
    rows = duckdb_rows(
        f"select uri, label from '{tmp_path}/results/**/*.parquet' "  # noqa: S608 (a test's folder)
        "qualify row_number() over (partition by uri, etag order by classified_at desc) = 1"
    )
    assert [("s3://b/a.jpg", "red")] == rows
