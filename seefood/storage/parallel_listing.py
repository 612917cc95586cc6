"""Lists a large prefix in parallel and yields its pages in the order of keys.

A bucket returns its keys a page at a time, and the request for a page needs the last key of the
page before, so a sequential listing is as slow as its round trips. Here several threads list ranges
of keys. A range is split between its last listed key and its end, at characters that occur in the
keys; an empty range costs one request. The consumer gets whole pages in the order of keys, so the
chunks made of them do not depend on which thread was faster. Pages wait compressed, and their
number is bounded, so a slow consumer costs little memory.
"""

import logging
import math
import threading
import zlib
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from seefood.storage.s3_responses import S3Error

_PAGES_AHEAD: Final = 128
"""At 1,000 keys and about 40 kB compressed each: 5 MB, at worst twice that."""
_PAGES_READY: Final = 8
"""While this many wait for the consumer, the consumer is the slower side, and nothing is split."""
_MIN_PAGES_TO_SPLIT: Final = 3.0
"""Estimated pages that a range must have left to be split."""
_MAX_DIGITS: Final = 8
"""How many characters of a key its position is computed from."""


_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Range:
    """The keys after `after` up to and including `stop` (None: to the end)."""

    after: str
    stop: str | None
    page_start: str = ""
    """The value of `after` for the last page."""
    depth: int = 0
    """How often it was halved."""
    pages: deque[tuple[bytes, str | None]] = field(default_factory=deque)
    is_busy: bool = False
    has_begun: bool = False
    is_done: bool = False


class _OverloadError(Exception):
    """This thread should end, because the store does not serve this many at once."""


class ParallelListing:
    """One listing; `pages` may be called once."""

    def __init__(
        self,
        fetch: Callable[[str], bytes],
        end: Callable[[bytes], tuple[bool, str]],
        keys: Callable[[bytes], list[str]],
        *,
        prefix: str = "",
        threads: int = 16,
    ) -> None:
        """`fetch(after)` returns a page, `end(page)` whether more follow and its last key.

        `keys(page)` returns its keys, which all begin with `prefix`.
        """
        self._fetch = fetch
        self._end = end
        self._keys = keys
        self._prefix_length = len(prefix)
        self._threads = threads
        self._changed = threading.Condition()
        self._ranges = [_Range("", None)]
        self._alphabet: list[str] = []
        self._error: Exception | None = None
        self._closed = False
        self._working = 1

    def pages(self) -> Iterator[tuple[bytes, str | None]]:
        """Yield pages in the order of keys, each with the last key to use of it (None: use all).

        Raises what `fetch` raised, and `S3Error` for a store whose listing does not advance.
        """
        first = self._ranges[0]
        self._work_on(first)
        has_threads = False
        try:
            while (page := self._next()) is not None:
                yield zlib.decompress(page[0]), page[1]
                # Only when the consumer wants a second page.
                if not (has_threads or first.is_done):
                    has_threads = True
                    self._start_threads()
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()

    def _start_threads(self) -> None:
        self._working = self._threads
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"list-{number}", daemon=True).start()

    def _next(self) -> tuple[bytes, str | None] | None:
        """Wait for the next page in order and return it; None at the end."""
        with self._changed:
            while self._ranges:
                head = self._ranges[0]
                if head.pages:
                    page = head.pages.popleft()
                    self._changed.notify_all()
                    return page
                if head.is_done:
                    del self._ranges[0]
                elif self._error is not None:
                    raise self._error
                else:
                    self._changed.wait()
            return None

    def _work(self) -> None:
        while True:
            with self._changed:
                job = self._pick()
                while job is None:
                    if self._closed or self._error or all(r.is_done for r in self._ranges):
                        self._changed.notify_all()
                        return
                    self._changed.wait()
                    job = self._pick()
                job.is_busy = True
            try:
                self._work_on(job)
            except _OverloadError as error:
                _log.warning("listing continues with fewer threads: %s", error.__cause__)
                return

    def _work_on(self, job: _Range) -> None:
        """Fetch the next page of `job` and store it."""
        try:
            page = self._fetch(job.after)
            more, last = self._end(page)
            if more and last <= job.after:  # the same request would return the same page
                raise S3Error(200, "", "the listing says that more follows, but has no new key")
            characters = set() if job.has_begun else set("".join(self._keys(page)))
        except Exception as error:
            with self._changed:
                job.is_busy = False
                self._changed.notify_all()
                if isinstance(error, OSError) and self._working > 1:
                    self._working -= 1  # too many requests at once: the other threads continue
                    raise _OverloadError from error
                self._error = error
            return
        packed = zlib.compress(page, 1)
        with self._changed:
            if not characters.issubset(self._alphabet):
                self._alphabet = sorted(characters.union(self._alphabet))
            is_past_stop = job.stop is not None and last > job.stop
            job.is_busy, job.has_begun = False, True
            job.is_done = not more or is_past_stop or not last
            if last and last > job.after:
                job.pages.append((packed, job.stop if is_past_stop else None))
                job.page_start, job.after = job.after, last
            if job.is_done and not job.pages:
                self._ranges.remove(job)
            self._changed.notify_all()

    def _pick(self) -> _Range | None:
        """Return the range to list next: the first idle one, else half of a busy one."""
        if self._closed or self._error:
            return None
        waiting = 0
        splittable: list[_Range] = []
        for item in self._ranges:
            waiting += len(item.pages)
            if waiting >= _PAGES_AHEAD:
                break
            if not (item.is_done or item.is_busy):
                return item
            if item.is_busy and item.has_begun:
                splittable.append(item)
        return None if self._is_ahead() else self._split(splittable)

    def _is_ahead(self) -> bool:
        """Whether enough pages wait for the consumer."""
        ready = 0
        for item in self._ranges:
            ready += len(item.pages)
            if not item.is_done:
                break
        return ready >= _PAGES_READY

    def _split(self, ranges: list[_Range]) -> _Range | None:
        """Split the largest of `ranges` that is large enough; return its second half."""
        for item in sorted(ranges, key=lambda item: item.depth):
            left = pages_left(item.page_start, item.after, item.stop, self._alphabet)
            if left < _MIN_PAGES_TO_SPLIT:
                continue
            middle = between(item.after, item.stop, self._alphabet, self._prefix_length)
            if middle is not None:
                item.depth += 1
                half = _Range(middle, item.stop, middle, item.depth)
                item.stop = middle
                self._ranges.insert(self._ranges.index(item) + 1, half)
                return half
        return None


