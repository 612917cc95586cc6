"""Workers of a pool: started for who asks, told about when they end, gone when nobody asks."""

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
    """Takes workers and hands them nothing."""

    def __init__(self) -> None:
        self.came = threading.Semaphore(0)
        self.over = threading.Event()

    def Control(self, requests: Any, context: Any) -> Iterator[Any]:  # noqa: N802 (Beam's name)
        """Say nothing until it is over."""
        del requests, context
        self.came.release()
        self.over.wait()
        yield from ()


@pytest.fixture
def task_manager() -> Iterator[tuple[_TaskManager, str]]:
    """One on the loopback, and its address."""
    server = grpc.server(ThreadPoolExecutor(4))
    made = _TaskManager()
    beam_fn_api_pb2_grpc.add_BeamFnControlServicer_to_server(made, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield made, f"127.0.0.1:{port}"
    made.over.set()
    server.stop(grace=None).wait()


def _ask(name: str, address: str) -> Any:
    request = beam_fn_api_pb2.StartWorkerRequest(worker_id=name)
    request.control_endpoint.url = address
    return request


def test_a_worker_that_nobody_asks_leaves(task_manager: tuple[_TaskManager, str]) -> None:
    """A TaskManager that has lost sight of it would keep it for as long as it lives."""
    made, address = task_manager
    command = [sys.executable, "-m", "seefood_pipeline.pool_worker", address, "1-1", "1"]
    with subprocess.Popen(command, cwd=ROOT) as worker:
        assert made.came.acquire(timeout=60)
        assert 0 == worker.wait(timeout=60)


def test_how_a_worker_ended_is_told(
    task_manager: tuple[_TaskManager, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Two workers, one killed and one stopped: the log says which, and how."""
    made, address = task_manager
    caplog.set_level(logging.INFO)
    pool = WorkerPool()
    for name in ("1-1", "1-2"):
        assert not pool.StartWorker(_ask(name, address), None).error
        assert made.came.acquire(timeout=60)
    killed, stopped = (int(message.rpartition(" ")[2]) for message in caplog.messages)
    os.kill(killed, signal.SIGKILL)
    pool.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-2"), None)
    deadline = time.monotonic() + 20
    while len(caplog.messages) < 4 and time.monotonic() < deadline:
        pool.look()
        time.sleep(0.05)
    # In either order: which of the two the kernel takes down first is not ours to say.
    assert {
        f"worker 1-1, process {killed}, ended by SIGKILL",
        f"worker 1-2, process {stopped}, ended by SIGTERM",
    } == set(caplog.messages[2:])
    pool.close()


def test_of_two_workers_with_one_name_none_is_stopped(
    task_manager: tuple[_TaskManager, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Two jobs on a node count their workers alike; the wrong one must not be hit."""
    made, address = task_manager
    caplog.set_level(logging.INFO)
    pool = WorkerPool()
    for _ in range(2):
        pool.StartWorker(_ask("1-1", address), None)
        assert made.came.acquire(timeout=60)
    pool.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1"), None)
    pool.look()
    assert 2 == len(caplog.messages)
    pool.close()
    assert 4 == len(caplog.messages)
