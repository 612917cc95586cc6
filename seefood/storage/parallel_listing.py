"""Listing a large prefix in parallel: the space of keys is split, the order of keys is kept.

A bucket tells its keys a page at a time, each page asked for by the last key of the one before: one
stream is as slow as its round trips. Here several threads list ranges of keys. A range is split
between its last seen key and its end, at characters that keys were seen to have; a range that turns
out empty costs one request. The consumer gets whole pages in the order of keys, so what is made of
them (chunks) does not depend on which thread was faster, and pages wait compressed, a bounded
number of them, so that a slow consumer costs no memory.
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
"""At 1,000 keys and some 40 kB compressed: 5 MB, at worst twice that."""
_PAGES_READY: Final = 8
"""While so many wait in front, the consumer is the slower one, and nothing is split."""
_WORTH_SPLITTING: Final = 3.0
"""Pages that a range must have left, as far as one can tell."""
_DIGITS: Final = 8
"""How many characters of a key tell where it stands between others."""


_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Range:
    """The keys after `after` up to and with `stop` (None: to the end)."""

    after: str
    stop: str | None
    before: str = ""
    """Where the last page began."""
    depth: int = 0
    """How often the whole was halved to get here."""
    pages: deque[tuple[bytes, str | None]] = field(default_factory=deque)
    busy: bool = False
    begun: bool = False
    done: bool = False


class _OverloadError(Exception):
    """A thread should end, because the store does not answer so many at once."""


class ParallelListing:
    """One listing. `pages` yields it once."""

    def __init__(
        self,
        fetch: Callable[[str], bytes],
        end: Callable[[bytes], tuple[bool, str]],
        keys: Callable[[bytes], list[str]],
        *,
        prefix: str = "",
        threads: int = 16,
    ) -> None:
        """`fetch(after)` returns a page, `end(page)` whether more follows and its last key.

        `prefix` is what all keys begin with.
        """
        self._fetch = fetch
        self._end = end
        self._keys = keys
        self._common = len(prefix)
        self._threads = threads
        self._changed = threading.Condition()
        self._ranges = [_Range("", None)]
        self._alphabet: list[str] = []
        self._error: Exception | None = None
        self._closed = False
        self._working = 1

    def pages(self) -> Iterator[tuple[bytes, str | None]]:
        """Yield pages in the order of keys, each with the last key that counts in it (None: all).

        Raises what `fetch` raised, and `S3Error` for a store that never comes to an end.
        """
        first = self._ranges[0]
        self._work_on(first)
        begun = False
        try:
            while (page := self._next()) is not None:
                yield zlib.decompress(page[0]), page[1]
                if not (begun or first.done):  # whoever wants one page only, causes no more
                    begun = True
                    self._start()
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()

    def _start(self) -> None:
        self._working = self._threads
        for number in range(self._threads):
            threading.Thread(target=self._work, name=f"list-{number}", daemon=True).start()

    def _next(self) -> tuple[bytes, str | None] | None:
        """Take the next page in order, waiting for it; None at the end."""
        with self._changed:
            while self._ranges:
                head = self._ranges[0]
                if head.pages:
                    page = head.pages.popleft()
                    self._changed.notify_all()
                    return page
                if head.done:
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
                    if self._closed or self._error or all(r.done for r in self._ranges):
                        self._changed.notify_all()
                        return
                    self._changed.wait()
                    job = self._pick()
                job.busy = True
            try:
                self._work_on(job)
            except _OverloadError as error:
                _log.warning("listing goes on with fewer threads: %s", error.__cause__)
                return

    def _work_on(self, job: _Range) -> None:
        """Fetch the next page of `job` and put it where it belongs."""
        try:
            page = self._fetch(job.after)
            more, last = self._end(page)
            if more and last <= job.after:  # asked again, it would answer the same for ever
                raise S3Error(200, "", "the listing says that more follows, but tells no new key")
            seen = set() if job.begun else set("".join(self._keys(page)))
        except Exception as error:
            with self._changed:
                job.busy = False
                self._changed.notify_all()
                if isinstance(error, OSError) and self._working > 1:
                    self._working -= 1  # too much at once for the store: the others go on
                    raise _OverloadError from error
                self._error = error
            return
        packed = zlib.compress(page, 1)
        with self._changed:
            if not seen.issubset(self._alphabet):
                self._alphabet = sorted(seen.union(self._alphabet))
            passed = job.stop is not None and last > job.stop
            job.busy, job.begun = False, True
            job.done = not more or passed or not last
            if last and last > job.after:
                job.pages.append((packed, job.stop if passed else None))
                job.before, job.after = job.after, last
            if job.done and not job.pages:
                self._ranges.remove(job)
            self._changed.notify_all()

    def _pick(self) -> _Range | None:
        """Return the range to list next: the nearest idle one, else half of a busy one."""
        if self._closed or self._error:
            return None
        waiting = 0
        splittable: list[_Range] = []
        for item in self._ranges:
            waiting += len(item.pages)
            if waiting >= _PAGES_AHEAD:
                break
            if not (item.done or item.busy):
                return item
            if item.busy and item.begun:
                splittable.append(item)
        return None if self._is_ahead() else self._split(splittable)

    def _is_ahead(self) -> bool:
        """Whether enough pages wait in front of the consumer."""
        ready = 0
        for item in self._ranges:
            ready += len(item.pages)
            if not item.done:
                break
        return ready >= _PAGES_READY

    def _split(self, ranges: list[_Range]) -> _Range | None:
        """Return the second half of the largest of `ranges` that is worth it."""
        for item in sorted(ranges, key=lambda item: item.depth):
            if pages_left(item.before, item.after, item.stop, self._alphabet) < _WORTH_SPLITTING:
                continue
            middle = between(item.after, item.stop, self._alphabet, self._common)
            if middle is not None:
                item.depth += 1
                half = _Range(middle, item.stop, middle, item.depth)
                item.stop = middle
                self._ranges.insert(self._ranges.index(item) + 1, half)
                return half
        return None


def pages_left(before: str, after: str, stop: str | None, alphabet: list[str]) -> float:
    """Return about how many pages lie between `after` and `stop`, if one lies from `before` on.

    It takes keys to be spread evenly, which they are not: a hint. Without a stop, infinity.
    """
    if stop is None:
        return math.inf
    common = 0
    while common < min(len(before), len(stop)) and before[common] == stop[common]:
        common += 1
    low, here, high = (_place(text[common:], alphabet) for text in (before, after, stop))
    return (high - here) / (here - low) if here > low else math.inf


def _place(text: str, alphabet: list[str]) -> float:
    """Return where `text` stands among all texts of `alphabet`, in [0, 1]."""
    base = len(alphabet) + 2.0
    return sum(
        (bisect_left(alphabet, character) + 1) / base ** (at + 1)
        for at, character in enumerate(text[:_DIGITS])
    )


def between(after: str, stop: str | None, alphabet: list[str], common: int = 0) -> str | None:
    """Return a text that sorts after `after` and before `stop` (None: the end of all keys).

    It keeps the first `common` characters and goes on with one of the sorted `alphabet`; None if
    there is none near the middle.
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
