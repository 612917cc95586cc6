"""Classifies pictures in a loop: the same listing, worker process and rows as the batch job."""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from warnings import warn

from seefood.bundle import Bundle
from seefood.classification import ClassifyOptions
from seefood.engines.fast import choose_bundle
from seefood.engines.registry import AUTO
from seefood.errors import UsageError
from seefood.imaging.limits import DEFAULT_LIMITS, Limits
from seefood.python.frames import as_frame
from seefood.python.progress import progress_style
from seefood.records import Row, utc_now
from seefood.runs.progress import ProgressCounters, Style, show_progress
from seefood.runs.run_spec import ChunkSize
from seefood.sanitize import printable, redacted
from seefood.sources.base import Source
from seefood.sources.filters import Selection, check_limit, parse_since
from seefood.sources.listing import check_sources, list_sources
from seefood.sources.notes import ListingNotes
from seefood.sources.registry import parse_sources
from seefood.workers.ahead import Ahead
from seefood.workers.chunks import chunk_refs
from seefood.workers.opening import ModelSpec, check_spec, open_worker

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Sources = str | Path | Source | Iterable[str | Path | Source]
"""What is classified."""

_BATCH_ROWS = 4096


def classify(  # noqa: PLR0913 (keywords, with the names of the command's options)
    sources: Sources,
    *,
    model: str | Path | Bundle | None = None,
    digest: str | None = None,
    engine: str = AUTO,
    fast: bool | float | None = None,
    top_k: int = 5,
    limits: Limits = DEFAULT_LIMITS,
    salvage: bool = False,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    since: str | date | None = None,
    sample: float = 1.0,
    limit: int | None = None,
    progress: bool | None = None,
) -> "Classification":
    """Return the rows of the pictures of `sources`, which are classified while they are read.

        for row in seefood.classify("s3://photos/2026/"):
            print(row.uri, row.label, row.score)

    `sources` is a folder, file, glob or URI, as the command line takes it, a manifest (`Source`),
    or several of these. `model` is a bundle's folder or URI, or a built-in model; `digest` pins it.
    `fast` runs the bundle's fastest variant that loses at most so many percentage points of
    accuracy, True for 0.5; `digest` is then the variant's.
    `top_k` is the number of labels in `Row.top`. `since` is a time (without a zone that of this
    machine; in a text UTC), or an age such as `36h`;
    `sample` is the share of the pictures to take, in (0, 1]; `limit` takes the first objects only.
    `progress` shows a bar on stderr or in the notebook; None shows one where a person watches.

    A worker process starts with the first row and ends after the last one, with an exception inside
    the loop's iterator, or with `Classification.close`. A picture that cannot be classified has a
    row, too. A warning at the end says if parts of the sources could not be listed, or why filters
    let nothing through. Raises `UsageError` for a source, model or option that is wrong, before any
    work, and `JobError` while rows are read.
    """
    parsed = _parse_sources(sources)
    selection = Selection(_patterns(include), _patterns(exclude), _seconds(since), sample)
    check_sources(parsed)
    bundle, engine = choose_bundle(model, digest, engine, fast=fast)
    spec = ModelSpec(
        str(bundle.path), bundle.digest, engine, ClassifyOptions(top_k, limits, salvage)
    )
    check_spec(spec)
    check_limit(limit)
    return Classification(
        _Work(
            parsed,
            selection,
            limit,
            spec,
            progress_style(progress),
        )
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """What is classified, and how."""

    sources: tuple[Source, ...]
    selection: Selection
    limit: int | None
    spec: ModelSpec
    style: Style


class Classification:
    """The rows of pictures, classified while they are read; can be read once, by any threads.

    A context manager: its end stops the worker process, also in the middle.
    """

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._notes = ListingNotes()
        self._rows = _classify(work, self._notes)
        self._lock = RLock()

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        with self._lock:  # a generator runs in one thread at a time
            return next(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the worker process; no more rows follow. May be called twice."""
        with self._lock:
            self._rows.close()

    @property
    def left_out(self) -> Counter[str]:
        """Parts of the sources that could not be listed so far: pictures may be missing."""
        return self._notes.left_out

    @property
    def remarks(self) -> Counter[str]:
        """What the listing left out on purpose so far, and hints."""
        return self._notes.remarks

    def to_arrow(self) -> "pa.Table":
        """Return the rows that were not read yet as a table with the columns of result files."""
        import pyarrow as pa  # noqa: PLC0415 (100 ms)

        from seefood.results.arrow import arrow_schema, batch_of  # noqa: PLC0415 (as above)

        batches = []
        while rows := list(islice(self, _BATCH_ROWS)):
            batches.append(batch_of(rows))
        return pa.Table.from_batches(batches, arrow_schema())

    def to_pandas(self, **options: Any) -> "pd.DataFrame":
        """Return the rows that were not read yet as a data frame, one row a picture.

        `options` go to `pyarrow.Table.to_pandas`.
        """
        return as_frame(self.to_arrow(), options)


def _classify(work: _Work, notes: ListingNotes) -> Generator[Row, None, None]:
    """Yield the rows; does not know its `Classification`, which ends it when it is forgotten."""
    counters = ProgressCounters()
    listed = list_sources(work.sources, None, work.selection, notes)
    worker = open_worker(work.spec, counters)
    try:
        ahead = Ahead(worker.start)
        with show_progress(counters, work.style):
            for chunk in chunk_refs(islice(listed, work.limit), ChunkSize()):
                counters.add_listed(len(chunk), 0)
                for rows in ahead.put(chunk):
                    yield from rows
            counters.listing_done = True
            for rows in ahead.drain():
                yield from rows
    finally:
        worker.close()
    _warn(notes, is_empty=counters.listed == 0)


def _warn(notes: ListingNotes, *, is_empty: bool) -> None:
    """Warn of what a program would not see: pictures that are not among the rows."""
    lost = [f"pictures may be missing; left out: {text}" for text in notes.left_out]
    none = [f"there are no rows: {text}" for text in notes.remarks if is_empty]
    for text in (*lost, *none):
        warn(printable(redacted(text)), stacklevel=4)  # the caller of `__next__`


def _parse_sources(sources: Any) -> tuple[Source, ...]:
    is_several = isinstance(sources, Iterable) and not isinstance(sources, (str, bytes, bytearray))
    parsed = parse_sources(sources if is_several else (sources,))
    if not parsed:
        raise UsageError("no pictures are named; give a path, a URI or a list of them")
    return parsed


def _patterns(patterns: Any) -> Any:
    """Return one pattern, or several, as a tuple; `Selection` refuses anything else."""
    if isinstance(patterns, str):
        return (patterns,)
    return tuple(patterns) if isinstance(patterns, Iterable) else patterns


def _seconds(since: Any) -> Any:
    """Return a time in POSIX seconds; `Selection` refuses what is none."""
    if isinstance(since, date):
        moment = since if isinstance(since, datetime) else datetime.combine(since, time.min)
        return moment.timestamp()
    return parse_since(since, utc_now()) if isinstance(since, str) else since
