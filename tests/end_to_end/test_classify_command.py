"""`seefood classify` as users type it, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from seefood.results.files import read_rows
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.pictures import encoded, gradient, jpeg

pytestmark = pytest.mark.beam


def _command(bundle: Path, *arguments: str | Path) -> list[str]:
    words = [*map(str, arguments)]
    at = words.index("--") if "--" in words else len(words)
    model = ["--model", str(bundle)]
    return [sys.executable, "-m", "seefood", "classify", *words[:at], *model, *words[at:]]


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def _once(output: Path | str) -> dict[str, str | None]:
    """Return the error code of each URI, each of which has to have one row."""
    rows = list(read_rows(parse_location(str(output))))
    assert [1] * len(rows) == list(Counter((row.uri, row.etag) for row in rows).values())
    return {row.uri: row.error_code for row in rows}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder as people have them: good, broken and odd."""
    folder = tmp_path / "pictures"
    (folder / "2026 Mallorca").mkdir(parents=True)
    for number in range(12):
        (folder / "2026 Mallorca" / f"{number}.jpg").write_bytes(jpeg((200, number, 30)))
    (folder / "broken.jpg").write_bytes(jpeg()[:100])
    (folder / "empty.png").write_bytes(b"")
    # libtiff writes its own lines to stderr about this one.
    damaged = bytearray(encoded(gradient((64, 64)), "TIFF", compression="tiff_lzw"))
    damaged[40:400] = bytes(360)
    (folder / "noisy.tif").write_bytes(damaged)
    (folder / "notes.txt").write_text("sausages")
    with open(os.fsencode(folder) + b"/caf\xe9.jpg", "wb") as stream:  # noqa: PTH123 (no UTF-8)
        stream.write(jpeg())
    return folder


def test_a_folder(pictures: Path, tmp_path: Path, bundle_path: Path) -> None:
    """A table on stdout, progress and nothing else on stderr, rows that DuckDB reads."""
    output = tmp_path / "out"
    done = _run(_command(bundle_path, pictures, "--output", output, "--no-report"))
    assert 0 == done.returncode, done.stderr
    codes = _once(output)
    assert 17 == len(codes)
    assert 4 == sum(code is not None for code in codes.values())
    assert "17 pictures in" in done.stdout
    assert f"Results  {output}/results" in done.stdout
    lines = done.stderr.splitlines()
    assert [] == [line for line in lines if "17 pictures" not in line and " pictures, " not in line]
    query = f"select count(*), count(label) from '{output}/results/**/*.parquet'"  # noqa: S608
    assert [(17, 13)] == duckdb.execute(query).fetchall()
    assert [] == [path for path in output.rglob(".*") if path.is_file()]

    again = _run(_command(bundle_path, pictures, "--output", output, "--json", "--quiet"))
    assert (0, "") == (again.returncode, again.stderr)
    summary = json.loads(again.stdout)
    assert (17, 17, 0) == (summary["listed"], summary["skipped_by_ledger"], summary["rows"])
    assert summary["classify_seconds"] >= 0
    assert summary == json.loads((output / "runs" / summary["run_id"] / "summary.json").read_text())
    assert (output / "runs" / summary["run_id"] / "report.html").is_file()


def test_a_name_that_is_no_utf8(pictures: Path, tmp_path: Path, bundle_path: Path) -> None:
    """Also as a source, and in the summary on stdout."""
    source = os.fsdecode(os.fsencode(pictures) + b"/caf\xe9.jpg")
    done = _run(
        _command(bundle_path, source, "--output", tmp_path / "out", "--json", "--no-report")
    )
    assert 0 == done.returncode, done.stderr
    assert [source] == json.loads(done.stdout)["sources"]


def test_beams_direct_runner(pictures: Path, tmp_path: Path, bundle_path: Path) -> None:
    """`-- --runner=DirectRunner` works, quickly and without fetching anything."""
    command = _command(
        bundle_path, pictures, "--output", tmp_path / "out", "--quiet", "--no-report",
        "--format", "jsonl", "--", "--runner=DirectRunner",
    )  # fmt: skip
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        # Prism would be downloaded through these, into this.
        env={**os.environ, "HOME": str(home), "https_proxy": "http://127.0.0.1:9"},
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert 17 == len(_once(tmp_path / "out"))
    assert [] == [path for path in home.rglob("*") if path.is_file()]


