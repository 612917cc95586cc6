"""Counts the requests to stores, by method: those of this process and of its worker processes.

botocore's requests are counted when they are sent, each try by itself. obstore's are counted when
they are given to it: it does not tell how often it sends one again to a store that throttles.
Listings count as `list`. Nothing is counted for local files and for `memory://`.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

METHODS: Final = ("list", "get", "head", "put", "post", "delete")
PART_BYTES: Final = 5 * 1024 * 1024
"""obstore writes more bytes than this in parts of this size."""
_counts: Counter[str] = Counter()
_lock = threading.Lock()


def count(method: str, times: int = 1) -> None:
    """Count `times` requests of one of `METHODS`."""
    with _lock:
        _counts[method] += times


def count_put(size_bytes: int) -> None:
    """Count the requests that write an object: one PUT, or a multipart upload."""
    if size_bytes <= PART_BYTES:
        count("put")
    else:
        count("put", -(-size_bytes // PART_BYTES))
        count("post", 2)


def count_sent(request: Any, **_: Any) -> None:
    """Count a request of botocore; a handler of its event `before-send.s3`."""
    is_listing = "list-type=" in urlsplit(request.url).query
    count("list" if is_listing else str(request.method).lower())


def counted() -> dict[str, int]:
    """Return the counts so far."""
    with _lock:
        return {method: _counts[method] for method in METHODS}


def take() -> dict[str, int]:
    """Return the counts and begin anew: a worker process hands them to its parent."""
    with _lock:
        taken = {method: times for method, times in _counts.items() if times}
        _counts.clear()
        return taken


def add(counts: Mapping[str, int]) -> None:
    """Add what another process has taken. Raises `ValueError` for anything else."""
    if not all(method in METHODS and times >= 0 for method, times in counts.items()):
        raise ValueError(counts)
    with _lock:
        _counts.update(counts)


def since(before: Mapping[str, int]) -> dict[str, int]:
    """Return the requests after `before`, which `counted` returned."""
    return {method: times - before[method] for method, times in counted().items()}
