"""The output's disk is full: a file system of a few kilobytes."""

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.hard_days.command import Ended, check_complete, classify_command, fill, rows_once

pytestmark = [pytest.mark.beam, pytest.mark.namespaces]
_PICTURES = 160


def _shell(script: str) -> "subprocess.CompletedProcess[str]":
    """Run `script` in a mount namespace of its own."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc", script]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200
    )


def test_a_full_disk_stops_the_run_and_a_rerun_completes(tmp_path: Path) -> None:
    """Exit code 1 and a message with the cause; written rows count; no temporary file is left."""
    pictures, output, kept = fill(tmp_path / "in", _PICTURES), tmp_path / "out", tmp_path / "kept"
    output.mkdir()
    kept.mkdir()
    run = shlex.join(classify_command(pictures, output, "--chunk-size", "16"))
    done = _shell(
        f"""
        mount -t tmpfs -o size=72k none {output}
        set +e
        {run} > {kept}/out1 2> {kept}/err1; echo $? > {kept}/code1
        set -e
        cp -a {output} {kept}/first
        mount -o remount,size=64m {output}
        {run} > {kept}/out2 2> {kept}/err2
        cp -a {output} {kept}/second
        """
    )
    assert 0 == done.returncode, done.stderr + (kept / "err2").read_text()
    first = Ended(
        int((kept / "code1").read_text()),
        (kept / "out1").read_text(),
        (kept / "err1").read_text(),
    )
    assert (1, "") == (first.code, first.out)
    assert "No space left on device; free space or choose another output" in first.message()
    assert 0 < len(rows_once(kept / "first")) < _PICTURES
    check_complete(kept / "second", _PICTURES)
