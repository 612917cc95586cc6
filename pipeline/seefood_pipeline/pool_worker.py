"""Beam's Python worker, as a pool starts it; ends when it has been idle for a while.

    python -m seefood_pipeline.pool_worker CONTROL_ADDRESS WORKER_ID [IDLE_SECONDS]

When a job restarts at the wrong moment, its TaskManager may lose track of a worker, which would
keep its model in memory for as long as the TaskManager runs.
"""

import os
import sys
import threading
import time
from typing import Final

from apache_beam.runners.worker.sdk_worker import SdkHarness

# Far above the age at which a TaskManager requests a new worker (`seefood_pipeline.options`).
_IDLE_SECONDS: Final = 300.0


def work(address: str, name: str, idle_seconds: float = _IDLE_SECONDS) -> None:
    """Work for the TaskManager at `address` until it disconnects or sends nothing for a while."""
    harness = SdkHarness(address, worker_id=name)
    thread = threading.Thread(target=_exit_when_idle, args=(harness, idle_seconds), daemon=True)
    thread.start()
    harness.run()


def _exit_when_idle(harness: SdkHarness, idle_seconds: float) -> None:
    bundles = harness._bundle_processor_cache  # noqa: SLF001 (nothing public has the active bundles)
    last = time.monotonic()
    while time.monotonic() < last + idle_seconds:
        time.sleep(min(1.0, idle_seconds))
        if bundles.active_bundle_processors or bundles.processors_being_created:
            last = time.monotonic()
    os._exit(0)  # the thread that waits for work cannot be interrupted


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:4]))
