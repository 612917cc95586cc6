"""`seefood plan`: what a run would do, take and cost; touches nothing."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seefood.cli.options import engine_option, model_digest_option, model_option, named_bundle
from seefood.cli.source_options import check_named, manifests, selection, source_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seefood.sources.manifests import Manifest

_PLACES = {
    "machine": "one machine, by the second",
    "fargate": "AWS Batch on Fargate",
    "fargate_spot": "AWS Batch on Fargate Spot",
    "lambda": "Lambda, one call a picture",
}


@click.command("plan")
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@source_options
@click.option("--output", metavar="DEST", help="Skip what has rows there, as the run would.")
@model_option
@model_digest_option
@engine_option
@click.option(
    "--cores", type=click.IntRange(min=1), metavar="N", help="Of the machine in question."
)
@click.option("--prices", metavar="FILE", help="Another price table.  [default: in the box]")
@click.option("--json", "as_json", is_flag=True, help="For machines, and for `classify --quote`.")
def plan_command(*, as_json: bool, **typed: Any) -> None:
    """Say what `seefood classify` would do with each SOURCE, take and cost. Touches nothing.

    Everything is listed, and a random sample is fetched and classified to measure its speed. Times
    and prices come with a 95 % interval; prices with the date of their table.

    \b
    Examples:
      seefood plan s3://photos/2026/ --output s3://labels/2026
      seefood plan ~/Pictures --json > quote.json
      seefood classify ~/Pictures --output results --quote quote.json
    """  # noqa: D301 (click's mark against re-wrapping)
    check_named(typed)
    from itertools import islice

    from seefood.classify import ClassifyOptions, Model
    from seefood.engines.loading import load_engine
    from seefood.engines.threads import available_cores
    from seefood.results.files import list_parts
    from seefood.results.ledger import read_ledger
    from seefood.runs import estimate
    from seefood.runs.pricing import default_prices, load_prices
    from seefood.sources.listing import Source, check_sources, list_sources, parse_source
    from seefood.storage.uris import parse_location

    prices = load_prices(Path(typed["prices"]) if typed["prices"] else default_prices())
    sources: list[Source | Manifest] = [*map(parse_source, typed["sources"]), *manifests(typed)]
    output = parse_location(typed["output"]) if typed["output"] else None
    check_sources(sources, output)
    bundle = named_bundle(typed["model"], typed["model_digest"])
    engine = load_engine(bundle, typed["engine"])
    parts = list_parts(output, bundle.digest) if output is not None else []
    ledger = read_ledger(part.uri for part in parts)
    refs = islice(list_sources(sources, output, selection(typed)), typed["limit"])
    found = estimate.survey(refs, ledger)
    here = available_cores()
    taken = estimate.measure(found.sample, engine, Model.of(bundle), ClassifyOptions(), here)
    work, seconds = estimate.quote(found, taken, typed["cores"] or here, 512)
    document = estimate.as_json(found, taken, work, seconds, prices)
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(document, typed["cores"] or here)


def _print(plan: "Mapping[str, Any]", cores: int) -> None:
    from seefood.cli.units import duration, size
    from seefood.sanitize import printable

    formats = [f"{n:,} {printable(name)}" for name, n in list(plan["formats"].items())[:6]]
    click.echo(
        f"{plan['listed']:,} objects listed, {plan['skipped_by_ledger']:,} done before, "
        f"{plan['due']:,} to classify: {size(plan['due_bytes'])}"
        + (f" ({', '.join(formats)})" if formats else "")
    )
    if not plan["due"]:
        return
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
    counts = plan["requests"]
    click.echo(f"Store  {counts['list']:,} LIST, {counts['get']:,} GET, {counts['put']:,} PUT")
    for place, words in _PLACES.items():
        usd = plan["usd"][place]
        shown = [f"${usd[key]:,.4f}" if usd[key] < 1 else f"${usd[key]:,.2f}" for key in usd]
        click.echo(f"Money  {words:<28} {shown[1]}  ({shown[0]} to {shown[2]})")
    click.echo(f"Prices {plan['prices']['name']}, {plan['prices']['date']}; requests included")
