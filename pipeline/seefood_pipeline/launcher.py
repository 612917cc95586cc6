"""Launching a bulk job: look at everything first, run it, account for it.

What a user can get wrong is found here, before any work: a source that is absent or empty, an
output that cannot be written, a bundle that is not what it says, an engine that computes something
else.
"""

import json
import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from seefood.bundle import Bundle, load_bundle
from seefood.classify import ClassifyOptions
from seefood.errors import UsageError
from seefood.records import utc_now
from seefood.results.deduplicate import deduplicate
from seefood.results.files import RESULTS, Format, list_parts
from seefood.results.totals import Totals
from seefood.runs.lease import Claim, hold_lease
from seefood.runs.pricing import (
    Interval,
    Work,
    default_prices,
    load_prices,
    peak_memory_bytes,
    receipt,
)
from seefood.runs.progress import ProgressCounters, Style, show_progress
from seefood.runs.sharding import Shard
from seefood.runs.summary import Run, run_folder, summarise, write_summary
from seefood.sanitize import redacted, redacted_arguments
from seefood.sources.filters import Selection
from seefood.sources.listing import check_sources, parse_source
from seefood.sources.manifests import Manifest
from seefood.storage.uris import Location, parse_location
from seefood.workers.chunks import ChunkSize, Target
from seefood.workers.supervisor import SupervisedWorker
from seefood_pipeline.listing import Listing, list_chunks
from seefood_pipeline.signals import GRACE_SECONDS, stopping
from seefood_pipeline.warm_start import WarmStart, warm_start
from seefood_pipeline.worker_factory import WorkerFactory, run_counters

if TYPE_CHECKING:
    from seefood_pipeline.bulk_job import BulkJob

