"""The page of `seefood duplicates`: a contact sheet of each group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from seefood.duplicates.groups import Fetch, Group, Member, summary
from seefood.duplicates.pictures import Pictures
from seefood.pages import Thumbnail, Tile
from seefood.records import ImageRef
from seefood.report.formatting import count_text, short_name
from seefood.report.render import TEMPLATES
from seefood.report.thumbnails import make_thumbnails
from seefood.sanitize import printable

_MAX_GROUPS: Final = 100
_MAX_MEMBERS: Final = 12


@dataclass(frozen=True, slots=True)
class Section:
    """One contact sheet of a page."""

    anchor: str
    title: str
    note: str
    tiles: list[Tile]


def make_duplicates_page(
    groups: Sequence[Group], pictures: Pictures, output: str, fetch: Fetch
) -> str:
    """Return the groups as one HTML page: leaks and conflicts of labels first, then by bytes.

    Shows at most 100 groups with 12 pictures each; a picture that cannot be shown has the reason.
    """
    ordered = sorted(groups, key=lambda group: (not group.is_leak, len(group.labels) < 2))
    shown = ordered[:_MAX_GROUPS]
    members = [each for group in shown for each in group.members[:_MAX_MEMBERS]]
    refs = (ImageRef(each.uri, size_bytes=int(pictures.sizes[each.index])) for each in members)
    thumbnails = make_thumbnails(refs, fetch)
    counts = summary(groups)
    sections = [
        _section(number, group, pictures, thumbnails) for number, group in enumerate(shown, 1)
    ]
    return TEMPLATES.render(
        "sheets.html",
        mark="duplicates",
        skip="Skip to the groups",
        title=f"{_copies(counts['copies'])} in {count_text(len(groups), 'group')}",
        lead=printable(output),
        figures=[
            ("Could be saved", f"{counts['bytes_saved'] / 1e6:,.1f} MB"),
            ("Groups with two labels", f"{counts['straddling']:,}"),
            ("Groups in both outputs", f"{counts['leaks']:,}"),
            ("Shown here", f"{len(shown):,}"),
        ],
        sections=sections,
    )


def _copies(count: int) -> str:
    return f"{count:,} {'copy' if count == 1 else 'copies'}"


def _section(
    number: int, group: Group, pictures: Pictures, thumbnails: dict[str, Thumbnail]
) -> Section:
    notes = [f"{group.bytes_saved / 1e6:,.2f} MB could be saved."]
    if len(group.labels) > 1:
        notes.append(f"Labels differ, so one is wrong: {', '.join(group.labels)}.")
    if group.is_leak:
        notes.append("It is in both outputs: a test on one of them is no test.")
    if (more := len(group.members) - _MAX_MEMBERS) > 0:
        notes.append(f"{more:,} more are not shown.")
    title = f"{short_name(group.members[0].uri)} and {_copies(len(group.members) - 1)}"
    tiles = [
        _tile(member, at, pictures, thumbnails)
        for at, member in enumerate(group.members[:_MAX_MEMBERS])
    ]
    return Section(f"group-{number}", title, printable(" ".join(notes)), tiles)


def _tile(
    member: Member, position: int, pictures: Pictures, thumbnails: dict[str, Thumbnail]
) -> Tile:
    label = int(pictures.labels[member.index])
    size = f"{pictures.sizes[member.index] / 1e3:,.0f} kB"
    note = f"{member.kind if position else 'best'}, {size}"
    return Tile(
        name=short_name(member.uri),
        uri=printable(member.uri),
        thumbnail=thumbnails[member.uri],
        label=printable(pictures.names[label]) if label >= 0 else "",
        link=member.uri if member.uri.startswith("file:") else "",
        note=note,
    )
