"""The worker program: reads chunks from stdin and writes each row to stdout when it is ready.

    python -m seefood.workers.subprocess_main DESCRIPTOR

DESCRIPTOR is the file of its `seefood.workers.in_flight` table. The first line on stdin is a
`WorkerConfig`, each later one a chunk. The process ends when stdin is closed, which the death of
its parent does too.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO, Final

from seefood.engines.devices import CPU, device_of
from seefood.records import Row
from seefood.storage import request_counts
from seefood.workers.in_flight import InFlightTable
from seefood.workers.protocol import ClassifyRequest, WorkerConfig, decode, encode, encode_error
from seefood.workers.threaded import ThreadedWorker

_COLLECT_SECONDS: Final = 0.02


class _Sender:
    """Writes messages on a thread of its own, those of a few milliseconds together."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._queue: SimpleQueue[object] = SimpleQueue()
        threading.Thread(target=self._run, name="sender", daemon=True).start()

    def put(self, message: object) -> None:
        self._queue.put(message)

    def _run(self) -> None:
        try:
            while True:
                lines = [encode(self._queue.get())]
                with contextlib.suppress(Empty):
                    while True:
                        lines.append(encode(self._queue.get_nowait()))
                if counts := request_counts.take():  # those of the rows above are among them
                    lines.append(encode(["requests", counts]))
                self._stream.write(b"".join(lines))
                self._stream.flush()
                time.sleep(_COLLECT_SECONDS)
        finally:  # the parent is gone, or would wait for rows that never come
            os._exit(1)


@dataclass(frozen=True, slots=True)
class _SentChunk:
    """A chunk whose rows are sent one by one."""

    number: int
    sender: _Sender

    def put(self, index: int, row: Row) -> None:
        self.sender.put(["row", self.number, index, row])

    def fail(self, error: Exception) -> None:
        self.sender.put(["failed", self.number, encode_error(error)])


def serve(open_worker: Callable[[WorkerConfig, InFlightTable], ThreadedWorker]) -> None:
    """Classify the chunks on stdin until it is closed; never returns."""
    # File descriptor 1 becomes stderr, so that what a library prints does not mix with messages.
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides when to end
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would contain pictures
    line = sys.stdin.buffer.readline()
    if not line:  # started ahead of time and never needed
        os._exit(0)
    try:
        config = decode(WorkerConfig, json.loads(line))
        worker = open_worker(config, InFlightTable(int(sys.argv[-1]), config.threads))
    except Exception as error:  # noqa: BLE001 (the parent raises it)
        stream.write(encode(["refused", encode_error(error)]))
        stream.flush()
        os._exit(1)
    if config.memory_bytes is not None:
        limit_memory(config.memory_bytes)
    sender = _Sender(stream)
    sender.put(["ready", worker.engine_name, worker.device])
    for line in sys.stdin.buffer:
        number, requests = json.loads(line)
        chunk = _SentChunk(number, sender)
        try:
            for values in requests:
                request = decode(ClassifyRequest, values)
                worker.submit(chunk, request.index, request.ref, request.data)
        except Exception as error:  # noqa: BLE001 (the parent raises it)
            chunk.fail(error)
    os._exit(0)  # does not wait for compute threads


def limit_memory(more_bytes: int) -> None:
    """Let this process allocate `more_bytes` more than it has now; larger allocations fail.

    Does nothing on systems other than Linux.
    """
    statm = Path("/proc/self/statm")
    if statm.exists():
        data_bytes = int(statm.read_text().split()[5]) * resource.getpagesize()
        limit = data_bytes + more_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _open_bundle(config: WorkerConfig, in_flight: InFlightTable) -> ThreadedWorker:
    from seefood.bundle import load_bundle  # noqa: PLC0415 (a test's worker needs none of these)
    from seefood.classification import load_classifier  # noqa: PLC0415
    from seefood.engines.batching import BatchingEngine  # noqa: PLC0415

    bundle = load_bundle(config.bundle, expected_digest=config.digest)
    engine, model = load_classifier(bundle, config.engine, config.options)
    if device_of(engine) != CPU and config.threads > 1:
        engine = BatchingEngine(engine, callers=config.threads)
    return ThreadedWorker(engine, model, config.options, threads=config.threads, table=in_flight)


if __name__ == "__main__":
    serve(_open_bundle)
