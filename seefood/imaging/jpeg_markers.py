"""Walks the markers of a JPEG (ITU T.81, annex B): its segments, its frame, its scans."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

START_OF_SCAN: Final = 0xDA
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xDA)})
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ARITHMETIC: Final = frozenset({0xC9, 0xCA})
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_KINDS: Final = {0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical",
                 0xC7: "hierarchical", 0xCB: "lossless", 0xCD: "hierarchical",
                 0xCE: "hierarchical", 0xCF: "hierarchical", 0xF7: "JPEG-LS"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker and its parameters, `data[start:end]`; the first two bytes are the marker."""

    marker: int
    start: int
    end: int

    @property
    def is_application(self) -> bool:
        """Whether it is one of APP0 to APP15."""
        return 0xE0 <= self.marker <= 0xEF


def segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG up to its first scan's header, which is not yielded.

    Bytes between segments are skipped, as libjpeg skips them.
    """
    at = 2
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data):
            return
        marker = data[at + 1]
        if marker in (0x00, 0xFF):
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        elif marker == START_OF_SCAN:
            return
        else:
            end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            if end < at + 4 or end > len(data):
                return
            yield Segment(marker, at, end)
            at = end


def unread_kind(data: bytes) -> str | None:
    """Return what makes this JPEG one that is not decoded; None for the usual kinds."""
    for segment in segments(data):
        if segment.marker in _KINDS:
            return _KINDS[segment.marker]
        if segment.marker in _FRAMES:
            bits, components = data[segment.start + 4], data[segment.start + 9 : segment.end][:1]
            if bits != 8:
                return f"{bits}-bit"
            if components and components[0] not in (1, 3, 4):
                return f"{components[0]}-component"
            return None
    return None


def is_arithmetic(data: bytes) -> bool:
    """Whether the coefficients are coded arithmetically (annex D)."""
    return any(segment.marker in _ARITHMETIC for segment in segments(data))


def is_complete(data: bytes) -> bool:
    """Whether the scans of this JPEG contain every coefficient of every component in full.

    It says nothing of the last scan's end.
    """
    components: set[int] = set()
    missing: set[tuple[int, int]] = set()
    """(component, coefficient) of which bits are still to come."""
    at = 2
    while True:
        match = _NEXT_MARKER.search(data, at)
        if match is None or match.start() + 4 > len(data):
            break
        at, marker = match.start(), data[match.start() + 1]
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : end]
        if marker in _FRAMES and len(body) >= 6 and not components:
            components = {body[6 + 3 * n] for n in range(body[5]) if 6 + 3 * n < len(body)}
            missing = {(each, k) for each in components for k in range(64)}
        elif marker == START_OF_SCAN and body and len(body) >= 4 + 2 * body[0]:
            first, last, shifts = body[1 + 2 * body[0] :][:3]
            if not shifts & 15:
                scanned = {body[1 + 2 * n] for n in range(body[0])}
                missing -= {(each, k) for each in scanned for k in range(first, last + 1)}
        at = end
    return bool(components) and not missing
