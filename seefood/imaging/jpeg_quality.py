"""Tells how strongly a JPEG is compressed, from its quantisation table.

The Independent JPEG Group's library scales one standard table by a quality of 1 to 100 (ITU T.81,
annex K, table K.1; libjpeg's `jpeg_set_quality`), and so do most programs. The scale is recovered
from the table's sum. Programs with tables of their own get the quality whose table is as coarse.
"""

from typing import Final

from seefood.imaging.jpeg_markers import segments

_TABLES: Final = 0xDB
_VALUES: Final = 64
_STANDARD_SUM: Final = 3688
"""Of the standard luminance table."""


def jpeg_quality(data: bytes) -> int | None:
    """Return the quality of the JPEG in `data`, in [1, 100]; None if it has no luminance table."""
    total = _luminance_sum(data)
    if total is None:
        return None
    percent = 100 * total / _STANDARD_SUM
    quality = (200 - percent) / 2 if percent <= 100 else 5000 / percent
    return min(100, max(1, round(quality)))


def _luminance_sum(data: bytes) -> int | None:
    for segment in segments(data):
        if segment.marker != _TABLES:
            continue
        at = segment.start + 4
        while at < segment.end:
            precision, number = data[at] >> 4, data[at] & 15
            size = _VALUES * (2 if precision else 1)
            table = data[at + 1 : min(at + 1 + size, segment.end)]
            if number == 0 and len(table) == size:
                if not precision:
                    return sum(table)
                return 256 * sum(table[::2]) + sum(table[1::2])
            at += 1 + size
    return None
