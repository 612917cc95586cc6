"""What a second run classifies: new pictures, all with `force`, all with another model."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seefood.bundle import load_bundle
from seefood.classification import Model
from seefood.records import Row, utc_now
from seefood.results.files import list_parts, read_rows, upload_location
from seefood.results.formats.jsonl import encode_json_row
from seefood.runs.run_spec import ChunkSize, RunOptions
from seefood.sources.base import Source
from seefood.sources.filters import Selection
from seefood.sources.listing import list_sources
from seefood.sources.manifests import parse_manifest
from seefood.sources.registry import parse_source
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood_pipeline.account import Outcome
from seefood_pipeline.launcher import launch
from seefood_pipeline.request import Request
from tests.bundles import fake_bundle
from tests.fakes import make_row
from tests.pictures import jpeg

pytestmark = pytest.mark.beam
_COUNT = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with pictures and a bundle."""
    (tmp_path / "in").mkdir()
    for number in range(_COUNT):
        (tmp_path / "in" / f"{number:02d}.jpg").write_bytes(jpeg((10 * number, 90, 30)))
    fake_bundle(tmp_path / "bundle")
    return tmp_path


def _run(
    folder: Path,
    *sources: Source,
    chunk: int = 8,
    bundle: str = "bundle",
    **options: Any,
) -> Outcome:
    chosen = RunOptions(engine="fake", chunk=ChunkSize(chunk), **options)
    named = sources or (str(folder / "in"),)
    request = Request(named, str(folder / "out"), folder / bundle, chosen, report=False)
    return launch(request, "quiet")


def _rows(folder: Path) -> list[Row]:
    return list(read_rows(parse_location(str(folder / "out"))))


def test_force_replaces_rows_whatever_the_chunks(folder: Path) -> None:
    """With other chunks, and a picture that is gone, each picture has one row, the newest."""
    _run(folder)
    first = utc_now()
    (folder / "in" / "00.jpg").unlink()
    assert _COUNT - 1 == _run(folder, chunk=5, force=True).summary["rows"]
    rows = _rows(folder)
    assert {1} == set(Counter(row.uri for row in rows).values())
    assert _COUNT == len(rows)
    assert _COUNT - 1 == sum(row.classified_at >= first - timedelta(milliseconds=1) for row in rows)
    assert 0 == _run(folder).summary["rows"]


def test_only_new_and_changed_pictures_are_classified(folder: Path) -> None:
    """The other pictures are skipped."""
    _run(folder)
    (folder / "in" / "new.jpg").write_bytes(jpeg())
    (folder / "in" / "03.jpg").write_bytes(jpeg((1, 2, 250), (40, 40)))
    summary = _run(folder).summary
    assert (2, _COUNT - 1) == (summary["rows"], summary["skipped_by_ledger"])


def test_another_model_classifies_everything(folder: Path) -> None:
    """The results of two models are in different folders."""
    _run(folder)
    fake_bundle(folder / "other", name="other")
    assert _COUNT == _run(folder, bundle="other").summary["rows"]
    assert {"fake": _COUNT, "other": _COUNT} == Counter(row.model for row in _rows(folder))
    parts = list_parts(parse_location(str(folder / "out")))
    assert 2 == len({part.uri.split("/")[-2] for part in parts})


def test_pictures_of_the_lambda_are_skipped(folder: Path) -> None:
    """A row below uploads/ counts as a row."""
    model = Model.of(load_bundle(folder / "bundle"))
    (ref,) = list_sources([parse_source(str(folder / "in" / "05.jpg"))])
    row = make_row(ref.uri, etag=ref.etag, model=model.name, model_digest=model.digest)
    output = parse_location(str(folder / "out"))
    write(upload_location(output, model.digest, ref), encode_json_row(row))
    summary = _run(folder).summary
    assert (_COUNT - 1, 1) == (summary["rows"], summary["skipped_by_ledger"])


def test_a_manifest_and_a_selection_limit_the_pictures(folder: Path) -> None:
    """Only listed and selected pictures are classified, a picture in two lists once."""
    (folder / "list.txt").write_text("in/01.jpg\nin/02.jpg\nin/gone.jpg\nin/01.jpg\n")
    (folder / "list.jsonl").write_text('{"path": "in/02.jpg"}\n{"path": "in/12.jpg"}\n')
    manifests = tuple(parse_manifest(str(folder / name)) for name in ("list.txt", "list.jsonl"))
    selection = Selection(exclude=("12*",))
    outcome = _run(folder, *manifests, selection=selection)
    codes = {row.uri.rpartition("/")[2]: row.error_code for row in _rows(folder)}
    assert {"01.jpg": None, "02.jpg": None, "gone.jpg": "not_found"} == codes
    assert 3 == outcome.summary["rows"]


def test_older_pictures_are_left_out(folder: Path) -> None:
    """`--since` compares the time at which the content was written."""
    later = utc_now().timestamp() + 3600
    assert 0 == _run(folder, selection=Selection(since=later)).summary["rows"]
    assert _COUNT == _run(folder, selection=Selection(since=later - 7200)).summary["rows"]
