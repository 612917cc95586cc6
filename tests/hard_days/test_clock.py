"""The clock jumps while runs are at work: a real process under libfaketime, by a day."""

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import Bucket
from tests.conftest import faketime_library as library
from tests.fault_front import Fault, FaultFront
from tests.hard_days.command import check_complete, finish, rows_once, start, words
from tests.pictures import encoded, gradient, jpeg

pytestmark = [pytest.mark.beam, pytest.mark.faketime]


class Clock:
    """The time of day of every process that is started with `environment`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "time-of-day"
        self.jump("+0")

    def jump(self, offset: str) -> None:
        """Set the clock so far from the true time: `+1d`, `-2h`."""
        self._file.write_text(f"{offset}\n")

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to see this clock; its monotonic clock is the true one."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def _wait_for_parts(output: Path, parts: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(output.rglob("part-*"))) < parts and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.parametrize("jump", ["+1d", "-1d"])
def test_a_run_survives_a_jump_and_its_place_stays_taken(jump: str, tmp_path: Path) -> None:
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
    clock.jump("+0")
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
        clock.jump("+1d")
        command = words(f"{s3.uri}/in/", place)
        assert 0 == finish(start(command, clock.environment)).code
        assert ["forbidden"] == [row.error_code for row in rows_once(place) if row.error_code]
        front.faults.clear()
        clock.jump("+0")
        ended = finish(start(command, clock.environment))
        assert (0, "") == (ended.code, ended.err)
    check_complete(place, 4)
