"""`seefood review`: correct labels in the browser, by keyboard."""

from typing import Any

import click

from seefood.cli.page_options import page_options, serve_page
from seefood.cli.profile_options import profile_option


@click.command("review")
@click.argument("dest")
@profile_option
@click.option(
    "--model",
    metavar="BUNDLE",
    help="The bundle that made the rows, for heat maps.  [default: a built-in one]",
)
@page_options
def review_command(*, dest: str, model: str | None, **options: Any) -> None:
    """Check and correct the labels below DEST on a local page, by keyboard.

    Digits choose a label, Enter agrees, arrows move, U takes back, G shows a grid, H shows where
    the model looked, / filters and orders. Each answer is written to DEST/corrections before the
    next picture shows; several people can work at once.

    \b
    Examples:
      seefood review results
      seefood review s3://labels/2026 --reviewer ada --labels "hotdog,corn dog"
      seefood review results --host 0.0.0.0
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.bundle import load_bundle
    from seefood.cli.options import model_path
    from seefood.corrections.known_labels import parse_labels
    from seefood.review.output_queue import OutputQueue
    from seefood.review.reviewer import reviewer_name
    from seefood.storage.uris import parse_location

    labels = parse_labels(options["labels"])
    reviewer = reviewer_name(options["reviewer"])
    bundle = load_bundle(model_path(model)).path if model else None
    queue = OutputQueue(parse_location(dest), reviewer, labels)
    queue.start()
    try:
        page = {name: options[name] for name in ("host", "port", "show")}
        serve_page(queue, **page, model=bundle)
    finally:
        queue.stop()
