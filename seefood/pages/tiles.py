"""A picture of a contact sheet, as the macro `sheet` of `parts.html` draws it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture, or the reason why there is none."""

    data_uri: str = ""
    """Empty if there is a `reason`."""
    width: int = 0
    height: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture with its label."""

    name: str
    """The last part of its URI."""
    uri: str
    thumbnail: Thumbnail
    label: str = ""
    score: str = ""
    tone: str = "other"
    """A class of `document.css` that gives the label its colour."""
    unsure: bool = False
    link: str = ""
    """The `file:` URI that a click opens; empty for pictures in buckets."""
    note: str = ""
    """A line below the label."""
