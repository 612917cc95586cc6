"""`seefood plan`: what a run would do, take and cost; writes nothing."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seefood.cli.listing_notes import INCOMPLETE, print_listing_notes
from seefood.cli.options import (
    FAST_POINTS,
    FastCommand,
    engine_option,
    fast_option,
    model_digest_option,
    model_option,
    open_bundle,
)
from seefood.cli.profile_options import profile_options, use_output_profile
from seefood.cli.source_options import check_named, manifests, selection, source_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seefood.bundle import Bundle
    from seefood.runs.estimate import Survey

_COMPUTE = {
    "machine": "one machine, by the second",
    "fargate": "AWS Batch on Fargate",
    "fargate_spot": "AWS Batch on Fargate Spot",
    "lambda": "Lambda, one call a picture",
}


@click.command("plan", cls=FastCommand)
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@source_options
@click.option("--output", metavar="DEST", help="Skip what has rows there, as a run would.")
@profile_options
@model_option
@model_digest_option
@engine_option
@fast_option
@click.option(
    "--cores", type=click.IntRange(min=1), metavar="N", help="Of the machine that would run it."
)
@click.option("--prices", metavar="FILE", help="Another price table.  [default: built-in]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, also for `classify --quote`.")
def plan_command(*, as_json: bool, **params: Any) -> int:
    """Estimate what `seefood classify` would do, take and cost. Writes nothing.

    All sources are listed, and a random sample is fetched and classified to measure the speed.
    Times and prices have a 95 % interval, prices also the date of their table. If the model has a
    faster variant that `--fast` would run, its time and price are quoted too.

    \b
    Examples:
      seefood plan s3://photos/2026/ --output s3://labels/2026
      seefood plan ~/Pictures --json > quote.json
      seefood classify ~/Pictures --output results --quote quote.json
    """  # noqa: D301 (click's mark against re-wrapping)
    check_named(params)
    use_output_profile(params["output"], params["output_profile"])
    from itertools import islice

    from seefood.classification import ClassifyOptions, load_classifier
    from seefood.cli.working import working
    from seefood.engines.threads import available_cores
    from seefood.results.files import list_parts
    from seefood.results.ledger import read_ledger
    from seefood.runs import estimate
    from seefood.runs.pricing import default_prices, load_prices
    from seefood.runs.run_spec import ChunkSize
    from seefood.sources.listing import check_sources, list_sources
    from seefood.sources.notes import ListingNotes
    from seefood.sources.registry import parse_source
    from seefood.storage.uris import parse_location

    with working("loading the model") as tell:
        prices = load_prices(Path(params["prices"]) if params["prices"] else default_prices())
        sources = (*map(parse_source, params["sources"]), *manifests(params))
        output = parse_location(params["output"]) if params["output"] else None
        check_sources(sources, output)
        bundle = open_bundle(params["model"], params["model_digest"], with_variants=True)
        fast = _fast_variant(bundle, params)
        classifier = load_classifier(bundle, params["engine"], ClassifyOptions())
        models = (bundle,) if fast is None else (bundle, fast)
        parts = [list_parts(output, each.digest) if output is not None else [] for each in models]
        ledgers = [read_ledger(part.uri for part in each) for each in parts]
        tell("listing the pictures")
        notes = ListingNotes()
        refs = islice(list_sources(sources, output, selection(params), notes), params["limit"])
        counts, *fast_counts = estimate.surveys(refs, ledgers)
        cores = available_cores()
        tell("classifying a sample")
        measured = estimate.measure(counts.sample, *classifier, ClassifyOptions(), cores)
        cores = params["cores"] or cores
        writes = not output.is_local if output is not None else counts.remote_listed > 0
        chunk = ChunkSize().pictures
        work, seconds = estimate.quote(counts, measured, cores, chunk, writes=writes)
        document = estimate.as_json(counts, measured, work, seconds, prices)
        if fast is not None and (counts.new or params["fast"] is not None):
            tell("classifying the sample with the faster variant")
            document["fast"] = _quote_fast(fast, fast_counts[0], cores, prices, writes=writes)
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(document, cores)
    print_listing_notes(notes.left_out, notes.remarks)
    return INCOMPLETE if notes.left_out else 0


def _fast_variant(bundle: "Bundle", params: "Mapping[str, Any]") -> "Bundle | None":
    """Return the variant to quote as well; without `--fast`, None if there is none."""
    from seefood.engines.fast import fast_variant
    from seefood.errors import BundleError, UsageError

    asked = params["fast"]
    try:
        return fast_variant(bundle, FAST_POINTS if asked is None else asked, params["engine"])[0]
    except (UsageError, BundleError):
        if asked is not None:
            raise
        return None


def _quote_fast(
    bundle: "Bundle", counts: "Survey", cores: int, prices: "dict[str, Any]", *, writes: bool
) -> "dict[str, Any]":
    """Return the quote of the faster variant `bundle`, for the pictures that it has no row of."""
    from seefood.bundle.variant import variant_as_json
    from seefood.classification import ClassifyOptions, load_classifier
    from seefood.engines.threads import available_cores
    from seefood.runs import estimate
    from seefood.runs.run_spec import ChunkSize

    assert bundle.variant is not None  # noqa: S101 (`fast_variant` returns variants)
    classifier = load_classifier(bundle, bundle.variant.engine, ClassifyOptions())
    measured = estimate.measure(counts.sample, *classifier, ClassifyOptions(), available_cores())
    chunk = ChunkSize().pictures
    work, seconds = estimate.quote(counts, measured, cores, chunk, writes=writes)
    document = estimate.as_json(counts, measured, work, seconds, prices)
    kept = ("skipped_by_ledger", "due", "due_bytes", "sample", "seconds", "memory_bytes", "usd")
    return {
        "model": bundle.name,
        "digest": bundle.digest,
        **variant_as_json(bundle.variant),
        **{name: document[name] for name in kept},
    }


def _print(plan: "Mapping[str, Any]", cores: int) -> None:
    from seefood.sanitize import printable
    from seefood.units import size

    formats = [f"{n:,} {printable(name)}" for name, n in list(plan["formats"].items())[:6]]
    click.echo(
        f"{plan['listed']:,} objects listed, {plan['skipped_by_ledger']:,} done before, "
        f"{plan['due']:,} to classify: {size(plan['due_bytes'])}"
        + (f" ({', '.join(formats)})" if formats else "")
    )
    if not plan["due"]:
        click.echo(
            "Nothing to do: every picture has a row of this model; `seefood classify` would end "
            "at once, at no cost but that of the listing"
        )
    else:
        _print_work(plan, cores)
    if (fast := plan.get("fast")) is not None:
        _print_fast(fast)
    if plan["due"] or fast is not None:
        prices = plan["prices"]
        click.echo(f"Prices {prices['name']}, {prices['date']}; requests included")


def _print_work(plan: "Mapping[str, Any]", cores: int) -> None:
    from seefood.sanitize import printable
    from seefood.units import duration, size

    seconds = plan["seconds"]
    click.echo(
        f"Time   {duration(seconds['expected'])} on {cores} cores of this machine "
        f"({duration(seconds['low'])} to {duration(seconds['high'])}), "
        f"memory about {size(plan['memory_bytes'])}"
    )
    sample = plan["sample"]
    failed = sum(sample["failed"].values())
    click.echo(
        f"Sample {sample['pictures']} pictures, {1000 * sample['seconds_each']['expected']:.1f} ms "
        f"of a core each, {failed} failed"
    )
    click.echo(f"Device {printable(plan['device'])}")
    counts = plan["requests"]
    click.echo(f"Store  {counts['list']:,} LIST, {counts['get']:,} GET, {counts['put']:,} PUT")
    for kind, description in _COMPUTE.items():
        usd = plan["usd"][kind]
        shown = [f"${usd[key]:,.4f}" if usd[key] < 1 else f"${usd[key]:,.2f}" for key in usd]
        click.echo(f"Money  {description:<28} {shown[1]}  ({shown[0]} to {shown[2]})")


def _print_fast(fast: "Mapping[str, Any]") -> None:
    from seefood.sanitize import printable
    from seefood.units import duration

    loss, seconds, usd = fast["loss"], fast["seconds"], fast["usd"]["machine"]["expected"]
    click.echo(
        f"Fast   {fast['due']:,} to classify with --fast: {duration(seconds['expected'])} "
        f"({duration(seconds['low'])} to {duration(seconds['high'])}), "
        f"${usd:,.4f} on one machine\n"
        f"       variant {printable(fast['name'])}, accuracy {-loss['points']:+.2f} points on "
        f"{printable(loss['data'])}"
    )
