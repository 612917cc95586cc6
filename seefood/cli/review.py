"""`seefood review`: correct labels in the browser, by keyboard."""

from typing import Any

import click

from seefood.cli.profile_options import profile_option


@click.command("review")
@click.argument("dest")
@profile_option
@click.option("--reviewer", metavar="NAME", help="Who answers.  [default: you]")
@click.option(
    "--labels", metavar="A,B", multiple=True, help="Labels to choose from, beside the model's."
)
@click.option(
    "--model",
    metavar="BUNDLE",
    help="The bundle that made the rows, for heat maps.  [default: a built-in one]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="0 takes a free one.  [default: 8017, or a free one]",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; 0.0.0.0 lets a phone in that has the address.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def review_command(*, dest: str, port: int | None, host: str, show: bool, **options: Any) -> None:
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
    from seefood.cli.options import model_path
    from seefood.corrections.known_labels import parse_labels
    from seefood.review.output_queue import OutputQueue
    from seefood.review.reviewer import reviewer_name
    from seefood.review.server import listen_somewhere, serve_queue
    from seefood.storage.uris import parse_location

    labels = parse_labels(options["labels"])
    reviewer = reviewer_name(options["reviewer"])
    model = model_path(options["model"]) if options["model"] else None
    queue = OutputQueue(parse_location(dest), reviewer, labels)
    queue.start()
    listener = listen_somewhere(host, port)

    def say(text: str) -> None:
        click.echo(text, err=True)
        if show and text.startswith("Open "):
            import webbrowser

            webbrowser.open(text.removeprefix("Open "))

    serve_queue(queue, listener, host, say, model)
