"""The worker pool that stands beside each TaskManager: it starts Python workers when asked.

    python -m pipeline.pool [HOST:PORT]        default: localhost:50000

Beam has such a program, too. This one listens where it is told instead of on all interfaces, and
starts workers with the interpreter that it runs in, whatever is on the PATH: with another one there
a job would hang without an error.
"""

import os
import signal
import sys
import threading
from pathlib import Path

import grpc
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer
from apache_beam.utils import thread_pool_executor

from pipeline.flink import POOL_ADDRESS


def serve(address: str) -> None:
    """Start workers for whoever asks at `address`, until SIGTERM or SIGINT; then stop them."""
    # Beam starts `python`, by that name.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    server = grpc.server(thread_pool_executor.shared_unbounded_instance())
    pool = BeamFnExternalWorkerPoolServicer(use_process=True)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    server.add_insecure_port(address)
    server.start()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    server.stop(grace=None)
    for process in list(pool._worker_processes.values()):  # noqa: SLF001 (nothing else knows them)
        process.terminate()


if __name__ == "__main__":
    serve(sys.argv[1] if len(sys.argv) > 1 else POOL_ADDRESS)
