"""`seefood classify` as a process."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from seefood.results.files import read_rows
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.duckdb_process import query as duckdb_rows
from tests.fault_front import Fault, FaultFront, Gate
from tests.hard_days.command import wait_until
from tests.pictures import encoded, gradient, jpeg

pytestmark = pytest.mark.beam
_STOPPED = (
    "seefood: stopped before all pictures were classified; run the same command again to go on\n"
)


def _command(bundle: Path, *arguments: str | Path) -> list[str]:
    words = [*map(str, arguments)]
    at = words.index("--") if "--" in words else len(words)
    model = ["--model", str(bundle)]
    return [sys.executable, "-m", "seefood", "classify", *words[:at], *model, *words[at:]]


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def _once(output: Path | str) -> dict[str, str | None]:
    """Return the error code of each URI; check that each has one row."""
    rows = list(read_rows(parse_location(str(output))))
    assert [1] * len(rows) == list(Counter((row.uri, row.etag) for row in rows).values())
    return {row.uri: row.error_code for row in rows}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder of good, broken and unusual pictures."""
    folder = tmp_path / "pictures"
    (folder / "2026 Mallorca").mkdir(parents=True)
    for number in range(12):
        (folder / "2026 Mallorca" / f"{number}.jpg").write_bytes(jpeg((200, number, 30)))
    (folder / "broken.jpg").write_bytes(jpeg()[:100])
    (folder / "empty.png").write_bytes(b"")
    # libtiff writes lines of its own to stderr about this one.
    damaged = bytearray(encoded(gradient((64, 64)), "TIFF", compression="tiff_lzw"))
    damaged[40:400] = bytes(360)
    (folder / "noisy.tif").write_bytes(damaged)
    (folder / "notes.txt").write_text("sausages")
    with open(os.fsencode(folder) + b"/caf\xe9.jpg", "wb") as stream:  # noqa: PTH123 (no UTF-8)
        stream.write(jpeg())
    return folder


def test_a_folder(pictures: Path, tmp_path: Path, bundle_path: Path) -> None:
    """Prints a table on stdout and only progress on stderr; DuckDB reads the rows."""
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
    assert [(17, 13)] == duckdb_rows(query)
    assert [] == [path for path in output.rglob(".*") if path.is_file()]

    again = _run(_command(bundle_path, pictures, "--output", output, "--json", "--quiet"))
    assert (0, "") == (again.returncode, again.stderr)
    summary = json.loads(again.stdout)
    assert (17, 17, 0) == (summary["listed"], summary["skipped_by_ledger"], summary["rows"])
    assert summary["classify_seconds"] >= 0
    assert summary == json.loads((output / "runs" / summary["run_id"] / "summary.json").read_text())
    assert (output / "runs" / summary["run_id"] / "report.html").is_file()


def test_a_name_that_is_not_utf8(pictures: Path, tmp_path: Path, bundle_path: Path) -> None:
    """Such a name is accepted as a source and printed in the summary."""
    source = os.fsdecode(os.fsencode(pictures) + b"/caf\xe9.jpg")
    done = _run(
        _command(bundle_path, source, "--output", tmp_path / "out", "--json", "--no-report")
    )
    assert 0 == done.returncode, done.stderr
    assert [source] == json.loads(done.stdout)["sources"]


def test_beams_direct_runner(pictures: Path, tmp_path: Path, bundle_path: Path) -> None:
    """`-- --runner=DirectRunner` works without a download."""
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
        # Beam would download Prism through the proxy, into the home folder.
        env={**os.environ, "HOME": str(home), "https_proxy": "http://127.0.0.1:9"},
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert 17 == len(_once(tmp_path / "out"))
    assert [] == [path for path in home.rglob("*") if path.is_file()]


def test_too_many_failures(pictures: Path, tmp_path: Path, bundle_path: Path) -> None:
    """Exit code 3; the rows are kept, and the message has both shares."""
    options = ("--max-failure-ratio", "0.2", "--quiet", "--no-report", "--format", "csv")
    done = _run(_command(bundle_path, pictures, "--output", tmp_path / "out", *options))
    assert 3 == done.returncode, done.stderr
    assert done.stderr.startswith("seefood: 23.5% of the pictures failed, more than the 20.0%")
    assert 1 == len(done.stderr.splitlines())
    assert 17 == len(_once(tmp_path / "out"))


def test_a_bucket(s3: Bucket, bundle_path: Path) -> None:
    """Source and output are buckets; keys have spaces, signs and any script."""
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


def test_a_missing_bucket(s3: Bucket, bundle_path: Path, tmp_path: Path) -> None:
    """Exit code 2 and one message."""
    done = _run(_command(bundle_path, f"{s3.uri}-no/x/", "--output", tmp_path / "out"))
    assert (2, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines()), done.stderr
    assert "there is no such bucket" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_signals_end_it_and_a_rerun_completes(
    s3: Bucket, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with a message; written rows are kept, and a rerun classifies the rest."""
    s3.put_many({f"in/{index:02d}.jpg": jpeg((200, index, 30)) for index in range(40)})
    output = f"{s3.uri}/out"
    options = ("--output", output, "--quiet", "--no-report", "--chunk-size", "5")
    command = _command(bundle_path, f"{s3.uri}/in/", *options)
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        for number in (signal.SIGTERM, signal.SIGINT):
            gate = Gate()
            front.faults[:] = [Fault("call", "in/37.jpg", call=gate.hold)]
            run = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            gate.wait_for_request()
            wait_until(lambda: s3.keys("out/results/"))
            run.send_signal(number)
            stdout, stderr = run.communicate(timeout=60)
            gate.open()
            assert (128 + number, "") == (run.returncode, stdout), stderr
            assert _STOPPED == stderr
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    kept = len(_once(output))
    assert 0 < kept < 40
    done = _run([*command, "--json"])
    assert 0 == done.returncode, done.stderr
    assert kept == json.loads(done.stdout)["skipped_by_ledger"]
    assert 40 == len(_once(output))


def test_a_second_run_is_refused(
    s3: Bucket, bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a run is active, another one with its output is refused with a message."""
    for index in range(10):
        s3.put(f"in/{index}.jpg", jpeg((200, index, 30)))
    output, gate = f"{s3.uri}/out", Gate()
    options = ("--output", output, "--quiet", "--no-report")
    command = _command(bundle_path, f"{s3.uri}/in/", *options)
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        front.faults.append(Fault("call", "in/5.jpg", call=gate.hold))
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as first:
            gate.wait_for_request()
            second = _run(command)
            gate.open()
            _, stderr = first.communicate(timeout=120)
        assert (0, "") == (first.returncode, stderr)
        assert (2, 1) == (second.returncode, len(second.stderr.splitlines()))
        assert "is taken" in second.stderr
        assert 10 == len(_once(output))
