"""Estimates what a run would do, take and cost; writes nothing.

Lists the sources and consults the ledger as a run would, then fetches and classifies a random
sample of the new pictures, the same one on every call, with the code that a run uses.
"""

import hashlib
import heapq
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Final

import numpy as np

from seefood.classification import ClassifyOptions, Model, classify_images
from seefood.engines.base import Engine
from seefood.engines.batching import BatchPolicy
from seefood.engines.devices import CPU, describe_device, device_of
from seefood.errors import PictureError
from seefood.records import ImageRef, Row
from seefood.results.ledger import Ledger
from seefood.runs.pricing import (
    Interval,
    Work,
    expected_requests,
    money,
    peak_memory_bytes,
)
from seefood.storage import open_store
from seefood.storage.uris import parse_location

SAMPLE_PICTURES: Final = 64
_MAX_SECONDS: Final = 20.0
_LOCAL: Final = ("file:", "memory:")
_START: Final = Interval(0.8, 3.0, 8.0)
"""Seconds for imports and the check of the engine against the bundle's certificate."""
_LIST_SECONDS_PER_1000: Final = 0.02
_RESAMPLES: Final = 2000
_LEAST_SPREAD: Final = 0.01
"""Of a draw, relative to the sample's."""
_MACHINE_NOISE: Final = 0.20
"""The relative difference of two runs on one machine."""


@dataclass(slots=True)
class Survey:
    """The counts of a listing, and a sample of its new pictures."""

    listed: int = 0
    skipped: int = 0
    """Pictures that have a row already."""
    new_bytes: int = 0
    largest_bytes: int = 0
    remote_listed: int = 0
    """Of `listed`, those in buckets."""
    remote_new: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    """New pictures by the suffix of their names."""
    sample: list[ImageRef] = field(default_factory=list)

    @property
    def new(self) -> int:
        """Pictures that would be classified."""
        return self.listed - self.skipped


@dataclass(frozen=True, slots=True)
class Measurement:
    """How long the sample took."""

    seconds: tuple[float, ...]
    """CPU time of each picture."""
    fetch_seconds: tuple[float, ...]
    """Wall time of each fetch."""
    rows: tuple[Row, ...]
    memory_bytes: int
    device_seconds: float = 0.0
    """Of a device for each picture, in large batches; 0 on the processor, whose time is above."""
    device: str = CPU
    """What the engine computes on: `cpu`, or `cuda (NVIDIA L4)`."""


def survey(
    refs: Iterable[ImageRef], ledger: Ledger, sample_pictures: int = SAMPLE_PICTURES
) -> Survey:
    """Count `refs` and draw a random sample of the new ones; holds no more than the sample."""
    return surveys(refs, (ledger,), sample_pictures)[0]


def surveys(
    refs: Iterable[ImageRef], ledgers: Iterable[Ledger], sample_pictures: int = SAMPLE_PICTURES
) -> list[Survey]:
    """Return the survey of `refs` for each of `ledgers`; lists once."""
    counting = [_Counting(ledger, sample_pictures) for ledger in ledgers]
    for ref in refs:
        for each in counting:
            each.add(ref)
    return [each.survey() for each in counting]


class _Counting:
    """A survey in progress."""

    def __init__(self, ledger: Ledger, sample_pictures: int) -> None:
        self._ledger, self._sample_pictures = ledger, sample_pictures
        self._counts = Survey()
        self._chosen: list[tuple[int, str, ImageRef]] = []

    def add(self, ref: ImageRef) -> None:
        counts, chosen = self._counts, self._chosen
        counts.listed += 1
        is_remote = not ref.uri.startswith(_LOCAL)
        counts.remote_listed += is_remote
        if ref in self._ledger:
            counts.skipped += 1
            return
        counts.remote_new += is_remote
        counts.new_bytes += ref.size_bytes
        counts.largest_bytes = max(counts.largest_bytes, ref.size_bytes)
        name = ref.uri.rpartition("/")[2]
        counts.formats[name.rpartition(".")[2].lower() if "." in name else "(none)"] += 1
        digest = hashlib.blake2b(ref.uri.encode("utf-8", "surrogatepass"), digest_size=8)
        entry = (-int.from_bytes(digest.digest(), "big"), ref.uri, ref)
        if len(chosen) < self._sample_pictures:
            heapq.heappush(chosen, entry)
        elif entry > chosen[0]:
            heapq.heapreplace(chosen, entry)

    def survey(self) -> Survey:
        self._counts.sample = [ref for _, _, ref in sorted(self._chosen, reverse=True)]
        return self._counts


