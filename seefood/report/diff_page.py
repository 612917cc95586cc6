"""The page of `seefood diff`: counts and contact sheets of the changes."""

from dataclasses import dataclass

from seefood.corrections.verdict import Verdict
from seefood.pages import Thumbnail, Tile
from seefood.records import Row
from seefood.report.formatting import count_text, score_text, short_name, shown_uri
from seefood.report.render import TEMPLATES
from seefood.report.thumbnails import Fetch, make_thumbnails
from seefood.results.diff import Change, Diff, Kind
from seefood.sanitize import printable

_MAX_DECISIVE = 48
_TITLES = {
    Kind.LABEL: ("Another label", "Those with the highest scores on both sides first."),
    Kind.THRESHOLD: (
        "Across the threshold",
        "The same label, but above the threshold on one side only.",
    ),
    Kind.FAILED: ("Failed now", "These had a label before."),
    Kind.RECOVERED: ("Labelled now", "These had failed before."),
    Kind.APPEARED: ("Appeared", "Only in the second set."),
    Kind.VANISHED: ("Vanished", "Only in the first set."),
}


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of change."""

    anchor: str
    title: str
    note: str
    tiles: list[Tile]


def make_diff_page(
    diff: Diff, before: str, after: str, fetch: Fetch, verdict: Verdict | None = None
) -> str:
    """Return the comparison as one HTML page that shows its pictures; see `make_report`.

    The pictures that decide a `verdict` come first, at most 48 of each side.
    """
    shown = [change for changes in diff.shown.values() for change in changes]
    decisive = _decisive(verdict or Verdict())
    shown += [change for _, _, changes in decisive for change, _ in changes[:_MAX_DECISIVE]]
    thumbnails = make_thumbnails((change.row.ref for change in shown), fetch)
    sections = [
        Section(
            anchor,
            f"{title}: {len(changes):,}",
            "People have labelled these.",
            [_tile(change, thumbnails[change.row.uri]) for change, _ in changes[:_MAX_DECISIVE]],
        )
        for anchor, title, changes in decisive
        if changes
    ] + [
        Section(
            f"kind-{kind}",
            f"{title}: {diff.counts[kind]:,}",
            note,
            [_tile(change, thumbnails[change.row.uri]) for change in diff.shown[kind]],
        )
        for kind, (title, note) in _TITLES.items()
        if kind in diff.shown
    ]
    figures = [(_TITLES[kind][0], f"{diff.counts[kind]:,}") for kind in _TITLES]
    return TEMPLATES.render(
        "sheets.html",
        mark="diff",
        skip="Skip to the changes",
        title=f"{diff.changed:,} of {count_text(diff.counts.total(), 'picture')} changed",
        lead=f"{printable(before)} → {printable(after)}",
        figures=[*figures, ("Replaced in between", f"{diff.replaced:,}")],
        sections=sections,
    )


def _decisive(verdict: Verdict) -> list[tuple[str, str, list[tuple[Change, str]]]]:
    return [
        ("only-before", "Only the first is right", verdict.only_before),
        ("only-after", "Only the second is right", verdict.only_after),
    ]


def _tile(change: Change, thumbnail: Thumbnail) -> Tile:
    row = change.row
    return Tile(
        name=short_name(row.uri),
        uri=shown_uri(row.uri),
        link=row.uri if row.uri.startswith("file:///") else "",
        label=" → ".join(dict.fromkeys(_label(side) for side in _sides(change))),
        score=" → ".join(
            score_text(side.score) for side in _sides(change) if side.score is not None
        ),
        thumbnail=thumbnail,
    )


def _sides(change: Change) -> list[Row]:
    return [row for row in (change.before, change.after) if row is not None]


def _label(row: Row) -> str:
    label = ", ".join(name for name, _ in row.scored_labels)
    return printable(label or row.error_code or "failed")
