"""The page of `seefood like`: a contact sheet of the most similar pictures."""

from collections.abc import Sequence

from seefood.duplicates.page import Section
from seefood.likeness.found import Match
from seefood.pages import Tile
from seefood.records import ImageRef
from seefood.report.formatting import count_text, score_text, short_name
from seefood.report.render import TEMPLATES
from seefood.report.thumbnails import Fetch, make_thumbnails
from seefood.sanitize import printable


def make_like_page(picture: ImageRef, matches: Sequence[Match], output: str, fetch: Fetch) -> str:
    """Return the picture and those like it as one HTML page.

    A picture that cannot be shown has the reason instead.
    """
    thumbnails = make_thumbnails([picture, *(match.ref for match in matches)], fetch)
    own = Tile(short_name(picture.uri), printable(picture.uri), thumbnails[picture.uri])
    tiles = [
        Tile(
            name=short_name(match.ref.uri),
            uri=printable(match.ref.uri),
            thumbnail=thumbnails[match.ref.uri],
            label=printable(match.label or ""),
            score="" if match.score is None else score_text(match.score),
            link=match.ref.uri if match.ref.uri.startswith("file:") else "",
            note=f"similarity {match.similarity:.2f}",
        )
        for match in matches
    ]
    return TEMPLATES.render(
        "sheets.html",
        mark="like",
        skip="Skip to the pictures",
        title=f"{count_text(len(matches), 'picture')} like {short_name(picture.uri)}",
        lead=printable(output),
        figures=[],
        sections=[
            Section("picture", "The picture", "", [own]),
            Section("like", "Like it", "The most similar first.", tiles),
        ],
    )
