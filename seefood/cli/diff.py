"""`seefood diff`: compares two result sets."""

import json
from typing import TYPE_CHECKING

import click

from seefood.cli.profile_options import profile_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seefood.results.diff import Change, Diff

_MAX_LINES = 20
_KIND_TEXTS = {
    "label": "another label",
    "threshold": "across the threshold",
    "failed": "failed now",
    "recovered": "labelled now",
    "appeared": "appeared",
    "vanished": "vanished",
    "same": "the same",
}


@click.command("diff")
@click.argument("before", metavar="DEST_A")
@click.argument("after", metavar="DEST_B")
@profile_option
@click.option("--page", metavar="FILE", help="Write a page with contact sheets of the changes.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print every change as a JSON object, one a line."
)
def diff_command(*, before: str, after: str, page: str | None, as_json: bool) -> None:
    """Compare the results below DEST_A with those below DEST_B, of two models or of two runs.

    DEST is the `--output` of `seefood classify`. If several models wrote there, name the folder of
    one, DEST/results/digest=…. Pictures are matched by URI, and the latest row counts.

    \b
    Examples:
      seefood diff results/2026-11-22 results/2026-11-23
      seefood diff s3://l/results/digest=0a1b2c3d4e5f s3://l/results/digest=5f4e3d2c1b0a \\
        --page flips.html
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.results.diff import changes, compare, latest_rows, parse_side

    sides = [latest_rows(*parse_side(text)) for text in (before, after)]
    diff = compare(_printed(changes(*sides)) if as_json else changes(*sides))
    if not as_json:
        _print(diff)
    if page:
        from seefood.report.diff_page import make_diff_page
        from seefood.runs.summary import shown
        from seefood.storage import fetch, write
        from seefood.storage.uris import parse_location

        location = parse_location(page)
        html = make_diff_page(diff, before, after, fetch)
        write(location, html.encode("utf-8", "backslashreplace"))
        click.echo(f"Page: {shown(location)}", err=as_json)


def _printed(pictures: "Iterable[Change]") -> "Iterator[Change]":
    """Print each change as a JSON object, and yield all pictures."""
    from seefood.results.diff import Kind

    for change in pictures:
        if change.kind is not Kind.SAME:
            click.echo(json.dumps(change.as_json(), ensure_ascii=True))
        yield change


def _print(diff: "Diff") -> None:
    from seefood.results.diff import Kind
    from seefood.sanitize import printable

    click.echo(f"{diff.compared:,} pictures in both, {diff.changed:,} changed")
    for kind in Kind:
        if diff.counts[kind]:
            click.echo(f"{diff.counts[kind]:>9,}  {_KIND_TEXTS[kind]}")
    if diff.replaced:
        click.echo(f"{diff.replaced:>9,}  of them replaced by another picture in the meantime")
    for (old, new), count in diff.flips.most_common(_MAX_LINES):
        click.echo(f"{count:>9,}  {printable(old)} -> {printable(new)}")
    for change in diff.shown.get(Kind.LABEL, [])[:_MAX_LINES]:
        click.echo(_line(change))


def _line(change: "Change") -> str:
    from seefood.sanitize import printable

    sides = [
        f"{printable(row.label or row.error_code or '')} {row.score or 0.0:.1%}"
        for row in (change.before, change.after)
        if row is not None
    ]
    return f"{printable(change.row.uri)}  {' -> '.join(sides)}"
