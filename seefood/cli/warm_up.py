"""Starts the worker process of a command that classifies before the command's own imports."""

import os

from seefood.workers.spawn import spawn_ahead


def start_worker_early(threads: int) -> None:
    """Start the worker process: its imports run in parallel to this process's own.

    NumPy, not imported yet, starts no threads for matrices: nothing here multiplies any.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    spawn_ahead(threads)
