"""Rows in Python: lazily, as a table, with a worker process that ends."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

import seefood
from seefood.bundle import Bundle
from seefood.errors import BundleError, UsageError
from seefood.results.columns import COLUMNS
from seefood.sources.manifests import parse_manifest
from tests.bundles import add_fake_variant, fake_bundle
from tests.conftest import ROOT
from tests.pictures import jpeg


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle for the fake engine."""
    return fake_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty pictures, and a file that is none."""
    made = tmp_path_factory.mktemp("in")
    for number in range(50):
        (made / f"{number:02d}.jpg").write_bytes(jpeg())
    (made / "broken.jpg").write_bytes(b"no picture")
    return made


def _classify(folder: Any, bundle: Bundle, **options: Any) -> Any:
    return seefood.classify(folder, model=bundle.path, engine="fake", **options)


def _workers() -> list[int]:
    return [
        child.pid
        for child in psutil.Process().children(recursive=True)
        if "seefood.workers.subprocess_main" in " ".join(child.cmdline())
    ]


def test_every_picture_has_a_row_and_the_worker_ends(folder: Path, bundle: Bundle) -> None:
    """A loop over a folder: one row each; no process before the first row or after the last."""
    before = _workers()
    rows = _classify(folder, bundle)
    assert before == _workers()
    found = list(rows)
    assert before == _workers()
    assert 51 == len({row.uri for row in found}) == len(found)
    assert [("broken.jpg", "not_an_image")] == [
        (row.uri.rpartition("/")[2], row.error_code) for row in found if row.label is None
    ]
    assert [] == list(rows)


def test_fast_runs_the_variant_and_its_rows_say_so(tmp_path: Path, folder: Path) -> None:
    """The variant's engine and digest; a digest of the bundle around it is refused."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.1, 0.5)
    rows = list(seefood.classify(folder / "00.jpg", model=bundle.path, fast=True))
    assert [("fake-int8", bundle.variants["int8"], "fake")] == [
        (row.model, row.model_digest, row.engine) for row in rows
    ]
    with pytest.raises(BundleError, match="is that of the variant"):
        seefood.classify(folder, model=bundle.path, fast=True, digest=bundle.digest)


def test_leaving_the_block_stops_the_worker(folder: Path, bundle: Bundle) -> None:
    """Also in the middle; a second close does nothing. Forgetting the rows stops it, too."""
    before = _workers()
    with _classify(folder, bundle) as rows:
        next(rows)
        assert len(before) + 1 == len(_workers())
    rows.close()
    assert before == _workers()
    rows = _classify(folder, bundle)
    next(rows)
    del rows
    assert before == _workers()


def test_threads_share_the_rows(folder: Path, bundle: Bundle) -> None:
    """Each row goes to one of them; the model may be a bundle that is open."""
    rows = seefood.classify(folder, model=bundle, engine="fake")
    with ThreadPoolExecutor(2) as pool:
        taken: list[list[Any]] = list(pool.map(list, (rows, rows)))
    assert 51 == len({row.uri for part in taken for row in part}) == sum(map(len, taken))


def test_rows_as_tables(folder: Path, bundle: Bundle) -> None:
    """The columns are those of result files; nothing is a table without rows."""
    table = _classify(folder, bundle, limit=3, top_k=1).to_arrow()
    assert ([column.name for column in COLUMNS], 3) == (table.schema.names, table.num_rows)
    frame = _classify(folder, bundle, include="0*.jpg").to_pandas()
    assert 10 == len(frame)
    none = _classify(folder, bundle, since=datetime.now(UTC) + timedelta(days=1))
    with pytest.warns(UserWarning, match="there are no rows: none of the 51 objects"):
        assert 0 == none.to_arrow().num_rows
    assert none.remarks


def test_several_sources_and_manifests(folder: Path, bundle: Bundle, tmp_path: Path) -> None:
    """A list of paths and a manifest; a picture that both have has one row."""
    (tmp_path / "list.txt").write_text(f"{folder}/00.jpg\n{folder}/01.jpg\n")
    sources = [folder / "01.jpg", parse_manifest(str(tmp_path / "list.txt"))]
    assert 2 == len(list(_classify(sources, bundle)))


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        (None, {}, "None is no source"),
        (7, {}, "7 is no source"),
        (b"in", {}, "<2 bytes> is no source"),
        ([None], {}, "None is no source"),
        ([], {}, "no pictures are named"),
        ("", {}, "names nothing"),
        ("/nowhere", {}, "there is nothing at /nowhere"),
        (".", {"engine": "x"}, "there is no engine 'x'"),
        (".", {"top_k": 0}, "top_k is 0"),
        (".", {"limit": 0}, "limit is 0"),
        (".", {"sample": 2.0}, "sample is 2.0"),
        (".", {"since": "soon"}, "soon"),
        (".", {"digest": "0" * 12}, "was expected"),
        (".", {"digest": 3}, "3 was expected"),
        (".", {"model": 3}, "3 names no model"),
        (".", {"model": ""}, "'' names no model"),
        (".", {"top_k": "3"}, "top_k is '3'"),
        (".", {"limits": 5}, "limits is 5"),
        (".", {"limit": 2.5}, r"limit is 2\.5"),
        (".", {"sample": "0.5"}, r"sample is '0\.5'"),
        (".", {"since": [1]}, r"since is \[1\]"),
        (".", {"include": [3]}, r"include is \(3,\)"),
        (".", {"exclude": 3}, "exclude is 3"),
    ],
)  # fmt: skip
def test_mistakes_are_usage_errors(
    bundle: Bundle, sources: Any, options: dict[str, Any], message: str
) -> None:
    """Each is reported by the call, in one sentence."""
    with pytest.raises(UsageError, match=message):
        seefood.classify(sources, **{"model": bundle.path, "engine": "fake", **options})


def test_an_unknown_model_is_an_error(folder: Path) -> None:
    """The message says what a model is."""
    with pytest.raises(BundleError, match="there is no model bundle at"):
        seefood.classify(folder, model="nonsense")


_LOOP = """
import sys, seefood
for row in seefood.classify(sys.argv[1], model=sys.argv[2], engine="fake"):
    print("row", flush=True)
    sys.stdin.readline()
"""


def test_ctrl_c_leaves_no_process_behind(folder: Path, bundle: Bundle) -> None:
    """The program ends with KeyboardInterrupt at once, and its worker process with it."""
    program = subprocess.Popen(
        [sys.executable, "-c", _LOOP, str(folder), str(bundle.path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert "row\n" == program.stdout.readline()
    children = psutil.Process(program.pid).children(recursive=True)
    assert children
    program.send_signal(signal.SIGINT)
    _, stderr = program.communicate(timeout=60)
    assert "KeyboardInterrupt" in stderr.splitlines()[-1]
    assert [] == psutil.wait_procs(children, timeout=30)[1]


def test_importing_is_light() -> None:
    """`import seefood` and its names without Beam, pyarrow or pandas."""
    code = "import seefood, sys; seefood.classify, seefood.read; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"apache_beam", "pyarrow", "pandas", "tensorflow"} & set(done.stdout.split())