_INTERVAL: Final = ("low", "expected", "high")


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asks for."""

    sources: tuple[str, ...]
    output: str
    bundle: Path
    digest: str | None = None
    """Which model it must be, as `load_bundle` takes it; None takes what is there."""
    engine: str = "auto"
    form: Format = "parquet"
    settings: ClassifyOptions = field(default_factory=ClassifyOptions)
    chunk: ChunkSize = field(default_factory=ChunkSize)
    limit: int | None = None
    shard: Shard | None = None
    manifests: tuple[Manifest, ...] = ()
    selection: Selection = field(default_factory=Selection)
    max_failure_ratio: float = 1.0
    quote: Path | None = None
    """What `seefood plan --json` said, to stand beside the receipt."""
    force: bool = False
    report: bool = True
    beam_arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run leaves."""

    summary: Mapping[str, Any]
    """The content of `summary.json`."""
    folder: Location
    """Where `summary.json` and `report.html` lie."""
    report: Location | None
    results: Location

    @property
    def failure_ratio(self) -> float:
        """The share of this run's pictures that have no label; 0 if there were none."""
        rows = int(self.summary["rows"])
        return int(self.summary["by_status"].get("failed", 0)) / rows if rows else 0.0


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request that was looked at: nothing in it is wrong."""

    listing: Listing
    open_worker: WorkerFactory
    target: Target
    bundle: Bundle
    engine: str
    worker: SupervisedWorker
    meter: ProgressCounters
    folder: Location


def launch(request: Request, style: Style = "auto") -> Outcome:
    """Classify what `request` asks for and return what came of it.

    `style` is how progress shows on stderr. Raises `UsageError` before any work, `JobError` after
    it began; rows that were written are kept, and the same request goes on from them.
    """
    started_at, begun, cpu_begun = utc_now(), time.monotonic(), _cpu_seconds()
    quote = _read_quote(request.quote) if request.quote is not None else None
    run_id = f"{started_at:%Y%m%dT%H%M%SZ}-{token_hex(3)}"
    # Beam takes two seconds to import: that goes on while the request is looked at.
    importing = threading.Thread(
        target=__import__, args=("seefood_pipeline.bulk_job",), daemon=True
    )
    importing.start()
    if request.report:  # its imports, too, are over before they are waited for
        threading.Thread(target=_import_report, args=(importing,), daemon=True).start()
    prepared = _prepare(request, run_id)
    if request.beam_arguments:
        importing.join()
        _check_options(request.beam_arguments)
    output, digest = parse_location(request.output), prepared.bundle.digest
    claim = Claim(output, digest, run_id, request.shard)
    with hold_lease(claim, lambda: prepared.meter.request_stop(GRACE_SECONDS)):
        if request.beam_arguments:
            _clear_the_way(prepared, request.beam_arguments)
        done = () if request.force else tuple(part.uri for part in list_parts(output, digest))
        prepared = replace(prepared, listing=replace(prepared.listing, done_parts=done))
        with show_progress(prepared.meter, style), stopping(prepared.meter):
            running = time.monotonic()
            try:
                with warm_start(run_id, lambda: _begin(prepared, request)):
                    importing.join()
                    totals = _run(prepared, request)
            finally:
                prepared.worker.close()
            running = time.monotonic() - running
        if request.force or totals.again:
            deduplicate(output, digest)
    run = Run(
        run_id=run_id,
        sources=tuple(map(redacted, (*request.sources, *(m.text for m in request.manifests)))),
        output=output.uri,
        options=_options(request),
        started_at=started_at,
        seconds=time.monotonic() - begun,
        # Of workers on other machines this process may see nothing but the end.
        classify_seconds=prepared.meter.seconds or (running if totals.rows else 0.0),
        engine=prepared.engine,
    )
    summary = summarise(run, totals, prepared.bundle)
    if quote is not None:
        summary["quote"] = quote
    if totals.rows and not any(text.startswith("--runner") for text in request.beam_arguments):
        each = (_cpu_seconds() - cpu_begun) / totals.rows
        work = Work(
            totals.listed,
            totals.rows,
            request.chunk.pictures,
            Interval(each, each, each),
            peak_memory_bytes(),
        )
        summary["receipt"] = receipt(work, run.seconds, load_prices(default_prices()))
    write_summary(summary, prepared.folder)
    report = None
    if request.report:
        from seefood.report import write_run_report  # noqa: PLC0415 (only where a page is wanted)

        report = write_run_report(output, summary, prepared.folder)
    return Outcome(summary, prepared.folder, report, output.child(RESULTS))


def _prepare(request: Request, run_id: str) -> _Prepared:
    manifests = tuple(
        replace(manifest, uri=_absolute(manifest.uri)) for manifest in request.manifests
    )
    output = parse_location(request.output)
    check_sources([*map(parse_source, request.sources), *manifests], output)
    bundle = load_bundle(request.bundle, expected_digest=request.digest)
    opener = WorkerFactory(
        str(request.bundle), bundle.digest, request.engine, request.settings, run_id
    )
    worker = opener.open()
    folder = run_folder(output, run_id)
    listing = Listing(
        sources=tuple(map(_absolute, request.sources)),
        output=output.uri,
        done_parts=(),
        chunk=request.chunk,
        limit=request.limit,
        run_id=run_id,
        shard=request.shard,
        manifests=manifests,
        selection=request.selection,
        max_failure_ratio=request.max_failure_ratio,
        force=request.force,
    )
    return _Prepared(
        listing=listing,
        open_worker=opener,
        target=Target(output, bundle.digest, request.form),
        bundle=bundle,
        engine=worker.engine_name,
        worker=worker,
        meter=run_counters(run_id),
        folder=folder,
    )


def _begin(prepared: _Prepared, request: Request) -> WarmStart | None:
    """Begin while Beam is being imported, unless another runner may be asked for."""
    if request.beam_arguments:
        return None
    return WarmStart(list_chunks(prepared.listing, prepared.meter), prepared.worker)


def _job(prepared: _Prepared) -> "BulkJob":
    from seefood_pipeline.bulk_job import BulkJob  # noqa: PLC0415 (imported meanwhile)

    handover = prepared.folder.child("totals.json")
    return BulkJob(prepared.listing, prepared.open_worker, prepared.target, handover)


def _check_options(arguments: Sequence[str]) -> None:
    from seefood_pipeline.options import pipeline_options  # noqa: PLC0415 (as above)

    pipeline_options(arguments)


def _clear_the_way(prepared: _Prepared, arguments: Sequence[str]) -> None:
    from seefood_pipeline.bulk_job import clear_the_way  # noqa: PLC0415 (as above)

    clear_the_way(_job(prepared), arguments)


def _run(prepared: _Prepared, request: Request) -> Totals:
    from seefood_pipeline.bulk_job import run_bulk_job  # noqa: PLC0415 (as above)

    return run_bulk_job(_job(prepared), request.beam_arguments, prepared.meter)


def _import_report(after: threading.Thread) -> None:
    after.join()
    import seefood.report  # noqa: F401, PLC0415 (see `launch`)


def _read_quote(path: Path) -> dict[str, Any]:
    """Return what `seefood plan --json` printed. Raises `UsageError` for anything else."""
    try:
        quote = json.loads(path.read_bytes())
        for value in (*map(quote["seconds"].get, _INTERVAL), quote["usd"]["machine"]["expected"]):
            if not 0 <= value < math.inf:
                raise ValueError(f"it quotes {value!r:.40}")
        return {name: quote[name] for name in ("due", "seconds", "usd", "prices")}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} is no quote ({error!r}); make one with `seefood plan … --json > {path}`"
        ) from error


def _cpu_seconds() -> float:
    """Return what this process and the ones it started have computed so far."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _absolute(source: str) -> str:
    """Return `source` so that it means the same in another working directory."""
    location = parse_location(source)
    return location.key if location.is_local else source


def _options(request: Request) -> dict[str, Any]:
    """Return the options that shaped the run, for its summary."""
    return {
        "format": request.form,
        "engine": request.engine,
        "top_k": request.settings.top_k,
        "limits": asdict(request.settings.limits),
        "salvage": request.settings.salvage,
        "limit": request.limit,
        "shard": None if request.shard is None else asdict(request.shard),
        "selection": asdict(request.selection),
        "max_failure_ratio": request.max_failure_ratio,
        "chunk_pictures": request.chunk.pictures,
        "force": request.force,
        "beam": redacted_arguments(request.beam_arguments),
    }
