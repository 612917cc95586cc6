"""`seefood classify`: the bulk job, from what was typed to a report and an exit code."""

import json
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import click

from seefood.cli.limit_options import classify_options, limit_options
from seefood.cli.options import (
    engine_option,
    model_digest_option,
    model_option,
    model_path,
    top_k_option,
)
from seefood.cli.source_options import check_named, manifests, selection, source_options
from seefood.cli.warm_up import get_ready
from seefood.engines.threads import compute_threads

# Written out, because its home imports NumPy and `--help` must be instant; a test compares.
FORMATS: Final = ("parquet", "jsonl", "csv")
TOO_MANY_FAILED: Final = 3


@click.command("classify")
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@source_options
@click.option("--output", required=True, metavar="DEST", help="A folder or URI for the results.")
@model_option
@model_digest_option
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="parquet",
    show_default=True,
    help="Of the result objects.",
)
@top_k_option
@engine_option
@limit_options
@click.option(
    "--max-failure-ratio",
    type=click.FloatRange(0.0, 1.0),
    default=1.0,
    show_default=True,
    metavar="R",
    help="Stop, with exit code 3, once a larger share has failed (of at least 100 pictures).",
)
@click.option(
    "--shard",
    metavar="I/N",
    help="Take part I (from 0) of N only; `batch`: as the AWS Batch array job says.",
)
@click.option("--quote", metavar="FILE", help="What `plan --json` said, to compare with.")
@click.option("--force", is_flag=True, help="Classify again what has a row already.")
@click.option("--no-report", "report", flag_value=False, default=True, help="Write no report.html.")
@click.option(
    "--chunk-size",
    type=click.IntRange(1, 100_000),
    default=512,
    show_default=True,
    metavar="N",
    help="Pictures in one result object: what a crash can lose.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of a table.")
@click.pass_obj
def classify_command(beam: Sequence[str], /, *, quiet: bool, **typed: Any) -> int:
    """Label every picture of each SOURCE and write one row per picture below DEST.

    SOURCE is a folder, a file, a glob, or a URI (s3://, gs://, az://, file://): a prefix or a glob.
    A picture that has a row of this model already is skipped. Behind `--` stand Beam's own options.
    A manifest lists pictures: txt, csv, jsonl, Parquet, or an S3 Inventory's manifest.json.

    \b
    Examples:
      seefood classify ~/Pictures --output results
      seefood classify 's3://photos/2026/**/*.jpg' --output s3://labels/2026 --format jsonl
      seefood classify --manifest s3://lists/manifest.json --output s3://labels --since 36h
      seefood classify s3://photos/ --output s3://labels -- --runner=FlinkRunner \\
        --flink_master=localhost:8081
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.errors import UsageError

    if find_spec("apache_beam") is None or find_spec("pyarrow") is None:
        raise UsageError(
            "`seefood classify` needs Apache Beam, which is not installed; "
            'run `pip install "seefood[beam]"`'
        )
    get_ready(compute_threads(typed["engine"]))
    from seefood.runs.sharding import parse_shard
    from seefood.workers.chunks import ChunkSize
    from seefood_pipeline.launcher import Request, launch
    from seefood_pipeline.light import import_in_background

    check_named(typed)
    request = Request(
        sources=tuple(typed["sources"]),
        output=typed["output"],
        bundle=model_path(typed["model"], typed["model_digest"]),
        digest=typed["model_digest"],
        engine=typed["engine"],
        form=typed["form"],
        settings=classify_options(typed),
        chunk=ChunkSize(pictures=typed["chunk_size"]),
        limit=typed["limit"],
        manifests=manifests(typed),
        selection=selection(typed),
        max_failure_ratio=typed["max_failure_ratio"],
        quote=Path(typed["quote"]) if typed["quote"] else None,
        shard=parse_shard(typed["shard"], os.environ) if typed["shard"] else None,
        force=typed["force"],
        report=typed["report"],
        beam_arguments=tuple(beam),
    )
    if not beam:
        import_in_background("seefood_pipeline.outcome_table")
    outcome = launch(request, "quiet" if quiet else "auto")
    from seefood_pipeline.outcome_table import print_outcome

    if typed["as_json"]:
        text = json.dumps(outcome.summary, indent=2, ensure_ascii=False)
        click.echo(text.encode("utf-8", "backslashreplace"))  # a path may hold any bytes
    else:
        print_outcome(outcome)
    if outcome.failure_ratio > typed["max_failure_ratio"]:
        click.echo(
            f"seefood: {outcome.failure_ratio:.1%} of the pictures failed, more than the "
            f"{typed['max_failure_ratio']:.1%} that --max-failure-ratio allows; "
            + ("the job stopped early, " if outcome.summary["stopped_early"] else "")
            + "what was written is kept",
            err=True,
        )
        return TOO_MANY_FAILED
    return 0
