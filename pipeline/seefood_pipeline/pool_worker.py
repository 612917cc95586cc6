"""A Python worker that a pool has started: Beam's, but it goes when nothing comes any more.

    python -m seefood_pipeline.pool_worker CONTROL_ADDRESS WORKER_ID [IDLE_SECONDS]

When a job starts again at the wrong moment, its TaskManager may lose sight of a worker, and would
let it sit there, with its model in memory, for as long as that TaskManager lives.
"""

import os
import sys
import threading
import time
from typing import Final

from apache_beam.runners.worker.sdk_worker import SdkHarness

# Far above the age at which a TaskManager takes a new worker (`seefood_pipeline.options`): nobody
# misses
# one that has been idle for so long.
_IDLE_SECONDS: Final = 300.0


def work(address: str, name: str, idle_seconds: float = _IDLE_SECONDS) -> None:
    """Do what the TaskManager at `address` asks for until it hangs up, or does not ask any more."""
    harness = SdkHarness(address, worker_id=name)
    leave = threading.Thread(target=_leave_when_idle, args=(harness, idle_seconds), daemon=True)
    leave.start()
    harness.run()


def _leave_when_idle(harness: SdkHarness, idle_seconds: float) -> None:
    bundles = harness._bundle_processor_cache  # noqa: SLF001 (nothing else knows what is in hand)
    last = time.monotonic()
    while time.monotonic() < last + idle_seconds:
        time.sleep(min(1.0, idle_seconds))
        if bundles.active_bundle_processors or bundles.processors_being_created:
            last = time.monotonic()
    os._exit(0)  # the thread that waits for work would not notice anything gentler


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:4]))
