"""A stop request while the store hangs; and a worker that the system kills for its memory."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront, Kind
from tests.hard_days.command import check_complete, finish, rows_once, start, words
from tests.pictures import encoded, gradient, jpeg

pytestmark = pytest.mark.beam
_STOPPED = (
    "seefood: stopped before all pictures were classified; run the same command again to go on"
)


def _children(pid: int) -> list[psutil.Process]:
    return list(psutil.Process(pid).children(recursive=True))


def test_a_hanging_store_does_not_keep_a_run_that_is_asked_to_stop(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM: over within ten seconds though answers never come; nobody is left behind."""
    for number in range(40):
        s3.put(f"in/{number:02d}.jpg", jpeg((200, 5 * number, 30)))
    place = f"{s3.uri}/out"
    command = words(f"{s3.uri}/in/", place, "--chunk-size", "8")
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        hanging = [Fault("delay", f"in/{n:02d}.jpg", times=9, seconds=40.0) for n in range(20, 40)]
        front.faults += hanging
        run = start(command)
        deadline = time.monotonic() + 60
        while not any(fault.met for fault in hanging) and time.monotonic() < deadline:
            time.sleep(0.05)
        children = _children(run.pid)
        began = time.monotonic()
        run.send_signal(signal.SIGTERM)
        ended = finish(run)
        assert time.monotonic() - began < 10.0
        assert (1, "", _STOPPED) == (ended.code, ended.out, ended.sentence())
        psutil.wait_procs(children, timeout=10)
        assert [] == [child for child in children if child.is_running()]
        assert len(rows_once(place)) < 40
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    assert 0 == finish(start(command)).code
    check_complete(place, 40)


@pytest.mark.parametrize("kind", ["slow_down", "forbidden", "garbage"])
def test_waiting_to_try_again_does_not_keep_a_run_that_is_asked_to_stop(
    kind: Kind, s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM while a write is tried again and again: over as fast, and the write's end is told."""
    for number in range(40):
        s3.put(f"in/{number:02d}.jpg", jpeg((200, 5 * number, 30)))
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        failing = Fault(kind, "/results/", "PUT", times=1_000_000)
        front.faults += [Fault("call", "/results/", "PUT"), failing]
        run = start(words(f"{s3.uri}/in/", f"{s3.uri}/out", "--chunk-size", "8"))
        deadline = time.monotonic() + 60
        while not failing.met and time.monotonic() < deadline:
            time.sleep(0.05)
        children = _children(run.pid)
        began = time.monotonic()
        run.send_signal(signal.SIGTERM)
        ended = finish(run)
        assert time.monotonic() - began < 10.0
        assert (1, "") == (ended.code, ended.out)
        assert "run the same command again" in ended.sentence()
        psutil.wait_procs(children, timeout=10)
        assert [] == [child for child in children if child.is_running()]
        front.faults.clear()
        assert 8 == len(rows_once(f"{s3.uri}/out"))


def test_a_worker_that_the_system_kills_is_replaced(tmp_path: Path) -> None:
    """SIGKILL to the worker process, as the kernel kills who takes all memory: no row is lost."""
    place = tmp_path
    (place / "in").mkdir()
    (place / "slow.png").write_bytes(encoded(gradient((700, 700)), "PNG", compress_level=1))
    for number in range(300):
        (place / "in" / f"{number:03d}.png").hardlink_to(place / "slow.png")
    run = start(words(place / "in", place / "out", "--chunk-size", "20"))
    kills = 0
    deadline = time.monotonic() + 60
    while kills < 2 and time.monotonic() < deadline:
        if len(list((place / "out").rglob("part-*"))) > 3 * kills:
            for child in _children(run.pid)[:1]:
                child.kill()
                kills += 1
        time.sleep(0.05)
    ended = finish(run)
    assert (2, 0, "") == (kills, ended.code, ended.err)
    check_complete(place / "out", 300)
