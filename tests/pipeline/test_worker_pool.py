"""A pool starts workers on request, logs how they end, and idle workers end by themselves."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from seefood_pipeline.worker_pool import WorkerPool
from tests.conftest import ROOT

pytestmark = [pytest.mark.beam, pytest.mark.timeout(120)]


class _TaskManager(beam_fn_api_pb2_grpc.BeamFnControlServicer):  # type: ignore[misc]
    """Accepts workers and sends them nothing."""

    def __init__(self) -> None:
        self.connected = threading.Semaphore(0)
        self.closed = threading.Event()

    def Control(self, requests: Any, context: Any) -> Iterator[Any]:  # noqa: N802 (Beam's name)
        """Send nothing until the test ends."""
        del requests, context
        self.connected.release()
        self.closed.wait()
        yield from ()


@pytest.fixture
def task_manager() -> Iterator[tuple[_TaskManager, str]]:
    """A task manager on the loopback, and its address."""
    server = grpc.server(ThreadPoolExecutor(4))
    made = _TaskManager()
    beam_fn_api_pb2_grpc.add_BeamFnControlServicer_to_server(made, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield made, f"127.0.0.1:{port}"
    made.closed.set()
    server.stop(grace=None).wait()


def _start_request(name: str, address: str) -> Any:
    request = beam_fn_api_pb2.StartWorkerRequest(worker_id=name)
    request.control_endpoint.url = address
    return request


def test_an_idle_worker_ends(task_manager: tuple[_TaskManager, str]) -> None:
    """A TaskManager that has lost track of a worker would keep it for its own life."""
    made, address = task_manager
    command = [sys.executable, "-m", "seefood_pipeline.pool_worker", address, "1-1", "1"]
    with subprocess.Popen(command, cwd=ROOT) as worker:
        assert made.connected.acquire(timeout=60)
        assert 0 == worker.wait(timeout=60)


def test_the_end_of_a_worker_is_logged(
    task_manager: tuple[_TaskManager, str], caplog: pytest.LogCaptureFixture
) -> None:
    """The log has which of two workers was killed, and which was stopped."""
    made, address = task_manager
    caplog.set_level(logging.INFO)
    pool = WorkerPool()
    for name in ("1-1", "1-2"):
        assert not pool.StartWorker(_start_request(name, address), None).error
        assert made.connected.acquire(timeout=60)
    killed, stopped = (int(message.rpartition(" ")[2]) for message in caplog.messages)
    os.kill(killed, signal.SIGKILL)
    pool.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-2"), None)
    deadline = time.monotonic() + 20
    while len(caplog.messages) < 4 and time.monotonic() < deadline:
        pool.log_ended()
        time.sleep(0.05)
    # In either order, because the kernel decides which ends first.
    assert {
        f"worker 1-1, process {killed}, ended by SIGKILL",
        f"worker 1-2, process {stopped}, ended by SIGTERM",
    } == set(caplog.messages[2:])
    pool.close()


def test_of_two_workers_with_one_name_none_is_stopped(
    task_manager: tuple[_TaskManager, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Two jobs on a node number their workers alike, and the wrong one must not be stopped."""
    made, address = task_manager
    caplog.set_level(logging.INFO)
    pool = WorkerPool()
    for _ in range(2):
        pool.StartWorker(_start_request("1-1", address), None)
        assert made.connected.acquire(timeout=60)
    pool.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1"), None)
    pool.log_ended()
    assert 2 == len(caplog.messages)
    pool.close()
    assert 4 == len(caplog.messages)
