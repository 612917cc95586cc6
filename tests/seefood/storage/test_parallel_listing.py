"""Parallel listing of a bucket that is a sorted list."""

import random
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

import pytest

from seefood.storage.parallel_listing import ParallelListing, between, pages_left

_PAGE = 10


def _bucket(keys: list[str], delay_seconds: float = 0.0) -> Callable[[str], bytes]:
    """Return a `fetch` over sorted `keys` whose pages are lines of text."""

    def fetch(after: str) -> bytes:
        time.sleep(delay_seconds)
        start = bisect_right(keys, after)
        end = start + _PAGE
        return "\n".join([str(len(keys) > end), *keys[start:end]]).encode()

    return fetch


def _lines(page: bytes) -> list[str]:
    return page.decode().split("\n")[1:]


def _end(page: bytes) -> tuple[bool, str]:
    lines = page.decode().split("\n")
    return lines[0] == "True", lines[-1] if len(lines) > 1 else ""


def _listed(fetch: Callable[[str], bytes], prefix: str = "") -> Iterator[str]:
    listing = ParallelListing(fetch, _end, _lines, prefix=prefix, threads=8)
    for page, last in listing.pages():
        yield from (key for key in _lines(page) if last is None or key <= last)


_SHAPES: dict[str, list[str]] = {
    "none": [],
    "one": ["a"],
    "one full page": [f"{n:02d}" for n in range(_PAGE)],
    "numbers behind a long prefix": [f"p/2026/img_{n:07d}.jpg" for n in range(700)],
    "folders": [f"p/{day:02d}/{n}.jpg" for day in range(30) for n in range(20)],
    "random hex": [f"p/{random.Random(n).getrandbits(64):016x}" for n in range(600)],
    "beyond ASCII": [f"p/{chr(0x3B1 + n % 24)}{chr(0x1F600 + n % 40)}{n}" for n in range(500)],
    "one far away": ["a", *[f"m{n:03d}" for n in range(200)], "z" * 40],
    "growing prefixes": ["a" * n for n in range(1, 200)],
}


@pytest.mark.parametrize("shape", _SHAPES)
def test_every_key_comes_once_and_in_order(shape: str) -> None:
    """A parallel listing yields what a sequential one would, however keys are distributed."""
    keys = sorted(_SHAPES[shape])
    for delay in (0.0, 0.002):
        assert keys == list(_listed(_bucket(keys, delay), "p/" if keys[0:1] > ["p/"] else ""))


def test_requests_overlap() -> None:
    """Four requests are on their way at the same time."""
    keys = [f"p/2026/img_{n:07d}.jpg" for n in range(700)]
    inner, together = _bucket(keys), threading.Barrier(4)

    def fetch(after: str) -> bytes:
        if after > keys[100] and not together.broken:
            with suppress(threading.BrokenBarrierError):
                together.wait(10.0)
                together.abort()  # they have met: the others do not wait
                met.set()
        return inner(after)

    met = threading.Event()
    assert keys == list(_listed(fetch, "p/"))
    assert met.is_set()


def test_the_first_page_needs_one_round_trip() -> None:
    """The first page is yielded before anything else is requested."""
    requests: list[str] = []
    inner = _bucket([f"{n:03d}" for n in range(500)])

    def fetch(after: str) -> bytes:
        requests.append(after)
        return inner(after)

    assert b"True\n000" == next(ParallelListing(fetch, _end, _lines).pages())[0][:8]
    assert [""] == requests


def test_a_slow_consumer_costs_little_memory() -> None:
    """The number of pages that wait for the consumer is bounded."""
    keys = [f"{n:05d}" for n in range(20_000)]
    inner, fetched, changed = _bucket(keys), 0, threading.Condition()

    def fetch(after: str) -> bytes:
        nonlocal fetched
        with changed:
            fetched += 1
            changed.notify_all()
        return inner(after)

    pages = ParallelListing(fetch, _end, _lines, threads=8).pages()
    for taken in range(1, len(keys) // _PAGE):
        next(pages)
        with changed:  # the threads are always let run ahead by a hundred pages
            if taken > 1:
                expected = min(taken + 100, len(keys) // _PAGE)
                assert changed.wait_for(lambda: fetched >= expected, 10.0)  # noqa: B023 (called here)
            assert fetched < taken + 600


def test_an_error_reaches_the_consumer() -> None:
    """A failed request ends the listing with its error, after the pages before it."""
    keys = [f"{n:03d}" for n in range(500)]
    inner = _bucket(keys)

    def fetch(after: str) -> bytes:
        if after >= "2":
            raise OSError("no answer")
        return inner(after)

    with pytest.raises(OSError, match="no answer"):
        list(_listed(fetch))


def test_an_overloaded_store_is_listed_by_fewer_threads() -> None:
    """A thread whose request times out ends, and its range is listed by another."""
    keys = [f"{n:04d}" for n in range(900)]
    inner = _bucket(keys, 0.003)
    requesting = threading.BoundedSemaphore(3)

    def fetch(after: str) -> bytes:
        if not requesting.acquire(blocking=False):
            raise TimeoutError("timed out")
        try:
            return inner(after)
        finally:
            requesting.release()

    assert keys == list(_listed(fetch))


def test_closing_early_ends_the_threads() -> None:
    """A consumer that stops early leaves no thread behind."""
    stream = _listed(_bucket([f"{n:04d}" for n in range(5000)]))
    assert ["0000", "0001"] == list(islice(stream, 2))
    assert [f"{n:04d}" for n in range(2, 50)] == list(islice(stream, 48))
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("list-")]
    assert threads
    stream.close()  # type: ignore[attr-defined]
    for thread in threads:
        thread.join(10.0)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize(
    ("after", "stop"), [("a", None), ("a", "c"), ("a1", "a9"), ("abc", "abd"), ("img_09", "img_10")]
)
def test_a_middle_is_between_its_ends(after: str, stop: str | None) -> None:
    """A range is split at a string inside it."""
    middle = between(after, stop, sorted("0123456789abcdefgimg_"))
    assert middle is not None
    assert after < middle
    assert stop is None or middle < stop


@pytest.mark.parametrize("shape", ["numbers behind a long prefix", "folders", "random hex"])
def test_splitting_costs_few_requests(shape: str) -> None:
    """Requests cost money: a parallel listing sends at most twice as many as a sequential one."""
    keys = sorted(_SHAPES[shape])
    requests: list[str] = []
    inner = _bucket(keys, 0.005)

    def fetch(after: str) -> bytes:
        requests.append(after)
        return inner(after)

    assert keys == list(_listed(fetch, "p/"))
    assert len(requests) <= 2 * len(keys) / _PAGE + 20


def test_the_pages_left_are_estimated_from_the_positions_of_keys() -> None:
    """Half of a range listed means as much is left; without an end, infinity."""
    alphabet = sorted("0123456789")
    assert pytest.approx(1.0, abs=0.2) == pages_left("p/10", "p/50", "p/90", alphabet)
    assert pytest.approx(4.0, abs=0.5) == pages_left("p/10", "p/20", "p/60", alphabet)
    assert float("inf") == pages_left("p/10", "p/20", None, alphabet)
