"""Reads the tags of a TIFF's first picture, and writes a TIFF of other tags over the same data.

TIFF 6.0, section 2; BigTIFF as in libtiff. Only the tags that decide pixels are read, so that no
other tag can fail a picture.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

_TYPE_BYTES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8,
                      13: 4, 16: 8, 17: 8, 18: 8}  # fmt: skip
_INTEGERS: Final = frozenset({1, 3, 4, 13, 16, 18})
_MAX_ENTRIES: Final = 4096
_MAX_VALUES: Final = 4_000_000


class Tag(IntEnum):
    """The tags that decide pixels, or that tell a camera's raw file."""

    SUBFILE_TYPE = 254
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    MAKE = 271
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTES = 279
    PLANAR = 284
    T4_OPTIONS = 292
    T6_OPTIONS = 293
    PREDICTOR = 317
    COLOR_MAP = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_BYTES = 325
    SUB_IFDS = 330
    INK_SET = 332
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    JPEG_TABLES = 347
    YCBCR_COEFFICIENTS = 529
    YCBCR_SUBSAMPLING = 530
    YCBCR_POSITIONING = 531
    REFERENCE_BLACK_WHITE = 532
    CFA_PATTERN = 33422
    DNG_VERSION = 50706


_OLD_JPEG: Final = frozenset(range(512, 522))
_KNOWN: Final = frozenset(Tag) | _OLD_JPEG
_DESCRIPTIVE: Final = frozenset(
    {Tag.SUBFILE_TYPE, Tag.MAKE, Tag.SUB_IFDS, Tag.CFA_PATTERN, Tag.DNG_VERSION}
)
_MAX_REDUCED: Final = 16  # the directories of a damaged file may form a circle
_PIXEL_TAGS: Final = _KNOWN - _DESCRIPTIVE


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag's value: its type and its bytes in the file's byte order."""

    type: int
    count: int
    value: bytes


@dataclass(frozen=True, slots=True)
class TiffTags:
    """The tags of one picture in a TIFF."""

    order: Literal["little", "big"]
    entries: dict[int, Entry]
    problem: str | None
    """Why not all of the tags that decide pixels are here; None if they are."""
    next_at: int = 0
    """Where the next picture's directory begins; 0 if there is none."""

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the integers of `tag`; none where it is absent or not of an integer type."""
        entry = self.entries.get(tag)
        if entry is None or entry.type not in _INTEGERS:
            return ()
        mark = "<" if self.order == "little" else ">"
        code = {1: "B", 2: "H", 4: "L", 8: "Q"}[_TYPE_BYTES[entry.type]]
        return struct.unpack(f"{mark}{entry.count}{code}", entry.value)

    def number(self, tag: int, default: int) -> int:
        """Return the first integer of `tag`."""
        return next(iter(self.numbers(tag)), default)


def main_picture(data: bytes, first: TiffTags) -> tuple[TiffTags, int]:
    """Return the tags and the number of the first picture that is no reduced copy of another.

    `first` are the tags of the first picture, and what is returned if all are reduced. In a
    truncated file the next picture's tags may not be there: it is returned with its `problem`.
    """
    tags, number = first, 0
    while tags.number(Tag.SUBFILE_TYPE, 0) & 1 and tags.next_at and number < _MAX_REDUCED:
        tags, number = read_tags(data, tags.next_at), number + 1
        if not tags.number(Tag.SUBFILE_TYPE, 0) & 1:
            return tags, number
    return first, 0


def read_tags(data: bytes, at: int = 0) -> TiffTags:
    """Return the known tags of the picture in a TIFF or BigTIFF whose directory begins at `at`.

    By default of the first picture. Only what is there is returned.
    """
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    wide = b"+" in data[2:4]
    count_bytes, word = (8, 8) if wide else (2, 4)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    at = at or number(8 if wide else 4, word)
    count = min(number(at, count_bytes), _MAX_ENTRIES)
    first, each = at + count_bytes, 4 + 2 * word
    problem = None if first + each <= len(data) else "its tags are not there"
    entries: dict[int, Entry] = {}
    for entry_at in range(first, min(first + count * each, len(data)), each):
        tag, kind = number(entry_at, 2), number(entry_at + 2, 2)
        if entry_at + each > len(data):
            problem = problem or "its tags are not complete"
        elif tag in _KNOWN and kind in _TYPE_BYTES and tag not in entries:
            values = number(entry_at + 4, word)
            size = values * _TYPE_BYTES[kind]
            value_at = entry_at + 4 + word
            if size > word:
                value_at = number(value_at, word)
            value = data[value_at : value_at + size] if values <= _MAX_VALUES else b""
            if len(value) == size:
                entries[tag] = Entry(kind, values, value)
            elif tag in _PIXEL_TAGS:
                problem = problem or f"the values of tag {tag} are not there"
    return TiffTags(order, entries, problem, number(first + count * each, word))


def write_tags(data: bytes, pages: list[dict[int, tuple[int, ...]]]) -> bytes:
    """Return `data` as a TIFF of the given `pages`, each the integers of its tags.

    The offsets in `pages` are those in `data`. One copy of `data` is made.
    """
    out = bytearray(data)
    out += b"\0" * (len(out) % 2)
    out[:8] = b"II*\0" + struct.pack("<L", len(out))
    for number, page in enumerate(pages):
        long_values, directory = bytearray(), bytearray(struct.pack("<H", len(page)))
        after = len(out) + 2 + 12 * len(page) + 4
        for tag, values in sorted(page.items()):
            packed = struct.pack(f"<{len(values)}L", *values)
            if len(values) == 1:
                directory += struct.pack("<HHL", tag, 4, 1) + packed
            else:
                directory += struct.pack("<HHLL", tag, 4, len(values), after + len(long_values))
                long_values += packed
        last = number + 1 == len(pages)
        directory += struct.pack("<L", 0 if last else after + len(long_values))
        out += directory + long_values
    return bytes(out)


def rewrite_tags(data: bytes, tags: TiffTags) -> bytes:
    """Return `data` with a directory of the tags that decide pixels, and no other."""
    mark = "<" if tags.order == "little" else ">"
    head = (b"II*\0" if tags.order == "little" else b"MM\0*") + b"\0\0\0\0"
    kept = {tag: entry for tag, entry in sorted(tags.entries.items()) if tag in _PIXEL_TAGS}
    out = bytearray(data)
    out += b"\0" * (len(out) % 2)
    out[:8] = head[:4] + struct.pack(f"{mark}L", len(out))
    after = len(out) + 2 + 12 * len(kept) + 4
    long_values, directory = bytearray(), bytearray(struct.pack(f"{mark}H", len(kept)))
    for tag, entry in kept.items():
        kind, value = entry.type, entry.value
        if kind in (16, 18):  # a classic TIFF has no 8-byte integers
            numbers = tags.numbers(Tag(tag))
            kind, value = 4, struct.pack(f"{mark}{len(numbers)}L", *numbers)
        directory += struct.pack(f"{mark}HHL", tag, kind, entry.count)
        if len(value) <= 4:
            directory += value.ljust(4, b"\0")
        else:
            directory += struct.pack(f"{mark}L", after + len(long_values))
            long_values += value + b"\0" * (len(value) % 2)
    out += directory + struct.pack(f"{mark}L", 0) + long_values
    return bytes(out)
