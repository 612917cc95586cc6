"""`seefood duplicates`: groups of equal and nearly equal pictures."""

import json
from typing import TYPE_CHECKING, Final

import click

from seefood.cli.profile_options import profile_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seefood.duplicates.groups import Group

_MAX_LINES: Final = 20
_DISTANCE: Final = 6


@click.command("duplicates")
@click.argument("dest", metavar="DEST")
@click.option(
    "--near",
    type=click.IntRange(0, 15),
    default=_DISTANCE,
    show_default=True,
    metavar="R",
    help="Bits of 64 in which the perceptual hashes of copies without features may differ.",
)
@click.option("--exact", is_flag=True, help="Only equal pictures, by entity tag and size.")
@click.option("--against", metavar="DEST2", help="Also find groups with pictures in both outputs.")
@click.option("--page", metavar="FILE", help="Write a page with a contact sheet of each group.")
@profile_option
@click.option("--json", "as_json", is_flag=True, help="Print all groups as one JSON document.")
def duplicates_command(
    *, dest: str, near: int, exact: bool, against: str | None, page: str | None, as_json: bool
) -> None:
    """Find equal and nearly equal pictures among those that `seefood classify` labelled below DEST.

    Equal pictures have one entity tag and size; local files, the same bytes. Nearly equal ones,
    such as resized, recompressed, brightened or slightly cropped copies, are found by their
    features (`classify --features`), or without those by their perceptual hashes. No picture is
    read again, apart from local files that may be equal. Each group has a best picture: the most
    pixels, then the most bytes, then the earliest. A group with two labels shows that one is wrong;
    with --against, one in both outputs shows that test pictures were trained on.

    \b
    Examples:
      seefood duplicates results --page copies.html
      seefood duplicates s3://labels/train --against s3://labels/test --json
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.duplicates.groups import find_groups, summary
    from seefood.duplicates.pictures import load_picture_vectors, load_pictures
    from seefood.storage import fetch, write
    from seefood.storage.uris import parse_location

    outputs = [parse_location(text) for text in (dest, against) if text]
    pictures = load_pictures(outputs)
    vectors = None if exact else load_picture_vectors(outputs)
    groups = find_groups(pictures, vectors, distance=None if exact else near, fetch=fetch)
    if against:
        groups = [group for group in groups if group.is_leak]
    if as_json:
        counts = summary(groups)
        document = {"groups": [group.as_json() for group in groups], **_counts(counts, against)}
        click.echo(json.dumps(document, ensure_ascii=True))
    else:
        _print(groups, len(pictures), by_features=vectors is not None)
    if page:
        from seefood.duplicates.page import make_duplicates_page
        from seefood.runs.summary import shown

        location = parse_location(page)
        html = make_duplicates_page(groups, pictures, dest, fetch)
        write(location, html.encode("utf-8", "backslashreplace"))
        click.echo(f"Page: {shown(location)}", err=as_json)


def _counts(counts: dict[str, int], against: str | None) -> dict[str, int | None]:
    return {
        "bytes_saved": counts["bytes_saved"],
        "straddling": counts["straddling"],
        "leaks": counts["leaks"] if against else None,
    }


def _print(groups: "Sequence[Group]", pictures: int, *, by_features: bool) -> None:
    from seefood.duplicates.groups import summary
    from seefood.sanitize import printable

    counts = summary(groups)
    click.echo(
        f"{counts['copies']:,} copies in {counts['groups']:,} groups among {pictures:,} pictures; "
        f"{counts['bytes_saved'] / 1e6:,.1f} MB could be saved"
    )
    if counts["straddling"]:
        click.echo(f"{counts['straddling']:,} groups have two labels, so one is wrong")
    if counts["leaks"]:
        click.echo(f"{counts['leaks']:,} groups are in both outputs")
    if not by_features:
        click.echo(
            "Compared by perceptual hash alone: `classify --features` finds cropped copies too",
            err=True,
        )
    for group in groups[:_MAX_LINES]:
        best, *others = group.members
        click.echo(f"{printable(best.uri)}  {' | '.join(map(printable, group.labels))}")
        for member in others[:_MAX_LINES]:
            click.echo(f"    {member.kind:5}  {printable(member.uri)}")
    if len(groups) > _MAX_LINES:
        click.echo(f"{len(groups) - _MAX_LINES:,} more groups with --json or --page")
