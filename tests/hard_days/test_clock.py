"""The system clock jumps by a day while runs are active."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront, Gate
from tests.hard_days.command import (
    check_complete,
    classify_command,
    fill_bucket,
    finish,
    rows_once,
    start,
)

_SOURCE: Final = Path(__file__).parent / "clock.c"
_DAY: Final = 86_400
pytestmark = [pytest.mark.beam, pytest.mark.compiler]


class Clock:
    """The time of day of every process that is started with `environment`."""

    def __init__(self, folder: Path) -> None:
        self._file, self._library = folder / "offset", folder / "clock.so"
        self.jump(0)
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(_SOURCE)]
        subprocess.run(command, check=True)

    def jump(self, seconds: int) -> None:
        """Set the offset from the true time, also for running processes."""
        with self._file.open("r+b" if self._file.exists() else "wb") as stream:
            stream.write(seconds.to_bytes(8, sys.byteorder, signed=True))

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the variables of a process with this clock (not its monotonic one)."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET_FILE": str(self._file)}


@pytest.mark.parametrize("jump", [_DAY, -_DAY])
def test_a_jump_neither_ends_nor_frees_a_lease(
    jump: int, s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run is refused although the lease seems a day old or from the future.

    The first run finishes normally, and the lease of a killed run does not block it.
    """
    source, output, clock = fill_bucket(s3, 30), tmp_path / "out", Clock(tmp_path)
    command = classify_command(source, output, "--chunk-size", "10")
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        never, gate = Gate(), Gate()
        front.faults.append(Fault("call", "in/025.jpg", call=never.hold))
        killed = start(command, clock.environment)
        never.wait_for_request()
        killed.kill()
        finish(killed)
        clock.jump(jump)
        front.faults[:] = [Fault("call", "in/025.jpg", call=gate.hold)]
        first = start(command, clock.environment)
        gate.wait_for_request()
        clock.jump(0)
        second = finish(start(command, clock.environment))
        assert (2, "") == (second.code, second.out)
        assert "is taken" in second.message()
        never.open()
        gate.open()
        ended = finish(first)
    assert (0, "") == (ended.code, ended.err)
    check_complete(output, 30)


def test_a_label_replaces_a_failure_from_the_future(
    s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed row dated tomorrow does not hide the label of today."""
    clock, source, output = Clock(tmp_path), fill_bucket(s3, 4), f"{s3.uri}/out"
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        front.faults.append(Fault("forbidden", "in/002.jpg", times=99))
        clock.jump(_DAY)
        command = classify_command(source, output)
        assert 0 == finish(start(command, clock.environment)).code
        assert ["forbidden"] == [row.error_code for row in rows_once(output) if row.error_code]
        front.faults.clear()
        clock.jump(0)
        ended = finish(start(command, clock.environment))
        assert (0, "") == (ended.code, ended.err)
    check_complete(output, 4)
