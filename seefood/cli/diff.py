"""`seefood diff`: what changed between two result sets."""

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from seefood.results.diff import Change, Diff

_LISTED = 20
_WORDS = {
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
@click.option("--page", metavar="FILE", help="Write a page with contact sheets of the changes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a change, all of them.")
def diff_command(*, before: str, after: str, page: str | None, as_json: bool) -> None:
    """Compare the results below DEST_A with those below DEST_B: two models, or two nights.

    DEST is what was given to `seefood classify --output`; where several models wrote there, name
    one's folder, DEST/results/digest=…. Pictures are matched by URI, and the latest row counts.

    \b
    Examples:
      seefood diff results/2026-11-22 results/2026-11-23
      seefood diff s3://l/results/digest=0a1b2c3d4e5f s3://l/results/digest=5f4e3d2c1b0a \\
        --page flips.html
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.results.diff import Kind, changes, compare, latest_rows, parse_side

    sides = [latest_rows(*parse_side(text)) for text in (before, after)]
    found = changes(*sides)
    if as_json:
        found = list(found)  # type: ignore[assignment]
        for change in found:
            if change.kind is not Kind.SAME:
                click.echo(json.dumps(change.as_json(), ensure_ascii=True))
    diff = compare(found)
    if not as_json:
        _print(diff)
    if page:
        from seefood.report.difference import difference_page
        from seefood.runs.summary import shown
        from seefood.storage import fetch, write
        from seefood.storage.uris import parse_location

        location = parse_location(page)
        html = difference_page(diff, before, after, fetch)
        write(location, html.encode("utf-8", "backslashreplace"))
        click.echo(f"Page: {shown(location)}", err=as_json)


def _print(diff: "Diff") -> None:
    from seefood.results.diff import Kind
    from seefood.sanitize import printable

    click.echo(f"{diff.compared:,} pictures in both, {diff.changed:,} changed")
    for kind in Kind:
        if diff.counts[kind]:
            click.echo(f"{diff.counts[kind]:>9,}  {_WORDS[kind]}")
    if diff.replaced:
        click.echo(f"{diff.replaced:>9,}  of them replaced by another picture in between")
    for (one, two), count in diff.flips.most_common(_LISTED):
        click.echo(f"{count:>9,}  {printable(one)} -> {printable(two)}")
    for change in diff.shown.get(Kind.LABEL, [])[:_LISTED]:
        click.echo(_line(change))


def _line(change: "Change") -> str:
    from seefood.sanitize import printable

    sides = [
        f"{printable(row.label or row.error_code or '')} {row.score or 0.0:.1%}"
        for row in (change.before, change.after)
        if row is not None
    ]
    return f"{printable(change.row.uri)}  {' -> '.join(sides)}"
