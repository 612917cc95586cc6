"""`seefood classify`: the batch job."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from seefood.cli.json_log import progress_style
from seefood.cli.limit_options import classify_options, limit_options
from seefood.cli.listing_notes import INCOMPLETE, print_listing_notes
from seefood.cli.numbers import FloatRange
from seefood.cli.options import (
    FastCommand,
    chosen_model,
    engine_option,
    fast_option,
    model_digest_option,
    model_option,
    top_k_option,
)
from seefood.cli.profile_options import (
    profile_options,
    refuse_profiles_elsewhere,
    use_output_profile,
)
from seefood.cli.source_options import check_named, manifests, selection, source_options
from seefood.cli.warm_up import start_worker_early
from seefood.engines.threads import compute_threads
from seefood.results.formats import format_names

if TYPE_CHECKING:
    from seefood.runs.progress import Style
    from seefood_pipeline.account import Outcome

TOO_MANY_FAILED: Final = 3
DRIFT: Final = 4
_REASONS: Final = 3


@click.command("classify", cls=FastCommand)
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@source_options
@click.option("--output", required=True, metavar="DEST", help="A folder or URI for the results.")
@profile_options
@model_option
@model_digest_option
@click.option(
    "--format",
    "file_format",
    type=click.Choice(format_names()),
    default="parquet",
    show_default=True,
    help="Of the result objects.",
)
@top_k_option
@engine_option
@fast_option
@limit_options
@click.option(
    "--features",
    is_flag=True,
    envvar="SEEFOOD_FEATURES",
    help="Also store each picture's features, for duplicates, like and teach (1.3 kB each).",
)
@click.option(
    "--max-failure-ratio",
    type=FloatRange(0.0, 1.0),
    default=1.0,
    show_default=True,
    metavar="R",
    help="Stop, with exit code 3, once a larger share has failed (of at least 100 pictures).",
)
@click.option(
    "--shard",
    metavar="I/N",
    help="Classify part I (from 0) of N only; `batch` takes I and N from AWS Batch.",
)
@click.option("--quote", metavar="FILE", help="Output of `plan --json`, to compare with.")
@click.option("--force", is_flag=True, help="Also classify pictures that have a row already.")
@click.option(
    "--fail-on-drift",
    is_flag=True,
    help="End with exit code 4 if the pictures differ from those of the last runs; in a first run, "
    "from the training pictures.",
)
@click.option("--no-report", is_flag=True, help="Write no report.html.")
@click.option(
    "--chunk-size",
    type=click.IntRange(1, 100_000),
    default=512,
    show_default=True,
    metavar="N",
    help="Pictures in one result object; a crash loses no more.",
)
@click.option(
    "--metrics",
    metavar="FILE",
    help="Write the run's measures for Prometheus: for the node exporter's textfile collector.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of a table.")
@click.pass_obj
def classify_command(beam: Sequence[str], /, *, quiet: bool, **params: Any) -> int:
    """Label every picture of each SOURCE and write one row per picture below DEST.

    SOURCE is a folder, a file, a glob, or a URI (s3://, gs://, az://, file://): a prefix or a glob.
    A manifest lists pictures: txt, csv, jsonl, Parquet, or an S3 Inventory's manifest.json.
    Pictures that have a row of this model already are skipped. Beam's options follow after `--`.

    \b
    Examples:
      seefood classify ~/Pictures --output results
      seefood classify 's3://photos/2026/**/*.jpg' --output s3://labels
      seefood classify ~/Pictures --output results --fast
      seefood classify --manifest s3://lists/new.csv --output s3://labels
      seefood classify s3://photos/ --output s3://labels -- --runner=FlinkRunner \\
        --flink_master=localhost:8081
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.cli.failures import code_of
    from seefood.cli.requirements import require
    from seefood.runs.metrics import measured

    require("classify", "beam", "apache_beam")
    metrics = Path(params["metrics"]) if params["metrics"] else None
    with measured(metrics, params["output"], code_of, _tell_note) as run:
        outcome = _classify(beam, params, progress_style(quiet=quiet))
        run.summary = outcome.summary
        run.exit_code = _tell(outcome, {**params, "quiet": quiet})
    return run.exit_code


def _classify(beam: Sequence[str], params: dict[str, Any], style: "Style") -> "Outcome":
    """Run the job that the options describe."""
    use_output_profile(params["output"], params["output_profile"])
    refuse_profiles_elsewhere(beam)
    start_worker_early(compute_threads(params["engine"]))
    from seefood.runs.run_spec import ChunkSize, RunOptions
    from seefood.runs.sharding import parse_shard
    from seefood_pipeline.beam_import import import_in_background
    from seefood_pipeline.launcher import launch
    from seefood_pipeline.request import Request

    check_named(params)
    chosen = chosen_model(params)
    options = RunOptions(
        engine=chosen.engine,
        file_format=params["file_format"],
        classify=classify_options(params),
        chunk=ChunkSize(pictures=params["chunk_size"]),
        selection=selection(params),
        limit=params["limit"],
        max_failure_ratio=params["max_failure_ratio"],
        force=params["force"],
    )
    request = Request(
        sources=(*params["sources"], *manifests(params)),
        output=params["output"],
        bundle=chosen.path,
        options=options,
        digest=chosen.digest,
        shard=parse_shard(params["shard"], os.environ) if params["shard"] else None,
        quote=Path(params["quote"]) if params["quote"] else None,
        report=not params["no_report"],
        beam_arguments=tuple(beam),
    )
    if not beam:
        report = ("seefood.report",) if request.report else ()
        import_in_background("seefood_pipeline.outcome_table", *report)
    return launch(request, style)


def _tell_note(note: str) -> None:
    from seefood.sanitize import printable, redacted

    click.echo(f"seefood: {printable(redacted(note))}", err=True)


def _tell(outcome: "Outcome", params: dict[str, Any]) -> int:
    """Print the outcome and return the exit code."""
    from seefood_pipeline.outcome_table import print_outcome

    if params["as_json"]:
        text = json.dumps(outcome.summary, indent=2, ensure_ascii=False)
        click.echo(text.encode("utf-8", "backslashreplace"))  # a path may have any bytes
    else:
        print_outcome(outcome)
    print_listing_notes(outcome.summary["left_out"], outcome.summary["remarks"])
    if outcome.failure_ratio > params["max_failure_ratio"]:
        click.echo(
            f"seefood: {outcome.failure_ratio:.1%} of the pictures failed, more than the "
            f"{params['max_failure_ratio']:.1%} that --max-failure-ratio allows; "
            + ("the job stopped early, " if outcome.summary["stopped_early"] else "")
            + "rows that were written are kept",
            err=True,
        )
        return TOO_MANY_FAILED
    from seefood.runs.nothing_read import nothing_read
    from seefood.storage.uris import parse_location

    cause = nothing_read(outcome.summary, parse_location(params["output"]))
    if cause is not None:
        _tell_note(f"{cause}; the rows are kept, and the next run tries the pictures again")
        return 1
    drift = outcome.summary["drift"]
    if note := drift_text(drift, is_asked=params["fail_on_drift"], is_quiet=params["quiet"]):
        click.echo(f"seefood: {note}", err=True)
    if params["fail_on_drift"] and drift["alarm"]:
        return DRIFT
    return INCOMPLETE if outcome.summary["left_out"] else 0


def drift_text(drift: Mapping[str, Any], *, is_asked: bool, is_quiet: bool) -> str | None:
    """Return what is printed about a run's `drift`, if anything.

    Pictures of most users differ from the training pictures, so a difference from these is printed
    only if it was asked for; the report has it.
    """
    from seefood.drift.changes import MIN_PICTURES
    from seefood.sanitize import printable

    has_runs = drift["compared_with"].get("pictures", 0) > 0
    if is_asked and not (has_runs or drift["compared_with"].get("training_pictures")):
        return (
            f"--fail-on-drift compared nothing: it takes at least {MIN_PICTURES} new pictures, and "
            "as many in the last runs or among the bundle's training pictures"
        )
    if not drift["alarm"] or not (is_asked or (has_runs and not is_quiet)):
        return None
    reasons = printable("; ".join(drift["reasons"][:_REASONS]))
    before = "what was before" if has_runs else "the training pictures"
    return f"the pictures differ from {before}: {reasons}"
