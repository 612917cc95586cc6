"""A run is asked to stop while the store does not respond; its worker process is killed."""

import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront, Gate, Kind
from tests.hard_days.command import (
    Ended,
    check_complete,
    children,
    classify_command,
    fill_bucket,
    finish,
    rows_once,
    start,
    wait_until,
)

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.beam
_STOPPED = (
    "seefood: stopped before all pictures were classified; run the same command again to go on"
)
# Requests are held, or fail, for longer.
_STOP_SECONDS = 60.0


def _stop(run: "subprocess.Popen[str]") -> Ended:
    """Ask a run to stop and check that it and its processes end."""
    processes = children(run)
    run.send_signal(signal.SIGTERM)
    ended = finish(run, _STOP_SECONDS)
    _, alive = psutil.wait_procs(processes, timeout=_STOP_SECONDS)
    assert [] == alive
    return ended


def test_a_stop_does_not_wait_for_held_requests(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM ends the run and its processes although the store never responds."""
    output, gate = f"{s3.uri}/out", Gate()
    command = classify_command(fill_bucket(s3, 40), output, "--chunk-size", "8")
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        front.faults += [
            Fault("call", f"in/{number:03d}.jpg", times=9, call=gate.hold)
            for number in range(20, 40)
        ]
        run = start(command)
        gate.wait_for_request()
        ended = _stop(run)
        gate.open()
        assert (143, "", _STOPPED) == (ended.code, ended.out, ended.message())
        assert len(rows_once(output)) < 40
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    assert 0 == finish(start(command)).code
    check_complete(output, 40)


@pytest.mark.parametrize("kind", ["slow_down", "forbidden", "garbage"])
def test_a_stop_does_not_wait_for_retries(
    kind: Kind, s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM ends the run while it retries a write, and the message tells how to go on."""
    output = f"{s3.uri}/out"
    command = classify_command(fill_bucket(s3, 40), output, "--chunk-size", "8")
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        failing = Fault(kind, "/results/", "PUT", times=1_000_000)
        front.faults += [Fault("call", "/results/", "PUT"), failing]
        run = start(command)
        wait_until(lambda: failing.met or run.poll() is not None)
        ended = _stop(run)
        assert (143, "") == (ended.code, ended.out)
        assert "run the same command again" in ended.message()
        front.faults.clear()
        assert 8 == len(rows_once(output))


def test_a_killed_worker_is_replaced(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """After SIGKILL of the worker process, as from the kernel without memory, no row is missing."""
    output = f"{s3.uri}/out"
    command = classify_command(fill_bucket(s3, 60), output, "--chunk-size", "20")
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        gate = Gate()
        front.faults.append(Fault("call", "in/025.jpg", times=2, call=gate.hold))
        run = start(command)
        for _ in range(2):
            gate.wait_for_request()
            children(run)[0].kill()
        gate.open()
        ended = finish(run)
        assert (0, "") == (ended.code, ended.err)
        check_complete(output, 60)
