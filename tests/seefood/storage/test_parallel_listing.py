"""Parallel listing against a bucket that is a sorted list."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from seefood.storage.parallel_listing import ParallelListing, between, pages_left

_PAGE = 10


def _bucket(keys: list[str], delay_seconds: float = 0.0) -> Callable[[str], bytes]:
    """Return a `fetch` over sorted `keys`, a page of which is lines."""

    def fetch(after: str) -> bytes:
        time.sleep(delay_seconds)
        rest = [key for key in keys if key > after]
        return "\n".join([str(len(rest) > _PAGE), *rest[:_PAGE]]).encode()

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
    """However keys are distributed, a parallel listing yields what one stream would."""
    keys = sorted(_SHAPES[shape])
    for delay in (0.0, 0.002):
        assert keys == list(_listed(_bucket(keys, delay), "p/" if keys[0:1] > ["p/"] else ""))


def test_round_trips_overlap() -> None:
    """Eight threads list seventy pages in much less time than seventy round trips."""
    keys = [f"p/2026/img_{n:07d}.jpg" for n in range(700)]
    start = time.monotonic()
    assert 700 == sum(1 for _ in _listed(_bucket(keys, 0.02), "p/"))
    assert time.monotonic() - start < 70 * 0.02 * 0.5


def test_the_first_page_needs_one_round_trip() -> None:
    """What is on the first page is there before anything else is asked for."""
    asked: list[str] = []
    inner = _bucket([f"{n:03d}" for n in range(500)])

    def fetch(after: str) -> bytes:
        asked.append(after)
        return inner(after)

    assert b"True\n000" == next(ParallelListing(fetch, _end, _lines).pages())[0][:8]
    assert [""] == asked


def test_a_slow_consumer_costs_no_memory() -> None:
    """Pages wait for the consumer in a bounded number."""
    keys = [f"{n:05d}" for n in range(20_000)]
    fetched: list[str] = []
    inner = _bucket(keys)

    def fetch(after: str) -> bytes:
        fetched.append(after)
        return inner(after)

    stream = _listed(fetch)
    next(stream)
    time.sleep(1.0)
    assert len(fetched) < 600
    stream.close()  # type: ignore[attr-defined]


def test_an_error_reaches_the_consumer() -> None:
    """A page that cannot be had ends the listing with its error, after what came before."""
    keys = [f"{n:03d}" for n in range(500)]
    inner = _bucket(keys)

    def fetch(after: str) -> bytes:
        if after >= "2":
            raise OSError("no answer")
        return inner(after)

    with pytest.raises(OSError, match="no answer"):
        list(_listed(fetch))


def test_a_store_that_cannot_bear_many_at_once_is_listed_by_fewer() -> None:
    """A thread that gets no answer ends, and its range is listed by another."""
    keys = [f"{n:04d}" for n in range(900)]
    inner = _bucket(keys, 0.003)
    asking = threading.BoundedSemaphore(3)

    def fetch(after: str) -> bytes:
        if not asking.acquire(blocking=False):
            raise TimeoutError("timed out")
        try:
            return inner(after)
        finally:
            asking.release()

    assert keys == list(_listed(fetch))


def test_leaving_early_ends_the_threads() -> None:
    """A consumer that has enough leaves no thread behind."""
    before = threading.active_count()
    stream = _listed(_bucket([f"{n:04d}" for n in range(5000)]))
    assert ["0000", "0001"] == list(islice(stream, 2))
    stream.close()  # type: ignore[attr-defined]
    for _ in range(100):
        if threading.active_count() <= before:
            break
        time.sleep(0.05)
    assert before >= threading.active_count()


@pytest.mark.parametrize(
    ("after", "stop"), [("a", None), ("a", "c"), ("a1", "a9"), ("abc", "abd"), ("img_09", "img_10")]
)
def test_between_lies_between(after: str, stop: str | None) -> None:
    """A range is split at a text inside it."""
    middle = between(after, stop, sorted("0123456789abcdefgimg_"))
    assert middle is not None
    assert after < middle
    assert stop is None or middle < stop


@pytest.mark.parametrize("shape", ["numbers behind a long prefix", "folders", "random hex"])
def test_splitting_costs_few_requests(shape: str) -> None:
    """Requests are money: a parallel listing asks for at most twice the pages of one stream."""
    keys = sorted(_SHAPES[shape])
    asked: list[str] = []
    inner = _bucket(keys, 0.005)

    def fetch(after: str) -> bytes:
        asked.append(after)
        return inner(after)

    assert keys == list(_listed(fetch, "p/"))
    assert len(asked) <= 2 * len(keys) / _PAGE + 20


def test_what_is_left_is_told_by_where_keys_stand() -> None:
    """Half of the way done means about as much again; without an end nobody knows."""
    alphabet = sorted("0123456789")
    assert pytest.approx(1.0, abs=0.2) == pages_left("p/10", "p/50", "p/90", alphabet)
    assert pytest.approx(4.0, abs=0.5) == pages_left("p/10", "p/20", "p/60", alphabet)
    assert float("inf") == pages_left("p/10", "p/20", None, alphabet)
