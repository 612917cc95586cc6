"""What a command that classifies does first, before it imports what it needs itself."""

import os

from seefood.workers.spawn import spawn_ahead


def get_ready(threads: int) -> None:
    """Start the worker program, whose imports then go on beside this process's own.

    NumPy, not imported yet, is told to start no threads for matrices: none are multiplied here.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    spawn_ahead(threads)
