"""How many threads this process should run."""

import os
from typing import Final

from seefood.engines.devices import CPU, device_for
from seefood.engines.registry import AUTO, engine_spec

_DEVICE_THREADS_PER_CORE: Final = 2
"""While one of a core's threads waits for the device, the other decodes."""


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compute_threads(engine: str) -> int:
    """Return how many threads should call the engine of this name, which may be `auto`."""
    if engine == AUTO:
        return available_cores()
    spec = engine_spec(engine)
    per_core = spec.threads_per_core if device_for(spec) == CPU else _DEVICE_THREADS_PER_CORE
    return available_cores() * per_core
