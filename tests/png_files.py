"""Writes PNGs of every kind, for tests (PNG specification, third edition)."""

import struct
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES: Final = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def chunk(name: bytes, content: bytes = b"", *, crc: int | None = None) -> bytes:
    """Return a chunk, with a wrong checksum if `crc` is given."""
    check = zlib.crc32(name + content) if crc is None else crc
    return struct.pack(">L", len(content)) + name + content + struct.pack(">L", check)


def png(
    samples: NDArray[Any],
    color: int,
    depth: int,
    *,
    interlaced: bool = False,
    before: bytes = b"",
    after: bytes = chunk(b"IEND"),
) -> bytes:
    """Return a PNG of `samples`, of shape (height, width, channels).

    `before` are chunks after the header, `after` those after the pixels.
    """
    height, width = samples.shape[:2]
    header = struct.pack(">LLBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in _PASSES]
        raw = b"".join(_filtered(part, depth) for part in parts if part.size)
    else:
        raw = _filtered(samples, depth)
    packed = zlib.compress(raw)
    half = len(packed) // 2
    body = chunk(b"IDAT", packed[:half]) + chunk(b"IDAT", packed[half:])
    return SIGNATURE + chunk(b"IHDR", header) + before + body + after


def _filtered(samples: NDArray[Any], depth: int) -> bytes:
    """Return the rows, each with one of the five filters in turn (section 9)."""
    rows = _packed(samples, depth)
    size = max(1, samples.shape[2] * depth // 8)
    out = bytearray()
    above = np.zeros(rows.shape[1], np.int32)
    for number, row in enumerate(rows.astype(np.int32)):
        left = np.concatenate([np.zeros(size, np.int32), row[:-size]])[: len(row)]
        corner = np.concatenate([np.zeros(size, np.int32), above[:-size]])[: len(row)]
        guess = left + above - corner
        a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, above, corner))
        kind = number % 5
        predicted = (0, left, above, (left + above) // 2, paeth)[kind]
        out.append(kind)
        out += ((row - predicted) & 255).astype(np.uint8).tobytes()
        above = row
    return bytes(out)


def _packed(samples: NDArray[Any], depth: int) -> NDArray[np.uint8]:
    flat = samples.reshape(len(samples), -1)
    if depth == 16:
        return flat.astype(">u2").view(np.uint8)
    if depth == 8:
        return flat.astype(np.uint8)
    shifts = np.arange(depth - 1, -1, -1)
    bits = (flat[..., None].astype(np.uint8) >> shifts & 1).astype(np.uint8)
    return np.packbits(bits.reshape(len(samples), -1), axis=1)
