"""`seefood report`: writes the report of finished results again."""

import click

from seefood.cli.profile_options import profile_option


@click.command("report")
@click.argument("dest")
@profile_option
@click.option(
    "--output",
    metavar="FILE",
    help="A file or URI for the page.  [default: report.html beside the latest run]",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def report_command(*, dest: str, output: str | None, show: bool) -> None:
    """Write the HTML report of the results below DEST again and print its location.

    DEST is the output of `seefood classify`. The page shows all rows of the latest run's model,
    including those of earlier runs and of uploads.

    \b
    Examples:
      seefood report results --open
      seefood report s3://labels/2026 --output report.html
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.report.writing import rewrite_report
    from seefood.runs.summary import shown
    from seefood.sanitize import printable
    from seefood.storage.uris import parse_location

    target = parse_location(output) if output else None
    location = rewrite_report(parse_location(dest), target)
    click.echo(printable(shown(location)))
    if show and location.is_local:
        import webbrowser

        webbrowser.open(location.uri)
    elif show:
        click.echo(
            "seefood: browsers cannot open pages in a bucket; give --output FILE with --open",
            err=True,
        )
