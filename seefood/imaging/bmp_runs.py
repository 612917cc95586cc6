"""Decompresses the run lengths of BMPs (BI_RLE8 and BI_RLE4)."""

from seefood.errors import ErrorCode, PictureError

_END_OF_LINE, _END_OF_BITMAP, _DELTA = 0, 1, 2


def run_indices(data: bytes, at: int, size: tuple[int, int], *, is_4_bit: bool) -> bytearray:
    """Return the palette indices of a bitmap of `size` (width, height), bottom row first.

    Each is a byte, and a row ends at a multiple of four bytes, as in an uncompressed bitmap. Pixels
    that are jumped over, or that an early end leaves out, are 0. Raises `PictureError` if the data
    ends before the bitmap does.
    """
    width, height = size
    row_bytes = -(-width // 4) * 4
    indices = bytearray(row_bytes * height)
    x = y = 0
    while y < height:
        if at + 2 > len(data):
            if y == height - 1 and x >= width:
                break
            raise PictureError(ErrorCode.TRUNCATED, "damaged BMP: its run lengths end too early")
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            run = _run(value, count, is_4_bit=is_4_bit)
        elif value == _END_OF_LINE:
            x, y = 0, y + 1
            continue
        elif value == _END_OF_BITMAP:
            break
        elif value == _DELTA:
            x, y = x + sum(data[at : at + 1]), y + sum(data[at + 1 : at + 2])
            at += 2
            continue
        else:
            stored = -(-value // 2) if is_4_bit else value
            literal = data[at : at + stored]
            run = _nibbles(literal)[:value] if is_4_bit else literal
            at += stored + stored % 2
        run = run[: max(0, width - x)]
        place = y * row_bytes + x
        indices[place : place + len(run)] = run
        x += len(run)
    return indices


def _run(value: int, count: int, *, is_4_bit: bool) -> bytes:
    if not is_4_bit:
        return bytes([value]) * count
    return (bytes([value >> 4, value & 15]) * (count // 2 + 1))[:count]


def _nibbles(data: bytes) -> bytes:
    return bytes(part for value in data for part in (value >> 4, value & 15))
