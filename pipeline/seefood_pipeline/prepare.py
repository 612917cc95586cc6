"""First step of a launch: check everything that a user can get wrong, before any work.

A source that is absent or empty, a bundle that differs from its digest, an engine that computes
something else, a malformed quote and options that Beam refuses are errors here.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seefood.bundle import Bundle, load_bundle
from seefood.errors import UsageError
from seefood.runs.run_spec import RunSpec
from seefood.sanitize import field_problem
from seefood.sources.listing import check_sources
from seefood.sources.registry import parse_source
from seefood.storage.uris import parse_location
from seefood_pipeline.request import Request
from seefood_pipeline.worker_factory import WorkerKey, shared_worker

_INTERVAL: Final = ("low", "expected", "high")


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A checked request."""

    run: RunSpec
    bundle: Bundle
    engine: str
    """The name of the engine that this process's worker runs; it has passed the certificate."""
    device: str
    """What that engine computes on: `cpu`, or `cuda (NVIDIA L4)`."""
    quote: Mapping[str, Any] | None


def prepare(request: Request, run_id: str) -> PreparedRun:
    """Check `request` and start its worker, which is closed after the job.

    Raises `UsageError` or `BundleError`.
    """
    quotes = read_quotes(request.quote) if request.quote is not None else {}
    output = parse_location(request.output)
    sources = tuple(
        parse_source(source) if isinstance(source, str) else source for source in request.sources
    )
    check_sources(sources, output)
    bundle = load_bundle(request.bundle, expected_digest=request.digest)
    run = RunSpec(
        output=output,
        digest=bundle.digest,
        run_id=run_id,
        shard=request.shard,
        sources=sources,
        bundle=str(request.bundle),
        options=request.options,
    )
    with shared_worker(WorkerKey.of(run)) as worker:  # it stays for the job
        engine, device = worker.engine_name, worker.device
    if request.beam_arguments:
        from seefood_pipeline.options import pipeline_options  # noqa: PLC0415 (imports Beam)

        pipeline_options(request.beam_arguments)
    return PreparedRun(run, bundle, engine, device, quotes.get(bundle.digest, quotes.get(None)))


def read_quotes(path: Path) -> dict[str | None, dict[str, Any]]:
    """Return what `seefood plan --json` printed: that of a faster variant by its digest.

    The quote for the bundle itself has the key None. Raises `UsageError` for anything else.
    """
    try:
        plan = json.loads(path.read_bytes())
        quotes: dict[str | None, Any] = {None: plan}
        if fast := plan.get("fast"):
            quotes[str(fast["digest"])] = {**plan, **fast}
        return {digest: _quote(each) for digest, each in quotes.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{path} is no quote ({field_problem(error)}); make one with "
            f"`seefood plan … --json > {path}`"
        ) from error


def _quote(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a plan that a receipt is compared with. Raises what reading it raises."""
    for value in (*map(plan["seconds"].get, _INTERVAL), plan["usd"]["machine"]["expected"]):
        if not 0 <= value < math.inf:
            raise ValueError(f"it quotes {value!r:.40}")
    return {name: plan[name] for name in ("due", "seconds", "usd", "prices")}
