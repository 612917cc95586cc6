"""Opens BMPs.

Pillow refuses most bit masks and bitmaps of run lengths that end early, misreads some palettes, and
takes an alpha channel of zeros for a picture that cannot be seen. Source: Microsoft's
BITMAPINFOHEADER to BITMAPV5HEADER; OS/2 1 and 2.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.bmp_runs import run_indices
from seefood.imaging.lazy_image import LazyImage

_Bytes = NDArray[np.uint8]
_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHA_BITFIELDS = 0, 1, 2, 3, 6
_COMPRESSIONS: Final = {4: "JPEG", 5: "PNG", 11: "CMYK", 12: "CMYK", 13: "CMYK"}
_OS2: Final = {3: "Huffman 1D", 4: "24-bit run lengths"}
_HEADERS: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_DEFAULT_MASKS: Final = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_STRIP_PIXELS: Final = 1 << 18
_STRIP_BYTES_PER_PIXEL: Final = 40
_BYTES_PER_PIXEL: Final = 11
"""The image made here, its conversion to RGB, and indices of run lengths."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What the headers of a BMP state."""

    width: int
    height: int
    is_top_down: bool
    bits: int
    pixels_at: int
    masks: tuple[int, ...]
    """Of red, green, blue and alpha, for 16 and 32 bits."""
    palette: bytes
    palette_entry: int
    """Bytes of a color in the palette."""
    has_runs: bool
    """Whether it is compressed by run lengths."""

    @property
    def row_bytes(self) -> int:
        """Of a row, which ends at a multiple of four bytes."""
        return (self.width * self.bits + 31) // 32 * 4


def open_bmp(data: bytes) -> Image.Image:
    """Open the BMP in `data` without decoding pixels.

    Raises `PictureError` for damage and for what is not decoded, and what Pillow raises.
    """
    header_size = _number(data, 14, 4)
    if header_size not in _HEADERS:
        if len(data) < 18:
            raise PictureError(ErrorCode.TRUNCATED, "damaged BMP: the header is not complete")
        raise PictureError(ErrorCode.CORRUPT, f"damaged BMP: a header of {header_size} bytes")
    if 14 + header_size > len(data):
        raise PictureError(ErrorCode.TRUNCATED, "damaged BMP: the header is not complete")
    compression = 0 if header_size < 20 else _number(data, 30, 4)
    is_os2 = header_size in (16, 64)
    if is_os2 and compression in _OS2:
        raise _unsupported(f"in {_OS2[compression]}")
    if compression not in (_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHA_BITFIELDS):
        raise _unsupported(f"in compression {_COMPRESSIONS.get(compression, compression)}")
    header = _read_header(data, header_size, compression)
    pixels = header.width * header.height
    work = (_BYTES_PER_PIXEL * pixels) + _STRIP_BYTES_PER_PIXEL * min(pixels, 2 * _STRIP_PIXELS)
    size = (header.width, header.height)
    return LazyImage("RGB", size, partial(_read, data, header), work)


