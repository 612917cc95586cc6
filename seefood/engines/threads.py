"""How many threads this process should run."""

import os

from seefood.engines.registry import AUTO, engine_spec


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compute_threads(engine: str) -> int:
    """Return how many threads should call the engine of this name, which may be `auto`."""
    return available_cores() * (1 if engine == AUTO else engine_spec(engine).threads_per_core)
