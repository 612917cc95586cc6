"""How much of the machine this process may use."""

import os


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compute_threads(engine: str) -> int:
    """Return how many threads take pictures through the engine of this name in this process.

    One for each core; two for OpenVINO, which computes on threads of its own: while one picture is
    computed, the other one of a core is decoded.
    """
    return available_cores() * (2 if engine.startswith("openvino") else 1)
