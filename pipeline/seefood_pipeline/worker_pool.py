"""The worker pool beside each TaskManager: starts Python workers on request.

    python -m seefood_pipeline.worker_pool [HOST:PORT]        default: localhost:50000

It replaces Beam's own worker pool. It listens at one address instead of on all interfaces, starts
workers with its own interpreter instead of the one on the PATH (with which a job may hang without
an error), and logs how each worker ended.
"""

import logging
import signal
import subprocess
import sys
import threading
from typing import Any, Final

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc
from apache_beam.utils import thread_pool_executor

from seefood_pipeline.flink import POOL_ADDRESS

_log = logging.getLogger(__name__)

_POLL_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 10.0


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):  # type: ignore[misc]
    """Beam's worker pool service, over processes of this machine. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: list[tuple[str, subprocess.Popen[bytes]]] = []

    def StartWorker(self, request: Any, context: Any) -> Any:  # noqa: N802 (Beam's name)
        """Start the worker that a TaskManager requests."""
        del context
        name, address = str(request.worker_id), str(request.control_endpoint.url)
        command = [sys.executable, "-m", "seefood_pipeline.pool_worker", address, name]
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 (our own)
        except OSError as error:
            return beam_fn_api_pb2.StartWorkerResponse(error=str(error))
        with self._lock:
            self._workers.append((name, process))
        _log.info("worker %s for %s is process %d", name, address, process.pid)
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(self, request: Any, context: Any) -> Any:  # noqa: N802 (Beam's name)
        """Stop a worker and wait until it has ended."""
        del context
        name = str(request.worker_id)
        with self._lock:
            processes = [process for known, process in self._workers if known == name]
        # Each job numbers its workers from one. If two workers have the name, the one that is meant
        # is unknown. It ends by itself, because its TaskManager has closed the connection.
        if len(processes) == 1:
            _end(processes[0])
        return beam_fn_api_pb2.StopWorkerResponse()

    def log_ended(self) -> None:
        """Log which workers have ended and how, once for each."""
        with self._lock:
            ended = [(name, worker) for name, worker in self._workers if worker.poll() is not None]
            self._workers = [entry for entry in self._workers if entry not in ended]
        for name, worker in ended:
            code = worker.returncode
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
            _log.info("worker %s, process %d, ended %s", name, worker.pid, how)

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers = [worker for _, worker in self._workers]
        for worker in workers:
            worker.terminate()
        for worker in workers:
            _end(worker)
        self.log_ended()


def _end(worker: "subprocess.Popen[bytes]") -> None:
    worker.terminate()
    try:
        worker.wait(timeout=_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def serve(address: str) -> None:
    """Serve worker requests at `address` until SIGTERM or SIGINT; then end all workers."""
    server = grpc.server(thread_pool_executor.shared_unbounded_instance())
    pool = WorkerPool()
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    server.add_insecure_port(address)
    server.start()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(_POLL_SECONDS):
        pool.log_ended()
    server.stop(grace=None)
    pool.close()


if __name__ == "__main__":
    # `force`, because importing Beam has set up logging already.
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO, force=True)
    serve(sys.argv[1] if len(sys.argv) > 1 else POOL_ADDRESS)
