"""A worker program whose engine behaves like a broken decoder.

    python tests/hostile_worker.py FOLDER DESCRIPTOR

It uses the worker program that ships and the fake engine's `before`. A green picture causes a
segmentation fault, a blue one hangs, a white one allocates all memory, and a grey one crashes the
process the first time only. FOLDER gets a file for each crash.
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from seefood.engines.fake import FakeEngine
from seefood.imaging.decode import Pixels
from seefood.workers.in_flight import InFlightTable
from seefood.workers.protocol import WorkerConfig
from seefood.workers.subprocess_main import serve
from seefood.workers.threaded import ThreadedWorker
from tests.fakes import MODEL

FOLDER = Path(sys.argv[1])


def _before(images: Pixels) -> None:
    red, green, blue = images.mean(axis=(0, 1, 2))
    if min(red, green, blue) > 200:
        np.ones(4 << 30, np.uint8)
    elif max(red, green, blue) - min(red, green, blue) < 20:
        mark = FOLDER / "crashed-once"
        if not mark.exists():
            mark.touch()
            signal.raise_signal(signal.SIGKILL)
    elif green > max(red, blue):
        (FOLDER / f"segv-{time.monotonic_ns()}").touch()
        signal.raise_signal(signal.SIGSEGV)  # in this thread, as an invalid read would
    elif blue > max(red, green):
        time.sleep(600)


def _open(config: WorkerConfig, table: InFlightTable) -> ThreadedWorker:
    if config.engine == "absent":
        os._exit(7)
    engine = FakeEngine(before=_before)
    return ThreadedWorker(engine, MODEL, config.options, threads=config.threads, table=table)


if __name__ == "__main__":
    serve(_open)
