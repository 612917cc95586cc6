"""What a run would do, take and cost: listed and measured, nothing written.

All sources are listed as the run would list them, the ledger is asked, and a random sample of what
is due, the same on every call, is fetched and classified by the real code.
"""

import hashlib
import heapq
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Final

from seefood.classify import ClassifyOptions, Model, classify_images
from seefood.engines.base import Engine
from seefood.errors import PictureError
from seefood.records import ImageRef, Row
from seefood.results.ledger import Ledger
from seefood.runs.pricing import Interval, Work, money, peak_memory_bytes, requests
from seefood.storage import open_store
from seefood.storage.uris import parse_location

SAMPLE: Final = 64
_MAX_SECONDS: Final = 20.0
_START_SECONDS: Final = 4.0
"""Imports and the engine's certificate, on the machine that measures."""
_RESAMPLES: Final = 2000
_MACHINE_NOISE: Final = 0.10
"""How far two runs on one machine differ, whatever the sample says."""


@dataclass(slots=True)
class Survey:
    """What the listing told."""

    listed: int = 0
    skipped: int = 0
    due_bytes: int = 0
    largest_bytes: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    """Pictures due by the suffix of their names."""
    sample: list[ImageRef] = field(default_factory=list)

    @property
    def due(self) -> int:
        """Pictures that would be classified."""
        return self.listed - self.skipped


@dataclass(frozen=True, slots=True)
class Measure:
    """What the sample took."""

    seconds: tuple[float, ...]
    """Computing time of each picture, on one of the cores."""
    fetch_seconds: tuple[float, ...]
    """Time that passed."""
    rows: tuple[Row, ...]
    memory_bytes: int


def survey(refs: Iterable[ImageRef], ledger: Ledger, sample: int = SAMPLE) -> Survey:
    """Count `refs` and keep a random sample of those that are due, in memory of its size."""
    found = Survey()
    chosen: list[tuple[int, str, ImageRef]] = []
    for ref in refs:
        found.listed += 1
        if ref in ledger:
            found.skipped += 1
            continue
        found.due_bytes += ref.size_bytes
        found.largest_bytes = max(found.largest_bytes, ref.size_bytes)
        name = ref.uri.rpartition("/")[2]
        found.formats[name.rpartition(".")[2].lower() if "." in name else "(none)"] += 1
        digest = hashlib.blake2b(ref.uri.encode("utf-8", "surrogatepass"), digest_size=8)
        entry = (-int.from_bytes(digest.digest(), "big"), ref.uri, ref)
        if len(chosen) < sample:
            heapq.heappush(chosen, entry)
        elif entry > chosen[0]:
            heapq.heapreplace(chosen, entry)
    found.sample = [ref for _, _, ref in sorted(chosen, reverse=True)]
    return found


def measure(
    sample: Sequence[ImageRef], engine: Engine, model: Model, settings: ClassifyOptions, cores: int
) -> Measure:
    """Fetch and classify the sample on `cores` threads, as the run would; it may be cut short.

    Computing time is counted, not the time that passes, so that other work on this machine does
    not show; all cores are busy, because two threads of one core are not two cores.
    """

    def one(ref: ImageRef) -> tuple[float, float, Row] | None:
        started = time.perf_counter()
        if started > deadline:
            return None
        source = _fetch(ref)
        fetched, begun = time.perf_counter(), time.thread_time()
        (row,) = classify_images([(ref, source)], engine, model, settings)
        return time.thread_time() - begun, fetched - started, row

    deadline = time.perf_counter() + _MAX_SECONDS
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(one, sample[: 2 * cores]))  # warms caches up
        before = time.process_time()
        done = [item for item in pool.map(one, sample) if item is not None]
        spent = time.process_time() - before
    counted = sum(seconds for seconds, _, _ in done)
    # A runtime's own threads, and fetching, count too: shared out over the pictures.
    share = max(1.0, spent / counted) if counted > 0 else 1.0
    return Measure(
        tuple(seconds * share for seconds, _, _ in done),
        tuple(waited for _, waited, _ in done),
        tuple(row for _, _, row in done),
        peak_memory_bytes(),
    )


def interval(values: Sequence[float], seed: int = 1) -> Interval:
    """Return the mean of `values` with its 95 % interval, by resampling and machine noise."""
    if not values:
        return Interval(0.0, 0.0, 0.0)
    mean = fmean(values)
    draw = random.Random(seed)
    means = sorted(fmean(draw.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    low, high = means[int(0.025 * _RESAMPLES)], means[int(0.975 * _RESAMPLES)]
    noise = mean * _MACHINE_NOISE
    return Interval(max(0.0, low - noise), mean, high + noise)


def quote(found: Survey, taken: Measure, cores: int, chunk_pictures: int) -> tuple[Work, Interval]:
    """Return the work that is due and the seconds that it takes on `cores` of this machine."""
    each = interval(taken.seconds)
    # Fetched-ahead pictures are paid for by compute threads only as memory.
    memory = taken.memory_bytes + cores * 16 * 1024**2
    work = Work(found.listed, found.due, chunk_pictures, each, memory)
    start = _START_SECONDS + found.listed / 1000 * 0.02
    return work, each.times(found.due / cores, start)


def as_json(
    found: Survey, taken: Measure, work: Work, seconds: Interval, prices: dict[str, Any]
) -> dict[str, Any]:
    """Return the plan as `seefood plan --json` prints it, for `classify --quote` to read."""
    failed = Counter(row.error_code for row in taken.rows if row.error_code)
    return {
        "listed": found.listed,
        "skipped_by_ledger": found.skipped,
        "due": found.due,
        "due_bytes": found.due_bytes,
        "largest_bytes": found.largest_bytes,
        "formats": dict(found.formats.most_common()),
        "sample": {
            "pictures": len(taken.rows),
            "failed": dict(failed),
            "seconds_each": work.cpu_seconds.as_json(),
            "fetch_seconds_each": float(f"{fmean(taken.fetch_seconds or [0.0]):.4g}"),
        },
        "seconds": seconds.as_json(),
        "memory_bytes": work.memory_bytes,
        "requests": requests(work),
        "usd": money(work, prices),
        "prices": {"name": prices["name"], "date": prices["date"]},
    }


def _fetch(ref: ImageRef) -> bytes | PictureError:
    try:
        return open_store(parse_location(ref.uri).root).fetch(ref)
    except PictureError as error:
        return error
