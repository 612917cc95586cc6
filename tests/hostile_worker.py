"""A worker program whose engine does to its process what a broken decoder would.

    python tests/hostile_worker.py FOLDER DESCRIPTOR

The seams are those that ship: the worker's program, and the fake engine's `before`. What it does is
told by a picture's colour; FOLDER counts how often. A green picture is a segmentation fault, a blue
one hangs, a white one asks for all memory; a grey one is a crash the first time only.
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
from seefood.workers.threaded import Worker
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
        signal.raise_signal(signal.SIGSEGV)  # this very thread, as a bad read would
    elif blue > max(red, green):
        time.sleep(600)


def _open(start: WorkerConfig, notes: InFlightTable) -> Worker:
    if start.engine == "absent":
        os._exit(7)
    return Worker(
        FakeEngine(before=_before), MODEL, start.settings, threads=start.threads, notes=notes
    )


if __name__ == "__main__":
    serve(_open)
