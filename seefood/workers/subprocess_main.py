"""The program of a worker process: chunks come in on stdin, rows go out on stdout as they are done.

    python -m seefood.workers.subprocess_main DESCRIPTOR

DESCRIPTOR is the file of its notes (`seefood.workers.in_flight`). The first line in is a
`WorkerConfig`. The
process ends when stdin does, however whoever started it ended.
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

from seefood.errors import JobError
from seefood.records import Row
from seefood.workers.in_flight import InFlightTable
from seefood.workers.protocol import WorkerConfig, encode, pack_error, pack_row, unpack_asked
from seefood.workers.threaded import Worker

_GATHER_SECONDS: Final = 0.02


class _Outlet:
    """Sends messages on a thread of its own, those of some milliseconds at once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._queue: SimpleQueue[object] = SimpleQueue()
        threading.Thread(target=self._run, name="outlet", daemon=True).start()

    def put(self, message: object) -> None:
        self._queue.put(message)

    def _run(self) -> None:
        try:
            while True:
                lines = [encode(self._queue.get())]
                with contextlib.suppress(Empty):
                    while True:
                        lines.append(encode(self._queue.get_nowait()))
                self._stream.write(b"".join(lines))
                self._stream.flush()
                time.sleep(_GATHER_SECONDS)
        finally:  # nobody listens any more; or else the other side would wait for ever
            os._exit(1)


@dataclass(frozen=True, slots=True)
class _SentChunk:
    """A chunk whose rows are sent off one by one."""

    number: int
    outlet: _Outlet

    def put(self, index: int, row: Row) -> None:
        self.outlet.put(["row", self.number, index, pack_row(row)])

    def fail(self, error: BaseException) -> None:
        if not isinstance(error, Exception):  # a panic of a native library, SystemExit
            error = JobError(f"a decoder, client or engine broke off: {error!r}; run it again")
        self.outlet.put(["failed", self.number, pack_error(error)])


def serve(open_worker: Callable[[WorkerConfig, InFlightTable], Worker]) -> None:
    """Classify what stdin asks for until it ends; never returns."""
    # Only our own lines go to stdout, whatever a library prints.
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for number in (signal.SIGINT, signal.SIGTERM):  # the process that started this one decides
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold strangers' pictures
    line = sys.stdin.buffer.readline()
    if not line:  # started ahead, and nobody had work for it
        os._exit(0)
    try:
        start = WorkerConfig.from_json(json.loads(line))
        worker = open_worker(start, InFlightTable(int(sys.argv[-1]), start.threads))
    except Exception as error:  # noqa: BLE001 (whatever it is, the other side says it)
        stream.write(encode(["refused", pack_error(error)]))
        stream.flush()
        os._exit(1)
    if start.memory_bytes is not None:
        limit_memory(start.memory_bytes)
    outlet = _Outlet(stream)
    outlet.put(["ready", worker.engine_name])
    for line in sys.stdin.buffer:
        number, pictures = json.loads(line)
        chunk = _SentChunk(number, outlet)
        try:
            for values in pictures:
                asked = unpack_asked(values)
                worker.start(chunk, asked.index, asked.ref, asked.data)
        except Exception as error:  # noqa: BLE001 (as above)
            chunk.fail(error)
    os._exit(0)  # compute threads may be in the middle of what nobody waits for


def limit_memory(more_bytes: int) -> None:
    """Let this process take `more_bytes` more than it has now; beyond that allocations fail.

    Where the system cannot tell or limit it (anything but Linux), nothing is limited.
    """
    statm = Path("/proc/self/statm")
    if statm.exists():
        held = int(statm.read_text().split()[5]) * resource.getpagesize()
        limit = held + more_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _open_bundle(start: WorkerConfig, notes: InFlightTable) -> Worker:
    from seefood.bundle import load_bundle  # noqa: PLC0415 (a test's worker needs neither)
    from seefood.classify import Model  # noqa: PLC0415
    from seefood.engines.loading import load_engine  # noqa: PLC0415

    bundle = load_bundle(start.bundle, expected_digest=start.digest)
    engine = load_engine(bundle, start.engine)
    return Worker(engine, Model.of(bundle), start.settings, threads=start.threads, notes=notes)


if __name__ == "__main__":
    serve(_open_bundle)
