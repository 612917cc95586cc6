"""GIF and WEBP: colors, transparency, frames and what stands around the pixels."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import Pixels, ResizeRule, decode
from tests.pictures import encoded, gradient, noise

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
WIDTH, HEIGHT = 21, 13
RULE = ResizeRule(HEIGHT, WIDTH)


def _indices(bits: int) -> Pixels:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.asarray((x * 3 + y * 5) % (1 << bits), dtype=np.uint8)


def _table(bits: int) -> Pixels:
    ramp = np.arange(1 << bits)
    return np.stack([ramp * 37 % 256, 255 - ramp * 11 % 256, ramp * 5 % 256], 1).astype(np.uint8)


def _blocks(data: bytes) -> bytes:
    parts = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _lzw(indices: bytes, bits: int) -> bytes:
    """Return LZW of codes of one length: a clear code before the table grows."""
    size = max(2, bits)
    codes, each = [], (1 << size) - 3
    for at in range(0, len(indices), each):
        codes += [1 << size, *indices[at : at + each]]
    codes.append((1 << size) + 1)
    number = sum(code << ((size + 1) * n) for n, code in enumerate(codes))
    packed = number.to_bytes(((size + 1) * len(codes) + 7) // 8, "little")
    return bytes([size]) + _blocks(packed)


def gif(
    bits: int = 4,
    *,
    clear: int | None = None,
    interlaced: bool = False,
    local: bool = False,
    before: bytes = b"",
    end: bytes = b";",
) -> bytes:
    """Return a GIF of `_indices` with the colors of `_table`."""
    rows = _indices(bits)
    if interlaced:
        order = [
            *range(0, HEIGHT, 8),
            *range(4, HEIGHT, 8),
            *range(2, HEIGHT, 4),
            *range(1, HEIGHT, 2),
        ]
        rows = rows[order]
    table, flags = _table(bits).tobytes(), 0x80 | (bits - 1)
    screen = struct.pack("<HHBBB", WIDTH, HEIGHT, 0 if local else flags, 0, 0)
    control = b"" if clear is None else b"!\xf9\4\1\0\0" + bytes([clear]) + b"\0"
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, WIDTH, HEIGHT,
                        (flags if local else 0) | (0x40 if interlaced else 0))  # fmt: skip
    head = b"GIF89a" + screen + (b"" if local else table)
    body = before + control + frame + (table if local else b"")
    return head + body + _lzw(rows.tobytes(), bits) + end


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("clear", [None, 1])
def test_every_gif_is_right(bits: int, interlaced: bool, local: bool, clear: int | None) -> None:  # noqa: FBT001 (parameters of pytest)
    """Colors x interlace x global or local colors x a transparent color."""
    expected = _table(bits)[_indices(bits)].copy()
    if clear is not None:
        expected[_indices(bits) == clear] = 255
    image = decode(gif(bits, clear=clear, interlaced=interlaced, local=local), RULE)
    assert (WIDTH, HEIGHT, "GIF") == (image.width, image.height, image.format)
    np.testing.assert_array_equal(expected, image.pixels)


_EXTENSIONS = {
    "comment": b"!\xfe" + _blocks(b"text"),
    "large comment": b"!\xfe" + _blocks(bytes(range(1, 255)) * 4000),
    "XMP": b"!\xff\x0bXMP DataXMP<x>\1" + bytes(range(255, -1, -1)) + b"\0",
    "loop without content": b"!\xff\x0bNETSCAPE2.0\0",
    "short loop": b"!\xff\x0bNETSCAPE2.0\1\1\0",
    "application without a name": b"!\xff\0",
    "application of a short name": b"!\xff\3abc\0",
    "plain text": b"!\1\x0c" + bytes(12) + _blocks(b"text"),
    "short control": b"!\xf9\1\0\0",
    "empty control": b"!\xf9\0",
    "unknown extension": b"!\x77" + _blocks(b"?" * 700),
    "garbage": b"\0\0\0",
}


@pytest.mark.parametrize("name", _EXTENSIONS)
def test_extensions_that_are_not_pixels_fail_nothing(name: str) -> None:
    """Extensions of any size and damage leave the pixels as they are."""
    expected = decode(gif(), RULE).pixels
    np.testing.assert_array_equal(expected, decode(gif(before=_EXTENSIONS[name]), RULE).pixels)


@pytest.mark.parametrize("end", [b"", b"\0\0\0", b";garbage", b"!\xfe\x09cut", b",cut"])
def test_a_gif_without_its_end_is_whole(end: bytes) -> None:
    """What stands behind the first frame, or is missing there, fails nothing."""
    np.testing.assert_array_equal(decode(gif(), RULE).pixels, decode(gif(end=end), RULE).pixels)
    np.testing.assert_array_equal(decode(gif(), RULE).pixels, decode(gif()[:-2], RULE).pixels)


def test_a_cut_gif_is_truncated() -> None:
    """Missing pixels are told."""
    whole = gif(8)
    for end in (len(whole) // 2, len(whole) - 60):
        with pytest.raises(PictureError) as caught:
            decode(whole[:end], RULE)
        assert ErrorCode.TRUNCATED == caught.value.code


def _riff(data: bytes, *extra: bytes, size: int | None = None) -> bytes:
    """Return a WEBP with more chunks behind its own."""
    body = data[8:] + b"".join(extra)
    return b"RIFF" + struct.pack("<L", len(body) if size is None else size) + body


def _chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    stated = len(content) if size is None else size
    return name + struct.pack("<L", stated) + content + b"\0" * (len(content) % 2)


def _extended(data: bytes, flags: int) -> bytes:
    """Return a simple WEBP in the extended format, with the flags of metadata."""
    canvas = struct.pack("<L", WIDTH - 1)[:3] + struct.pack("<L", HEIGHT - 1)[:3]
    return _riff(data[:12] + _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + canvas) + data[12:])


LOSSLESS = encoded(Image.fromarray(noise(HEIGHT, WIDTH)), "WEBP", lossless=True)
LOSSY = encoded(gradient((WIDTH, HEIGHT)), "WEBP", quality=90)
_WEBPS: dict[str, Callable[[bytes], bytes]] = {
    "garbage in EXIF": lambda data: _riff(_extended(data, 8), _chunk(b"EXIF", b"?" * 500)),
    "empty EXIF": lambda data: _riff(_extended(data, 8), _chunk(b"EXIF", b"")),
    "EXIF that is not there": lambda data: _extended(data, 8),
    "profile that is not there": lambda data: _extended(data, 0x20),
    "garbage in XMP": lambda data: _riff(_extended(data, 4), _chunk(b"XMP ", b"<\xff\xfe" * 9)),
    "cut XMP": lambda data: _riff(_extended(data, 4), _chunk(b"XMP ", b"<x>", 900)),
    "cut XMP, whole size": lambda data: _riff(
        _extended(data, 4), _chunk(b"XMP ", b"<x>", 900), size=len(data) + 900
    ),
    "unknown chunk": lambda data: _riff(_extended(data, 0), _chunk(b"zzzz", b"?" * 70_001)),
    "unknown chunk in a simple file": lambda data: _riff(data, _chunk(b"zzzz", b"?")),
    "garbage behind": lambda data: data + b"garbage" * 99,
    "size too small": lambda data: _riff(data, size=len(data) - 20),
    "size too large": lambda data: _riff(data, size=len(data) + 2000),
    "size of zero": lambda data: _riff(data, size=0),
}


@pytest.mark.parametrize("name", _WEBPS)
@pytest.mark.parametrize("data", [LOSSLESS, LOSSY], ids=["lossless", "lossy"])
def test_chunks_that_are_not_pixels_fail_nothing(name: str, data: bytes) -> None:
    """Metadata of any size and damage, and wrong sizes around it, leave the pixels as they are."""
    expected = decode(data, RULE).pixels
    np.testing.assert_array_equal(expected, decode(_WEBPS[name](data), RULE).pixels)


@pytest.mark.parametrize("lossless", [True, False])
def test_alpha_of_webp_is_on_white(lossless: bool) -> None:  # noqa: FBT001 (a parameter of pytest)
    """Transparent pixels are white, whatever color they hide."""
    picture = gradient((WIDTH, HEIGHT))
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:6] = 0
    alpha[6:9] = 100
    picture.putalpha(Image.fromarray(alpha))
    share = alpha[..., None] / 255
    expected = np.asarray(picture)[..., :3] * share + 255 * (1 - share)
    pixels = decode(encoded(picture, "WEBP", lossless=lossless, quality=95), RULE).pixels
    assert np.abs(pixels - expected).mean() < (1 if lossless else 8)


def test_a_cut_webp_fails() -> None:
    """Missing pixels are told."""
    with pytest.raises(PictureError):
        decode(LOSSLESS[: len(LOSSLESS) // 2], RULE)
