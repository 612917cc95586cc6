"""Writes TIFFs of any layout, for tests. TIFF 6.0, and libtiff for what came later."""

import lzma
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS, LZMA = 1, 5, 8, 32946, 32773, 34925
COMPRESSIONS: Final = {"none": NONE, "LZW": LZW, "deflate": DEFLATE, "old deflate": OLD_DEFLATE,
                       "PackBits": PACKBITS, "LZMA": LZMA}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tiff:
    """How `tiff` writes samples."""

    photometric: int = 1
    bits: int = 8
    sample_format: int = 1
    order: Literal["little", "big"] = "little"
    planar: bool = False
    compression: int = NONE
    predictor: int = 1
    fill_order: int = 1
    tile: tuple[int, int] | None = None
    """(width, height) of tiles; strips of seven rows without."""
    is_big: bool = False
    extra: tuple[int, ...] | None = None
    orientation: int | None = None
    tags: dict[int, tuple[int, list[int]]] = field(default_factory=dict)
    """More tags: type (3 SHORT, 4 LONG) and values."""


def tiff(samples: NDArray[Any], how: Tiff) -> bytes:
    """Return a TIFF of `samples`, of shape (height, width, samples), in the range of `how.bits`."""
    height, width, count = samples.shape
    mark = "<" if how.order == "little" else ">"
    planes = [samples[..., n : n + 1] for n in range(count)] if how.planar else [samples]
    blocks = [_compressed(block, how) for plane in planes for block in _blocks(plane, how)]
    start = 16 if how.is_big else 8
    offsets, at = [], start
    for block in blocks:
        offsets.append(at)
        at += len(block) + len(block) % 2
    tags: dict[int, tuple[int, list[int]]] = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [how.bits] * count),
        259: (3, [how.compression]),
        262: (3, [how.photometric]),
        277: (3, [count]),
        284: (3, [2 if how.planar else 1]),
    }
    if how.tile:
        tags |= {322: (4, [how.tile[0]]), 323: (4, [how.tile[1]])}
        tags |= {324: (4, offsets), 325: (4, [len(block) for block in blocks])}
    else:
        tags |= {273: (4, offsets), 278: (4, [7]), 279: (4, [len(block) for block in blocks])}
    if how.sample_format != 1:
        tags[339] = (3, [how.sample_format] * count)
    if how.predictor != 1:
        tags[317] = (3, [how.predictor])
    if how.fill_order != 1:
        tags[266] = (3, [how.fill_order])
    if how.extra is not None:
        tags[338] = (3, list(how.extra))
    if how.orientation is not None:
        tags[274] = (3, [how.orientation])
    body = b"".join(block + b"\0" * (len(block) % 2) for block in blocks)
    return _header(how, mark, at) + body + _directory(tags | how.tags, at, mark, big=how.is_big)


def _header(how: Tiff, mark: str, at: int) -> bytes:
    name = b"II" if how.order == "little" else b"MM"
    if how.is_big:
        return name + struct.pack(f"{mark}HHHQ", 43, 8, 0, at)
    return name + struct.pack(f"{mark}HL", 42, at)


def _directory(tags: dict[int, tuple[int, list[int]]], at: int, mark: str, *, big: bool) -> bytes:
    word, count_code, each = ("Q", "Q", 20) if big else ("L", "H", 12)
    size = struct.calcsize(f"{mark}{word}")
    out, rest = struct.pack(f"{mark}{count_code}", len(tags)), b""
    after = at + len(out) + each * len(tags) + size
    for tag, (kind, values) in sorted(tags.items()):
        code = {1: "B", 3: "H", 4: "L", 5: "L", 16: "Q"}[kind]
        packed = struct.pack(f"{mark}{len(values)}{code}", *values)
        count = len(values) // 2 if kind == 5 else len(values)
        out += struct.pack(f"{mark}HH{word}", tag, kind, count)
        if len(packed) <= size:
            out += packed.ljust(size, b"\0")
        else:
            out += struct.pack(f"{mark}{word}", after + len(rest))
            rest += packed + b"\0" * (len(packed) % 2)
    return out + bytes(size) + rest


def _blocks(plane: NDArray[Any], how: Tiff) -> list[NDArray[Any]]:
    if how.tile is None:
        return [plane[top : top + 7] for top in range(0, len(plane), 7)]
    wide, high = how.tile
    height, width = plane.shape[:2]
    padded = np.pad(plane, ((0, -height % high), (0, -width % wide), (0, 0)), mode="edge")
    return [
        padded[top : top + high, left : left + wide]
        for top in range(0, height, high)
        for left in range(0, width, wide)
    ]


def _compressed(block: NDArray[Any], how: Tiff) -> bytes:
    data = _packed(block, how)
    if how.fill_order == 2:  # the bits of what is stored are reversed, after compression
        return _reversed(_encoded(data, how.compression))
    return _encoded(data, how.compression)


def _encoded(data: bytes, compression: int) -> bytes:
    if compression in (DEFLATE, OLD_DEFLATE):
        return zlib.compress(data)
    if compression == LZMA:
        return lzma.compress(data, format=lzma.FORMAT_XZ)
    if compression == LZW:
        return _lzw(data)
    if compression == PACKBITS:
        parts = [data[at : at + 128] for at in range(0, len(data), 128)]
        return b"".join(bytes([len(part) - 1]) + part for part in parts)
    return data


def _lzw(data: bytes) -> bytes:
    """Codes of single bytes, with a clear code before the codes become longer than 9 bits."""
    codes = []
    for at in range(0, len(data), 200):
        codes += [256, *data[at : at + 200]]
    codes.append(257)
    bits = "".join(f"{code:09b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _packed(block: NDArray[Any], how: Tiff) -> bytes:
    mark: Literal["<", ">"] = "<" if how.order == "little" else ">"
    if how.predictor == 3:
        return _float_differences(block, how.bits)
    if how.bits in (8, 16, 32, 64):
        kind = f"{'f' if how.sample_format == 3 else 'u'}{how.bits // 8}"
        values = block.astype(f"i{how.bits // 8}") if how.sample_format == 2 else block
        values = values.astype(kind, casting="unsafe")
        if how.predictor == 2:
            whole = values.view(f"u{how.bits // 8}").copy()
            whole[:, 1:] -= whole[:, :-1].copy()
            values = whole
        return values.astype(values.dtype.newbyteorder(mark)).tobytes()
    if how.bits == 24:
        parts = [(block.astype(np.uint32) >> shift).astype(np.uint8) for shift in (0, 8, 16)]
        return np.stack(parts if mark == "<" else parts[::-1], axis=-1).tobytes()
    flat = block.reshape(len(block), -1).astype(np.uint32)
    shifts = np.arange(how.bits - 1, -1, -1, dtype=np.uint32)
    bits = (flat[..., None] >> shifts & 1).astype(np.uint8).reshape(len(block), -1)
    return np.packbits(bits, axis=1).tobytes()


def _float_differences(block: NDArray[Any], bits: int) -> bytes:
    """Adobe's TIFF technical note 3: the bytes of a row by significance, then differences."""
    rows, width, count = block.shape
    size = bits // 8
    raw = block.astype(f">f{size}").reshape(rows, width * count, 1).view(np.uint8)
    planes = raw.transpose(0, 2, 1).reshape(rows, -1, count).copy()
    planes[:, 1:] -= planes[:, :-1].copy()
    return planes.tobytes()


def _reversed(data: bytes) -> bytes:
    return np.packbits(
        np.unpackbits(np.frombuffer(data, np.uint8)).reshape(-1, 8)[:, ::-1]
    ).tobytes()