def test_too_many_failures(pictures: Path, tmp_path: Path, bundle_path: Path) -> None:
    """Exit code 3, the rows stay, and the sentence says both shares."""
    options = ("--max-failure-ratio", "0.2", "--quiet", "--no-report", "--format", "csv")
    done = _run(_command(bundle_path, pictures, "--output", tmp_path / "out", *options))
    assert 3 == done.returncode, done.stderr
    assert done.stderr.startswith("seefood: 23.5% of the pictures failed, more than the 20.0%")
    assert 1 == len(done.stderr.splitlines())
    assert 17 == len(_once(tmp_path / "out"))


def test_a_bucket(s3: Bucket, bundle_path: Path) -> None:
    """From a bucket into a bucket, with what users name their files."""
    for key in ("in/a b.jpg", "in/a+b%20c.jpg", "in/ホットドッグ 🌭.jpg"):
        s3.put(key, jpeg())
    s3.put("in/vanity.gif", b"GIF89a")
    command = _command(bundle_path, f"{s3.uri}/in/", "--output", f"{s3.uri}/out", "--quiet")
    done = _run([*command, "--no-report"])
    assert (0, "") == (done.returncode, done.stderr)
    assert {
        f"{s3.uri}/in/a b.jpg": None,
        f"{s3.uri}/in/a+b%20c.jpg": None,
        f"{s3.uri}/in/ホットドッグ 🌭.jpg": None,
        f"{s3.uri}/in/vanity.gif": "truncated",
    } == _once(f"{s3.uri}/out")
    assert not [key for key in s3.keys("out/") if not key.startswith(("out/results/", "out/runs/"))]


def test_a_bucket_that_is_not_there(s3: Bucket, bundle_path: Path, tmp_path: Path) -> None:
    """One sentence, exit code 2."""
    done = _run(_command(bundle_path, f"{s3.uri}-no/x/", "--output", tmp_path / "out"))
    assert (2, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines()), done.stderr
    assert "there is no such bucket" in done.stderr
    assert not (tmp_path / "out").exists()


def _big_folder(tmp_path: Path, count: int) -> Path:
    """Return a folder that takes some seconds: many links to one slow picture."""
    folder = tmp_path / "many"
    folder.mkdir()
    picture = tmp_path / "slow.png"
    picture.write_bytes(encoded(gradient((700, 700)), "PNG", compress_level=1))
    for number in range(count):
        os.link(picture, folder / f"{number:04d}.png")
    return folder


def _stop(command: Sequence[str], number: signal.Signals, output: Path, parts: int) -> str:
    """Start `command`, stop it when it has written so many parts; return what it said."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(list(output.rglob("part-*.parquet"))) < parts and time.monotonic() < deadline:
        time.sleep(0.02)
    begun = time.monotonic()
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert time.monotonic() - begun < 10.0
    assert (1, "") == (process.returncode, stdout), stderr
    return stderr


@pytest.mark.slow
def test_signals_end_it_and_a_rerun_completes(tmp_path: Path, bundle_path: Path) -> None:
    """Stopped soon and with a sentence; what was written counts; the rest follows."""
    folder, output = _big_folder(tmp_path, 500), tmp_path / "out"
    options = ("--output", output, "--quiet", "--no-report", "--chunk-size", "20")
    command = _command(bundle_path, folder, *options)
    survived = []
    for number in (signal.SIGTERM, signal.SIGINT):
        said = _stop(command, number, output, parts=len(list(output.rglob("part-*"))) + 1)
        assert (
            "seefood: stopped before all pictures were classified; "
            "run the same command again to go on\n"
        ) == said
        survived.append(len(_once(output)))
    assert 0 < survived[0] < survived[1] < 500
    done = _run(_command(bundle_path, folder, *options, "--json"))
    assert 0 == done.returncode, done.stderr
    assert survived[1] == json.loads(done.stdout)["skipped_by_ledger"]
    assert 500 == len(_once(output))


def test_two_runs_at_once_do_no_harm(tmp_path: Path, bundle_path: Path) -> None:
    """The second one is refused with a sentence, or both end; each picture has one row."""
    folder, output = _big_folder(tmp_path, 120), tmp_path / "out"
    command = _command(bundle_path, folder, "--output", output, "--quiet", "--no-report")
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for run in runs:
        _, stderr = run.communicate(timeout=120)
        assert run.returncode in (0, 2), stderr
        if run.returncode == 2:
            assert 1 == len(stderr.splitlines())
            assert "is taken" in stderr
    assert 0 in {run.returncode for run in runs}
    assert 120 == len(_once(output))
