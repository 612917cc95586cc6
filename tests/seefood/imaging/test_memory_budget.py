import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from seefood.imaging.memory_budget import MemoryBudget


def test_no_more_bytes_are_reserved_than_the_limit() -> None:
    """Sixteen threads with sizes up to more than the limit never exceed it together."""
    budget = MemoryBudget(100)
    reserved, peak, lock = 0, 0, threading.Lock()

    def use(size: int) -> None:
        nonlocal reserved, peak
        acquired = budget.acquire(size)
        with lock:
            reserved += acquired
            peak = max(peak, reserved)
        with lock:
            reserved -= acquired
        budget.release(acquired)

    sizes = np.random.default_rng(1).integers(0, 130, 200).tolist()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(use, sizes))
    assert 0 == reserved
    assert peak <= 100


def test_threads_share_the_budget() -> None:
    """Two threads that need half of it have it at the same time."""
    budget, both = MemoryBudget(100), threading.Barrier(2, timeout=10)

    def use(size: int) -> None:
        with budget.reserve(size):
            both.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(use, [50, 50]))


def test_a_size_above_the_limit_needs_the_whole_budget() -> None:
    """It is not refused, but nothing else is reserved at the same time."""
    budget = MemoryBudget(100)
    assert 100 == budget.acquire(100_000)
    budget.release(100)
    assert 60 == budget.acquire(60)
