"""Decodes the strips of fax TIFFs: modified Huffman, Group 3 and Group 4.

ITU-T T.4 and T.6; TIFF 6.0, sections 10 and 11. libtiff takes damaged strips without an error and
leaves the rows that it could not decode as they were in memory, so that labels would be random.
Here each row must have exactly the picture's width.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.fax_codes import HORIZONTAL, MODE_BITS, MODES, PASS, RUN_BITS, RUNS
from seefood.imaging.lazy_image import LazyImage
from seefood.imaging.tiff_layout import MIN_IS_WHITE, TiffLayout, unsupported
from seefood.imaging.tiff_tags import Tag, TiffTags

MODIFIED_HUFFMAN, GROUP_3, GROUP_4 = 2, 3, 4
_EOL_ZEROS: Final = 11
_REFILL_BYTES: Final = 32
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_TWO_DIMENSIONAL, _UNCOMPRESSED = 1, 2
"""Bits of the tag T4Options; the second is one of T6Options as well."""


def open_fax(data: bytes, tags: TiffTags, layout: TiffLayout) -> LazyImage:
    """Return the first picture of the fax TIFF in `data`, as 8-bit grey.

    Raises `PictureError` for tiles and for T.4's uncompressed mode; `load` does so for damage.
    """
    if tags.numbers(Tag.TILE_OFFSETS):
        raise unsupported("fax compression in tiles")
    options = tags.number(Tag.T6_OPTIONS if layout.compression == GROUP_4 else Tag.T4_OPTIONS, 0)
    if options & _UNCOMPRESSED and layout.compression != MODIFIED_HUFFMAN:
        raise unsupported("the uncompressed mode of fax compression")
    rows = min(tags.number(Tag.ROWS_PER_STRIP, layout.height) or layout.height, layout.height)
    offsets, sizes = tags.numbers(Tag.STRIP_OFFSETS), tags.numbers(Tag.STRIP_BYTES)
    strips = -(-layout.height // rows)
    if len(offsets) < strips:
        raise PictureError(
            ErrorCode.TRUNCATED, f"damaged TIFF: {len(offsets)} of {strips} strips are listed"
        )
    is_mixed = layout.compression == GROUP_3 and bool(options & _TWO_DIMENSIONAL)

    def read() -> Image.Image:
        pixels = np.empty((layout.height, layout.width), np.uint8)
        for number in range(strips):
            size = sizes[number] if len(sizes) >= strips else len(data)
            strip = data[offsets[number] : offsets[number] + size]
            if layout.fill_order == 2:
                strip = strip.translate(_REVERSED)
            part = pixels[number * rows : (number + 1) * rows]
            _read_strip(strip, part, layout.compression, is_mixed=is_mixed)
        pixels *= 255
        return Image.fromarray(255 - pixels if layout.photometric == MIN_IS_WHITE else pixels)

    work_bytes = 8 * layout.width * layout.height + len(data)
    orientation = tags.number(Tag.ORIENTATION, 1)
    return LazyImage("L", (layout.width, layout.height), read, work_bytes, orientation)


def _read_strip(
    strip: bytes, pixels: NDArray[np.uint8], compression: int, *, is_mixed: bool
) -> None:
    """Set `pixels`, of shape (rows, width), to 1 where the strip is black and to 0 elsewhere."""
    rows, width = pixels.shape
    bits = _Bits(strip)
    changes: list[int] = []
    pixels[:] = 0
    for row in range(rows):
        try:
            is_two_dimensional = compression == GROUP_4
            if compression == GROUP_3:
                bits.skip_end_of_line()
                is_two_dimensional = is_mixed and not bits.take(1)
            elif compression == MODIFIED_HUFFMAN:
                bits.align()
            read_row = _two_dimensional if is_two_dimensional else _one_dimensional
            changes = read_row(bits, width, changes)
        except _DamageError as error:
            code = ErrorCode.TRUNCATED if bits.is_over else ErrorCode.CORRUPT
            raise PictureError(
                code, f"damaged TIFF: fax row {row + 1} of a strip of {rows}: {error}"
            ) from None
        inside = [at for at in changes if at < width]
        np.bitwise_xor.at(pixels[row], inside, 1)
    np.bitwise_xor.accumulate(pixels, axis=1, out=pixels)


def _one_dimensional(bits: "_Bits", width: int, above: list[int]) -> list[int]:
    """Return where a row changes color, beginning with white. `above` is not used."""
    del above
    changes: list[int] = []
    at, color = 0, 0
    while at < width:
        at += bits.run(color)
        changes.append(at)
        color ^= 1
    return _checked(changes, width)


def _two_dimensional(bits: "_Bits", width: int, above: list[int]) -> list[int]:
    """Return where a row changes color. `above` is the same of the row above it (T.6, 2.2)."""
    changes: list[int] = []
    at, color, index = -1, 0, 0
    while at < width:
        # b1: the first change above, right of `at`, to the color that `at` does not have.
        index -= index > 0 and 1
        index += (index ^ color) & 1
        while index < len(above) and above[index] <= at:
            index += 2
        b1 = above[index] if index < len(above) else width
        mode = bits.mode()
        if mode == PASS:
            at = above[index + 1] if index + 1 < len(above) else width
        elif mode == HORIZONTAL:
            first = max(at, 0) + bits.run(color)
            at = first + bits.run(color ^ 1)
            changes += (first, at)
        else:
            if b1 + mode < max(at, 0):
                raise _DamageError("a run ends before it begins")
            at = b1 + mode
            changes.append(at)
            color ^= 1
    return _checked(changes, width)


def _checked(changes: list[int], width: int) -> list[int]:
    if changes and changes[-1] > width:
        raise _DamageError(f"its runs are {changes[-1]:,} pixels long, not {width:,}")
    return changes


class _DamageError(Exception):
    """The bits have no meaning."""


@dataclass(slots=True)
class _Bits:
    """Reads code words from the bytes of a strip, most significant bit first."""

    data: bytes
    position: int = 0
    """Of the next byte to load."""
    loaded: int = 0
    """An integer of `count` bits, those to read next."""
    count: int = 0

    @property
    def is_over(self) -> bool:
        """Whether more bits were used than there are."""
        return self.position * 8 - self.count > len(self.data) * 8

    def peek(self, bits: int) -> int:
        """Return the next bits; zeros after the end."""
        if self.count < bits:
            chunk = self.data[self.position : self.position + _REFILL_BYTES]
            chunk = chunk.ljust(_REFILL_BYTES, b"\0")
            kept = self.loaded & ((1 << self.count) - 1)
            self.loaded = kept << (8 * _REFILL_BYTES) | int.from_bytes(chunk)
            self.count += 8 * _REFILL_BYTES
            self.position += _REFILL_BYTES
        return self.loaded >> (self.count - bits) & ((1 << bits) - 1)

    def take(self, bits: int) -> int:
        """Return the next bits and step over them."""
        value = self.peek(bits)
        self._skip(bits)
        return value

    def align(self) -> None:
        """Step to the next whole byte."""
        self.count -= self.count % 8

    def skip_end_of_line(self) -> None:
        """Step over an end-of-line code: eleven zeros or more, and a one."""
        if self.peek(_EOL_ZEROS):
            raise _DamageError("it does not begin with an end-of-line code")
        while not self.take(1):
            pass

    def run(self, color: int) -> int:
        """Return the length of a run, in pixels."""
        table, length = RUNS[color], 0
        while True:
            code = table[self.peek(RUN_BITS)]
            if code is None:
                raise self._meaningless(RUN_BITS)
            self._skip(code[0])
            length += code[1]
            if code[1] < 64:
                return length

    def mode(self) -> int:
        """Return a two-dimensional mode: `PASS`, `HORIZONTAL`, or -3 to 3."""
        code = MODES[self.peek(MODE_BITS)]
        if code is None:
            raise self._meaningless(MODE_BITS)
        self._skip(code[0])
        return code[1]

    def _meaningless(self, bits: int) -> "_DamageError":
        self.count -= bits
        return _DamageError("the data ends in it" if self.is_over else "a code has no meaning")

    def _skip(self, bits: int) -> None:
        self.count -= bits
        if self.is_over:
            raise _DamageError("the data ends in it")
