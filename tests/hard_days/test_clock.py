"""The clock jumps by a day while runs are at work: real processes with a clock of their own."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront
from tests.hard_days.command import check_complete, finish, rows_once, start, words
from tests.pictures import encoded, gradient, jpeg

_SHIFTED: Final = Path(__file__).parent / "clock.c"
_DAY: Final = 86_400
pytestmark = [pytest.mark.beam, pytest.mark.compiler]


class Clock:
    """The time of day of every process that is started with `environment`."""

    def __init__(self, folder: Path) -> None:
        self._file, self._library = folder / "offset", folder / "clock.so"
        self.jump(0)
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(_SHIFTED)]
        subprocess.run(command, check=True)

    def jump(self, seconds: int) -> None:
        """Set the clock so far from the true time, for processes that run, too."""
        with self._file.open("r+b" if self._file.exists() else "wb") as stream:
            stream.write(seconds.to_bytes(8, sys.byteorder, signed=True))

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to see this clock; its monotonic clock is the true one."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET_FILE": str(self._file)}


def _wait_for_parts(output: Path, parts: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(output.rglob("part-*"))) < parts and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize("jump", [_DAY, -_DAY])
def test_a_run_survives_a_jump_and_its_place_stays_taken(jump: int, tmp_path: Path) -> None:
    """A second run after the jump is refused, though the lease looks a day old, or in the future.

    The first one ends as if nothing had been; one that was killed blocks nobody.
    """
    folder, output, clock = tmp_path / "in", tmp_path / "out", Clock(tmp_path)
    folder.mkdir()
    slow = encoded(gradient((700, 700)), "PNG", compress_level=1)
    (tmp_path / "slow.png").write_bytes(slow)
    for number in range(250):
        (folder / f"{number:03d}.png").hardlink_to(tmp_path / "slow.png")
    command = words(folder, output, "--chunk-size", "10")
    killed = start(command, clock.environment)
    _wait_for_parts(output, 1)
    killed.kill()
    finish(killed)
    clock.jump(jump)
    first = start(command, clock.environment)
    _wait_for_parts(output, len(list(output.rglob("part-*"))) + 1)
    clock.jump(0)
    second = finish(start(command, clock.environment))
    assert (2, "") == (second.code, second.out)
    assert "is taken" in second.sentence()
    ended = finish(first)
    assert (0, "") == (ended.code, ended.err)
    check_complete(output, 250)


def test_a_label_outlives_a_failure_of_the_future(
    s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed row of tomorrow does not take the place of today's label."""
    clock = Clock(tmp_path)
    for number in range(4):
        s3.put(f"in/{number}.jpg", jpeg((200, 50 * number, 30)))
    place = f"{s3.uri}/out"
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        front.faults.append(Fault("forbidden", "in/2.jpg", times=99))
        clock.jump(_DAY)
        command = words(f"{s3.uri}/in/", place)
        assert 0 == finish(start(command, clock.environment)).code
        assert ["forbidden"] == [row.error_code for row in rows_once(place) if row.error_code]
        front.faults.clear()
        clock.jump(0)
        ended = finish(start(command, clock.environment))
        assert (0, "") == (ended.code, ended.err)
    check_complete(place, 4)