def _read_header(data: bytes, header_size: int, compression: int) -> _Header:
    if header_size == 12:
        width, height, bits = _number(data, 18, 2), _number(data, 20, 2), _number(data, 24, 2)
    else:
        width, height = _number(data, 18, 4, signed=True), _number(data, 22, 4, signed=True)
        bits = _number(data, 28, 2)
    if bits not in (1, 2, 4, 8, 16, 24, 32):
        raise _unsupported(f"of {bits} bits per pixel")
    if width <= 0 or height == 0:
        raise PictureError(ErrorCode.CORRUPT, f"damaged BMP: {width} x {height} pixels")
    masks: tuple[int, ...] = _DEFAULT_MASKS.get(bits, ())
    palette_at = 14 + header_size
    if compression in (_RLE8, _RLE4):
        if bits != (8 if compression == _RLE8 else 4):
            raise PictureError(ErrorCode.CORRUPT, f"damaged BMP: run lengths of {bits} bits")
    elif compression != _RGB:
        if bits not in (16, 32):
            raise _unsupported(f"of {bits} bits per pixel with bit masks")
        # Short headers are followed by three masks, or by four.
        count = 4 if compression == _ALPHA_BITFIELDS or header_size >= 56 else 3
        stored = tuple(_number(data, 54 + 4 * at, 4) for at in range(count))
        masks = (*stored, 0)[:4]
        palette_at = max(palette_at, 54 + 4 * count)
        _check_masks(masks, bits)
    entry = 3 if header_size == 12 else 4
    colors = 0 if header_size < 40 else _number(data, 46, 4)
    pixels_at = _number(data, 10, 4)
    if bits <= 8:
        colors = min(colors or 1 << bits, 1 << bits)
        if palette_at < pixels_at:
            colors = min(colors, (pixels_at - palette_at) // entry)
    palette = data[palette_at : palette_at + entry * colors] if bits <= 8 else b""
    return _Header(
        width=width,
        height=abs(height),
        is_top_down=height < 0,
        bits=bits,
        pixels_at=pixels_at or palette_at + len(palette),
        masks=masks,
        palette=palette,
        palette_entry=entry,
        has_runs=compression in (_RLE8, _RLE4),
    )


def _check_masks(masks: tuple[int, ...], bits: int) -> None:
    seen = 0
    for mask in masks:
        run = mask >> _shift(mask)
        if mask >> bits or seen & mask or run & (run + 1):
            raise PictureError(
                ErrorCode.CORRUPT, f"damaged BMP: the bit mask {mask:#010x} is not valid"
            )
        seen |= mask
    if not any(masks[:3]):
        raise PictureError(ErrorCode.CORRUPT, "damaged BMP: no bit mask of a color")


def _read(data: bytes, header: _Header) -> Image.Image:
    if header.has_runs:
        shape = (header.width, header.height)
        indices = run_indices(data, header.pixels_at, shape, is_4_bit=header.bits == 4)
        data = bytes(indices)  # as an uncompressed bitmap of 8 bits has it
        header = replace(header, bits=8, pixels_at=0, has_runs=False)
    size = header.row_bytes * header.height
    last_row = size - header.row_bytes + (header.width * header.bits + 7) // 8
    if header.pixels_at + last_row > len(data):
        missing = header.pixels_at + last_row - len(data)
        raise PictureError(ErrorCode.TRUNCATED, f"damaged BMP: {missing:,} bytes are missing")
    # Nobody stores a picture that cannot be seen: alpha of zeros means that it is not used.
    has_alpha = bool(header.masks and header.masks[3]) and any(
        bool((_words(rows, header) & header.masks[3]).any()) for _, rows in _rows(data, header)
    )
    picture = Image.new("RGBA" if has_alpha else "RGB", (header.width, header.height))
    palette = _palette(header)
    for top, rows in _rows(data, header):
        if header.bits <= 8:
            pixels = palette[_indices(rows, header)]
        elif header.bits == 24:
            pixels = rows[:, : 3 * header.width].reshape(len(rows), -1, 3)[..., ::-1]
        else:
            words = _words(rows, header)
            channels = header.masks if has_alpha else header.masks[:3]
            pixels = np.stack([_channel(words, mask) for mask in channels], axis=2)
        pixels = np.ascontiguousarray(pixels)
        strip = Image.frombytes(picture.mode, (header.width, len(rows)), pixels.tobytes())
        picture.paste(strip, (0, top))
    return picture


def _rows(data: bytes, header: _Header) -> Iterator[tuple[int, _Bytes]]:
    """Yield strips of rows from the top: the number of the first row, and its bytes."""
    stored = np.frombuffer(data, np.uint8, offset=header.pixels_at)
    each = max(1, _STRIP_PIXELS // header.width)
    for top in range(0, header.height, each):
        count = min(each, header.height - top)
        first = top if header.is_top_down else header.height - top - count
        part = stored[first * header.row_bytes : (first + count) * header.row_bytes]
        short = count * header.row_bytes - len(part)
        if short:  # the last row's padding may be absent
            part = np.concatenate([part, np.zeros(short, np.uint8)])
        rows = part.reshape(count, header.row_bytes)
        yield top, rows if header.is_top_down else rows[::-1]


def _words(rows: _Bytes, header: _Header) -> NDArray[Any]:
    return np.ascontiguousarray(rows).view(f"<u{header.bits // 8}")[:, : header.width]


def _channel(words: NDArray[Any], mask: int) -> _Bytes:
    """Return the bits of `mask` in `words` as values in [0, 255]; an absent channel is 0."""
    if not mask:
        return np.zeros(words.shape, np.uint8)
    shift = _shift(mask)
    top = mask >> shift
    values = (words & mask) >> shift
    if top <= 255:
        return ((values.astype(np.uint16) * 255 + top // 2) // top).astype(np.uint8)
    return (values >> (top.bit_length() - 8)).astype(np.uint8)


def _indices(rows: _Bytes, header: _Header) -> _Bytes:
    if header.bits == 8:
        return rows[:, : header.width]
    each = 8 // header.bits
    shifts = np.arange(8 - header.bits, -1, -header.bits, dtype=np.uint8)
    values: _Bytes = rows[:, : -(-header.width // each), None] >> shifts
    values = values & np.uint8((1 << header.bits) - 1)
    return values.reshape(len(rows), -1)[:, : header.width]


def _palette(header: _Header) -> _Bytes:
    """Return the palette as RGB, of shape (2 ** bits, 3); absent colors are black."""
    entry = header.palette_entry
    whole = len(header.palette) // entry * entry
    colors = np.frombuffer(header.palette[:whole], np.uint8).reshape(-1, entry)
    palette = np.zeros((1 << min(header.bits, 8), 3), np.uint8)
    palette[: len(colors)] = colors[:, 2::-1]
    return palette


def _shift(mask: int) -> int:
    return (mask & -mask).bit_length() - 1 if mask else 0


def _number(data: bytes, at: int, size: int, *, signed: bool = False) -> int:
    return int.from_bytes(data[at : at + size], "little", signed=signed)


def _unsupported(what: str) -> PictureError:
    return PictureError(
        ErrorCode.UNSUPPORTED_FORMAT, f"a BMP {what} is not decoded; convert it to PNG"
    )
