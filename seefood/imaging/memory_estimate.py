"""What decoding a picture costs, told from its header: memory, and how many frames it has.

The figures are what was measured with Pillow 12, rounded up; tests/seefood/test_cost.py measures
them again with the largest picture of each format.
"""

from typing import Final, Literal

from PIL import Image

_PLAIN: Final = 9
# Bytes per pixel at the peak, of formats whose decoders hold more than the picture and its copy.
_BYTES_PER_PIXEL: Final = {"WEBP": 21, "AVIF": 17, "HEIF": 10}
_OPAQUE_BYTES_PER_PIXEL: Final = {"WEBP": 16, "AVIF": 10}
_COEFFICIENT_BYTES: Final = 2
_START_OF_SCAN: Final = 0xDA
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})


def decode_bytes(image: Image.Image, format_name: str, data: bytes, stored: tuple[int, int]) -> int:
    """Return about how many bytes decoding `image` takes at its peak.

    `stored` is the size (width, height) in the header; `image` may be set to decode at less.
    """
    pixels = image.width * image.height
    each = _BYTES_PER_PIXEL.get(format_name, _PLAIN)
    if image.mode == "RGB":
        each = _OPAQUE_BYTES_PER_PIXEL.get(format_name, each)
    held = pixels * each
    if format_name == "JPEG":
        held += _coefficient_bytes(image, data, stored)
    return held


def _coefficient_bytes(image: Image.Image, data: bytes, stored: tuple[int, int]) -> int:
    """Return what libjpeg keeps of a JPEG that comes in several scans: all of its coefficients.

    It does so at any scale. One that comes in a single scan is decoded as it is read.
    """
    layers = getattr(image, "layer", ())
    if not layers or not (image.info.get("progressive") or _scans_are_split(data, len(layers))):
        return 0
    widest = max(horizontal for _, horizontal, _, _ in layers)
    highest = max(vertical for _, _, vertical, _ in layers)
    if not widest or not highest:
        return 0
    share = sum(h * v for _, h, v, _ in layers) / (widest * highest)
    return int(stored[0] * stored[1] * share * _COEFFICIENT_BYTES)


def _scans_are_split(data: bytes, components: int) -> bool:
    """Whether the first scan of a JPEG has fewer components than the picture (ITU T.81, B.2.3)."""
    at = 2
    while at + 4 < len(data):
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker == _START_OF_SCAN:
            return data[at + 4] < components
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def has_more_frames(image: Image.Image, format_name: str, data: bytes, limit: int) -> bool:
    """Whether a file has more than `limit` frames or pages.

    Told by the decoder where its header says it; counted, as far as `limit`, in GIF and TIFF, whose
    headers do not.
    """
    if format_name == "GIF":
        return _count_gif(data, limit) > limit
    if format_name == "TIFF":
        return _count_tiff(data, limit) > limit
    if format_name in ("JPEG", "BMP"):
        return False
    return int(getattr(image, "n_frames", 1)) > limit


def _count_gif(data: bytes, limit: int) -> int:
    """Return how many image descriptors a GIF has, at most `limit` + 1 (GIF89a, section 17)."""
    frames, at = 0, 13 + _table_bytes(data[10:11])
    while at < len(data) and frames <= limit:
        if data[at] == 0x2C:
            frames += 1
            at += 11 + _table_bytes(data[at + 9 : at + 10])
        elif data[at] == 0x21:
            at += 2
        else:
            break
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return frames


def _table_bytes(flags: bytes) -> int:
    """Return the size of the colour table that a GIF's packed fields announce."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _count_tiff(data: bytes, limit: int) -> int:
    """Return how many directories a TIFF chains, at most `limit` + 1; a circle ends the count."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    wide = b"+" in data[2:4]  # BigTIFF
    entry, count_bytes, offset_bytes = (20, 8, 8) if wide else (12, 2, 4)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    at, seen = number(8 if wide else 4, offset_bytes), set[int]()
    while 0 < at < len(data) and at not in seen and len(seen) <= limit:
        seen.add(at)
        at = number(at + count_bytes + entry * number(at, count_bytes), offset_bytes)
    return len(seen)
