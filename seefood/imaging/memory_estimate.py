"""Estimates from a picture's header how much memory decoding takes, and counts its frames.

The constants were measured with Pillow 12 and rounded up; tests/seefood/imaging/
test_memory_estimate.py measures them again with a large picture of each format.
"""

from typing import Final, Literal

from PIL import Image

from seefood.imaging.lazy_image import LazyImage

# Bytes per pixel at the peak: for most formats, and for those whose decoders keep more copies.
_DEFAULT_BYTES_PER_PIXEL: Final = 9
_BYTES_PER_PIXEL: Final = {"WEBP": 21, "AVIF": 17, "HEIF": 10}
_OPAQUE_BYTES_PER_PIXEL: Final = {"WEBP": 16, "AVIF": 10}
_COEFFICIENT_BYTES: Final = 2
_START_OF_SCAN: Final = 0xDA
_MARKERS_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})


def decode_bytes(image: Image.Image, format_name: str, data: bytes, stored: tuple[int, int]) -> int:
    """Return the estimated peak of memory for decoding `image`, in bytes.

    `stored` is the size (width, height) in the header; `image` may be smaller by scaled decoding.
    """
    if isinstance(image, LazyImage):
        return image.work_bytes
    pixels = image.width * image.height
    bytes_per_pixel = _BYTES_PER_PIXEL.get(format_name, _DEFAULT_BYTES_PER_PIXEL)
    if image.mode == "RGB":
        bytes_per_pixel = _OPAQUE_BYTES_PER_PIXEL.get(format_name, bytes_per_pixel)
    total = pixels * bytes_per_pixel
    if format_name == "JPEG":
        total += _coefficient_bytes(image, data, stored)
    return total


def _coefficient_bytes(image: Image.Image, data: bytes, stored: tuple[int, int]) -> int:
    """Return the size of the coefficients of a JPEG with several scans; 0 for a single scan.

    libjpeg keeps them all in memory, at any scale. A single scan is decoded while it is read.
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
        elif marker in _MARKERS_WITHOUT_LENGTH:
            at += 2
        elif marker == _START_OF_SCAN:
            return data[at + 4] < components
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def has_more_frames(image: Image.Image, format_name: str, data: bytes, limit: int) -> bool:
    """Whether a file has more than `limit` frames or pages.

    Most decoders read the number from the header. GIF and TIFF headers do not state it, so their
    frames are counted, up to `limit`.
    """
    if format_name == "GIF":
        return _count_gif(data, limit) > limit
    if format_name == "TIFF":
        return _count_tiff(data, limit) > limit
    if format_name in ("JPEG", "BMP"):
        return False
    return int(getattr(image, "n_frames", 1)) > limit


def _count_gif(data: bytes, limit: int) -> int:
    """Return the number of image descriptors of a GIF, at most `limit` + 1 (GIF89a, section 17)."""
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
    """Return the size of the color table that a GIF's packed fields state."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _count_tiff(data: bytes, limit: int) -> int:
    """Return the number of directories in a TIFF's chain, at most `limit` + 1; a cycle ends it."""
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