def pages_left(page_start: str, after: str, stop: str | None, alphabet: list[str]) -> float:
    """Return roughly how many pages are left from `after` to `stop`, given one from `page_start`.

    Assumes that keys are spread evenly, so it is only a hint. Without a stop, infinity.
    """
    if stop is None:
        return math.inf
    common = 0
    while common < min(len(page_start), len(stop)) and page_start[common] == stop[common]:
        common += 1
    low, here, high = (_position(text[common:], alphabet) for text in (page_start, after, stop))
    return (high - here) / (here - low) if here > low else math.inf


def _position(text: str, alphabet: list[str]) -> float:
    """Return the position of `text` among all strings over `alphabet`, in [0, 1]."""
    base = len(alphabet) + 2.0
    return sum(
        (bisect_left(alphabet, character) + 1) / base ** (at + 1)
        for at, character in enumerate(text[:_MAX_DIGITS])
    )


def between(after: str, stop: str | None, alphabet: list[str], common: int = 0) -> str | None:
    """Return a string that sorts after `after` and before `stop` (None: the end of all keys).

    It keeps the first `common` characters or more and adds one of the sorted `alphabet`; None if
    none is near the middle.
    """
    if not alphabet:
        return None
    at = common
    while stop is not None and at < len(after) and at < len(stop) and after[at] == stop[at]:
        at += 1
    low = _rank(after, at, alphabet)
    high = len(alphabet) if stop is None else _rank(stop, at, alphabet)
    while high - low < 2:
        if at >= len(after):
            return None
        at += 1
        low, high = _rank(after, at, alphabet), len(alphabet)
    middle = after[:at] + alphabet[(low + high) // 2]
    return middle if middle > after and (stop is None or middle < stop) else None


def _rank(text: str, at: int, alphabet: list[str]) -> int:
    return bisect_left(alphabet, text[at]) if at < len(text) else -1
