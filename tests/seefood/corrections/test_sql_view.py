import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from seefood.corrections import CorrectionLog
from seefood.corrections.output_labels import final_labels
from seefood.records import utc_now
from seefood.results.output_rows import open_rows
from seefood.storage.uris import parse_location
from tests.conftest import ROOT
from tests.duckdb_process import query
from tests.fakes import failed, make_row
from tests.seefood.corrections.test_correction_log import correct
from tests.seefood.results.test_output_rows import put_part


def test_the_documented_view_gives_what_labels_gives(tmp_path: Path) -> None:
    """The statements of docs/review.md, run by DuckDB, over corrected, replaced and failed ones."""
    now = utc_now()
    put_part(
        str(tmp_path),
        "a",
        make_row("s3://b/1"),
        make_row("s3://b/2"),
        make_row("s3://b/3", classified_at=now - timedelta(days=1)),
        make_row("s3://b/3", etag="e2", label="green", classified_at=now),
        failed("s3://b/4", "empty", "x"),
        make_row("s3://b/5"),
        make_row("s3://b/6", labels=("red", "green")),
        make_row("s3://b/7", labels=("red",)),
    )
    log = CorrectionLog(parse_location(str(tmp_path)))
    for uri, label in (
        ("s3://b/1", "green"),
        ("s3://b/1", "mauve"),
        ("s3://b/2", "red"),
        ("s3://b/3", "blue"),
        ("s3://b/4", "red"),
        ("s3://b/5", "green"),
        ("s3://b/5", None),
    ):
        log.append([correct(uri, label)])
    log.append([replace(correct("s3://b/6", None), labels=())])
    view, tables, *_ = re.findall(
        r"```sql\n(.*?)```", (ROOT / "docs/review.md").read_text(), re.DOTALL
    )
    statements = f"{tables}\n{view};".replace("DEST", str(tmp_path))
    names = 'uri, etag, label, "by", score, labels'
    found = query(statements + f" select {names} from final_labels order by uri")  # noqa: S608 (our own text)
    rows = final_labels(open_rows(log.output), log.corrections)
    expected = [
        (each.uri, each.etag, each.label, str(each.by), list(each.labels or ()))
        for each in sorted(rows, key=lambda each: each.uri)
    ]
    assert expected == [(*row[:4], row[5] or []) for row in found]
    assert ["s3://b/2", "s3://b/3", "s3://b/5", "s3://b/7"] == [row[0] for row in found if row[4]]
    assert 7 == len(found)
