"""What a second run does: nothing new, all again, another model, a part of it."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seefood.bundle import load_bundle
from seefood.classify import Model
from seefood.records import Row, utc_now
from seefood.results.files import list_parts, read_rows, upload_location
from seefood.results.formats.jsonl import encode_json_row
from seefood.sources.filters import Selection
from seefood.sources.listing import list_sources
from seefood.sources.manifests import parse_manifest
from seefood.sources.registry import parse_source
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood.workers.chunks import ChunkSize
from seefood_pipeline.launcher import Outcome, Request, launch
from tests.bundles import fake_bundle
from tests.fakes import make_row
from tests.pictures import jpeg

pytestmark = pytest.mark.beam
_COUNT = 20


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder of pictures, a bundle, and room for results."""
    (tmp_path / "in").mkdir()
    for number in range(_COUNT):
        (tmp_path / "in" / f"{number:02d}.jpg").write_bytes(jpeg((10 * number, 90, 30)))
    fake_bundle(tmp_path / "bundle")
    return tmp_path


def _run(place: Path, *, chunk: int = 8, sources: bool = True, **options: Any) -> Outcome:
    named = (str(place / "in"),) if sources else ()
    bundle = options.pop("bundle", place / "bundle")
    options |= {"engine": "fake", "report": False, "chunk": ChunkSize(chunk)}
    return launch(Request(named, str(place / "out"), bundle, **options), "quiet")


def _rows(place: Path) -> list[Row]:
    return list(read_rows(parse_location(str(place / "out"))))


def test_force_replaces_rows_whatever_the_chunks(place: Path) -> None:
    """All again, in other chunks, and with pictures that are gone: one row each, the new one."""
    _run(place)
    first = utc_now()
    (place / "in" / "00.jpg").unlink()
    assert _COUNT - 1 == _run(place, chunk=5, force=True).summary["rows"]
    rows = _rows(place)
    assert {1} == set(Counter(row.uri for row in rows).values())
    assert _COUNT == len(rows)
    assert _COUNT - 1 == sum(row.classified_at >= first - timedelta(milliseconds=1) for row in rows)
    assert 0 == _run(place).summary["rows"]


def test_only_what_is_new_or_changed_is_due(place: Path) -> None:
    """The nightly increment."""
    _run(place)
    (place / "in" / "new.jpg").write_bytes(jpeg())
    (place / "in" / "03.jpg").write_bytes(jpeg((1, 2, 250), (40, 40)))
    summary = _run(place).summary
    assert (2, _COUNT - 1) == (summary["rows"], summary["skipped_by_ledger"])


def test_another_model_starts_beside_the_old_results(place: Path) -> None:
    """Results of two models never mix."""
    _run(place)
    other = fake_bundle(place / "other", name="other").path
    assert _COUNT == _run(place, bundle=other).summary["rows"]
    assert {"fake": _COUNT, "other": _COUNT} == Counter(row.model for row in _rows(place))
    parts = list_parts(parse_location(str(place / "out")))
    assert 2 == len({part.uri.split("/")[-2] for part in parts})


def test_what_the_lambda_did_counts(place: Path) -> None:
    """A row below uploads/ is a row."""
    model = Model.of(load_bundle(place / "bundle"))
    (ref,) = list_sources([parse_source(str(place / "in" / "05.jpg"))])
    row = make_row(ref.uri, etag=ref.etag, model=model.name, model_digest=model.digest)
    output = parse_location(str(place / "out"))
    write(upload_location(output, model.digest, ref), encode_json_row(row))
    summary = _run(place).summary
    assert (_COUNT - 1, 1) == (summary["rows"], summary["skipped_by_ledger"])


def test_a_manifest_and_a_selection_say_what_is_due(place: Path) -> None:
    """The job takes what is listed and selected, no more; a picture in two lists once."""
    (place / "list.txt").write_text("in/01.jpg\nin/02.jpg\nin/gone.jpg\nin/01.jpg\n")
    (place / "list.jsonl").write_text('{"path": "in/02.jpg"}\n{"path": "in/12.jpg"}\n')
    manifests = tuple(parse_manifest(str(place / name)) for name in ("list.txt", "list.jsonl"))
    selection = Selection(exclude=("12*",))
    outcome = _run(place, sources=False, manifests=manifests, selection=selection)
    found = {row.uri.rpartition("/")[2]: row.error_code for row in _rows(place)}
    assert {"01.jpg": None, "02.jpg": None, "gone.jpg": "not_found"} == found
    assert 3 == outcome.summary["rows"]


def test_what_is_older_is_left_out(place: Path) -> None:
    """`--since` goes by the time at which the content came."""
    later = utc_now().timestamp() + 3600
    assert 0 == _run(place, selection=Selection(since=later)).summary["rows"]
    assert _COUNT == _run(place, selection=Selection(since=later - 7200)).summary["rows"]
