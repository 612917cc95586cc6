"""Collects what a listing says beside its objects: what it left out, and hints for the user."""

import logging
from collections import Counter
from typing import Final

from seefood.records import ListingNote
from seefood.storage.uris import parse_location

_MAX_TEXTS: Final = 100
_OTHERS: Final = "others, of which only the number is kept"
_log = logging.getLogger(__name__)


class ListingNotes:
    """The notes of one listing, as counted sentences; at most a hundred different ones."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()
        """Parts of a source that could not be listed: pictures may be missing."""
        self.remarks: Counter[str] = Counter()
        """What was left out on purpose, and hints."""

    def add(self, note: ListingNote) -> None:
        """Count the note."""
        counter = self.left_out if note.is_loss else self.remarks
        text = f"{_shown(note.uri)}: {note.text}" if note.uri else note.text
        if text not in counter and len(counter) >= _MAX_TEXTS:
            text = _OTHERS
        counter[text] += note.count
        _log.info("listing: %s", text)


def _shown(uri: str) -> str:
    location = parse_location(uri)
    return location.key if location.is_local else uri