def measure(
    sample: Sequence[ImageRef], engine: Engine, model: Model, options: ClassifyOptions, cores: int
) -> Measurement:
    """Fetch and classify the sample on `cores` threads; stops after 20 seconds.

    Counts CPU time, which other work on this machine does not change. All cores are busy, because
    two hyperthreads of one core are not as fast as two cores.
    """

    def classify(ref: ImageRef) -> tuple[float, float, Row] | None:
        started = time.perf_counter()
        if started > deadline:
            return None
        source = _fetch(ref)
        fetched, cpu_started = time.perf_counter(), time.thread_time()
        (row,) = classify_images([(ref, source)], engine, model, options)
        return time.thread_time() - cpu_started, fetched - started, row

    device_seconds = _device_seconds(engine, model)
    deadline = time.perf_counter() + _MAX_SECONDS
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(classify, sample[: 2 * cores]))  # fills caches
        cpu_before = time.process_time()
        results = [result for result in pool.map(classify, sample) if result is not None]
        cpu_total = time.process_time() - cpu_before
    cpu_counted = sum(seconds for seconds, _, _ in results)
    # CPU time of fetches and of the engine's own threads is distributed over the pictures.
    factor = max(1.0, cpu_total / cpu_counted) if cpu_counted > 0 else 1.0
    return Measurement(
        tuple(seconds * factor for seconds, _, _ in results),
        tuple(seconds for _, seconds, _ in results),
        tuple(row for _, _, row in results),
        peak_memory_bytes(),
        device_seconds,
        describe_device(device_of(engine)),
    )


def _device_seconds(engine: Engine, model: Model) -> float:
    """Return the time that a device takes for one picture of a full batch; 0 on the processor.

    A batch is halved until it fits, as in a run. Raises what the engine raises for one picture.
    """
    if device_of(engine) == CPU:
        return 0.0
    images = np.zeros((BatchPolicy().max_pictures, *model.rule.shape), np.uint8)
    while True:
        try:
            engine.predict(images)  # plans its algorithms
            started = time.perf_counter()
            engine.predict(images)
            return (time.perf_counter() - started) / len(images)
        except Exception:
            if len(images) == 1:
                raise
            images = images[: len(images) // 2]


def interval(values: Sequence[float], population: int | None = None, seed: int = 1) -> Interval:
    """Return the mean of `population` values with its 95 % interval, from the sample `values`.

    Without `population` there are any number. A sample of all of them leaves no chance.

    A studentised bootstrap, which holds for skewed values, as the seconds of a mixture of web and
    camera pictures are (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
    12.5), widened by what two runs on one machine differ.
    """
    if not values:
        return Interval(0.0, 0.0, 0.0)
    sample = np.asarray(values, np.float64)
    mean, count = float(sample.mean()), len(sample)
    draws = sample[np.random.default_rng(seed).integers(0, count, (_RESAMPLES, count))]
    spreads = draws.std(axis=1)
    # Draws of nearly equal values tell nothing of the spread: of three values many are so.
    spreads[spreads < _LEAST_SPREAD * sample.std()] = np.inf
    errors = (draws.mean(axis=1) - mean) / np.where(spreads > 0, spreads, np.inf)
    drawn = min(1.0, count / population) if population else 0.0
    scale = sample.std() * (1.0 - drawn) ** 0.5  # the finite population correction
    below, above = np.quantile(errors, [0.975, 0.025]) * scale
    noise = mean * _MACHINE_NOISE
    low, high = mean - below - noise, mean - above + noise
    return Interval(max(0.0, float(low)), mean, float(high))


def quote(
    counts: Survey, measured: Measurement, cores: int, chunk_pictures: int, *, writes: bool
) -> tuple[Work, Interval]:
    """Return the work that a run has to do and its seconds on `cores` of this machine.

    `writes` is whether the run writes to a bucket.
    """
    cpu_seconds = interval(measured.seconds, counts.new)
    read_ahead_bytes = cores * 16 * 1024**2
    memory_bytes = measured.memory_bytes + read_ahead_bytes
    requests = expected_requests(
        listed=counts.remote_listed,
        pictures=counts.remote_new,
        rows=counts.new,
        chunk_pictures=chunk_pictures,
        writes=writes,
    )
    work = Work(counts.new, requests, cpu_seconds, memory_bytes)
    listing = counts.listed / 1000 * _LIST_SECONDS_PER_1000
    computing = cpu_seconds.times(counts.new / cores)
    device = measured.device_seconds * counts.new  # decoding and the device work at once
    return work, Interval(
        max(computing.low, device) + _START.low + listing,
        max(computing.expected, device) + _START.expected + listing,
        max(computing.high, device) + _START.high + listing,
    )


def as_json(
    counts: Survey, measured: Measurement, work: Work, seconds: Interval, prices: dict[str, Any]
) -> dict[str, Any]:
    """Return the plan as `seefood plan --json` prints it and `classify --quote` reads it."""
    failed = Counter(row.error_code for row in measured.rows if row.error_code)
    return {
        "listed": counts.listed,
        "skipped_by_ledger": counts.skipped,
        "due": counts.new,
        "due_bytes": counts.new_bytes,
        "largest_bytes": counts.largest_bytes,
        "formats": dict(counts.formats.most_common()),
        "sample": {
            "pictures": len(measured.rows),
            "failed": dict(failed),
            "seconds_each": work.cpu_seconds.as_json(),
            "fetch_seconds_each": float(f"{fmean(measured.fetch_seconds or [0.0]):.4g}"),
        },
        "seconds": seconds.as_json(),
        "device": measured.device,
        "memory_bytes": work.memory_bytes,
        "requests": dict(work.requests),
        "usd": money(work, prices),
        "prices": {"name": prices["name"], "date": prices["date"]},
    }


def _fetch(ref: ImageRef) -> bytes | PictureError:
    try:
        return open_store(parse_location(ref.uri).root).fetch(ref)
    except PictureError as error:
        return error
