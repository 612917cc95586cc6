"""Every kind of PNG is read right, whatever its metadata."""

import itertools
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import ResizeRule, decode
from tests.png_files import CHANNELS, SIGNATURE, chunk, png

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
HEIGHT, WIDTH = 13, 21
RULE = ResizeRule(HEIGHT, WIDTH)
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


def _samples(color: int, depth: int) -> NDArray[np.int64]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    channels = range(CHANNELS[color])
    values = [(x * (257 + 40 * n) + y * (991 - 7 * n)) % (1 << depth) for n in channels]
    return np.stack(values, axis=2)


def _palette(depth: int) -> NDArray[np.uint8]:
    ramp = np.arange(1 << depth)
    return np.stack([ramp * 37 % 256, 255 - ramp * 11 % 256, ramp * 5 % 256], axis=1).astype(
        np.uint8
    )


def _shown(
    samples: NDArray[np.int64], color: int, depth: int, clear: tuple[int, ...]
) -> NDArray[np.float64]:
    top = (1 << depth) - 1
    alpha = np.ones((HEIGHT, WIDTH, 1))
    if color == 3:
        rgb = _palette(depth)[samples[..., 0]] / 255
        if clear:
            table = np.array([*clear, *[255] * 256])
            alpha = table[samples] / 255
    else:
        rgb = samples[..., : 1 if color in (0, 4) else 3] / top
        if color in (4, 6):
            alpha = samples[..., -1:] / top
        elif clear:
            alpha = (samples != np.array(clear)).any(axis=2, keepdims=True).astype(float)
    return np.broadcast_to(255 * (rgb * alpha + 1 - alpha), (HEIGHT, WIDTH, 3))


KINDS = [
    (color, depth, interlaced, has_clear)
    for color, depths in DEPTHS.items()
    for depth, interlaced, has_clear in itertools.product(depths, (False, True), (False, True))
    if not (has_clear and color in (4, 6))
]


@pytest.mark.parametrize(("color", "depth", "interlaced", "has_clear"), KINDS)
def test_every_kind_is_right(color: int, depth: int, interlaced: bool, has_clear: bool) -> None:  # noqa: FBT001 (parameters of pytest)
    """Color type x depth x interlace x tRNS, with all five filters."""
    samples = _samples(color, depth)
    before = b""
    clear: tuple[int, ...] = ()
    if color == 3:
        before += chunk(b"PLTE", _palette(depth).tobytes())
    if has_clear and color == 3:
        clear = (0, 100)[: 1 << depth]
        before += chunk(b"tRNS", bytes(clear))
    elif has_clear:
        clear = tuple(samples[5, 7].tolist())
        before += chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear))
    data = png(samples, color, depth, interlaced=interlaced, before=before)
    expected = _shown(samples, color, depth, clear)
    image = decode(data, RULE)
    assert (WIDTH, HEIGHT, "PNG") == (image.width, image.height, image.format)
    assert np.abs(image.pixels - expected).max() <= 1.5


_TEXT = zlib.compress(b"x" * 3_000_000)
_NOT_PIXELS = {
    "large text": chunk(b"zTXt", b"key\0\0" + _TEXT),
    "large international text": chunk(b"iTXt", b"key\0\1\0en\0key\0" + _TEXT),
    "large profile": chunk(b"iCCP", b"name\0\0" + _TEXT),
    "profile that is not compressed": chunk(b"iCCP", b"name\0\0garbage"),
    "profile without content": chunk(b"iCCP", b""),
    "text without a separator": chunk(b"zTXt", b"keyword"),
    "text with another method": chunk(b"zTXt", b"key\0\7abc"),
    "wrong checksum of text": chunk(b"tEXt", b"key\0value", crc=1),
    "wrong checksum of EXIF": chunk(b"eXIf", b"MM\0*\0\0", crc=1),
    "wrong checksum of gamma": chunk(b"gAMA", b"\0\0\1\1", crc=1),
    "short pHYs": chunk(b"pHYs", b"\0\0"),
    "short gAMA": chunk(b"gAMA", b"\0"),
    "short cHRM": chunk(b"cHRM", b"\0\0\0"),
    "short sRGB": chunk(b"sRGB", b""),
    "short acTL": chunk(b"acTL", b"\0\0"),
    "short fcTL": chunk(b"fcTL", b"\0\0"),
    "short tIME": chunk(b"tIME", b"\0"),
    "tRNS of a wrong length": chunk(b"tRNS", b"\0"),
    "empty eXIf": chunk(b"eXIf", b""),
    "garbage in eXIf": chunk(b"eXIf", bytes(range(256)) * 40),
    "unknown ancillary chunk": chunk(b"zzZz", b"?" * 100_000),
    "wrong checksum of an unknown chunk": chunk(b"zzZz", b"?", crc=7),
    "many large texts": chunk(b"zTXt", b"key\0\0" + zlib.compress(b"y" * 900_000)) * 80,
    "XMP that is no XML": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<<<\xff\xfe"),
}  # fmt: skip
_ENDS = {
    "no end": b"",
    "end without checksum": chunk(b"IEND")[:8],
    "wrong checksum of the end": chunk(b"IEND", crc=3),
    "garbage behind the end": chunk(b"IEND") + b"garbage" * 99,
    "wrong checksum of text behind the pixels": chunk(b"tEXt", b"k\0v", crc=2) + chunk(b"IEND"),
    "text cut short": chunk(b"tEXt", b"key\0" + b"v" * 500)[:200],
}  # fmt: skip


@pytest.mark.parametrize("name", _NOT_PIXELS)
def test_chunks_that_are_not_pixels_fail_nothing(name: str) -> None:
    """Ancillary chunks of any size and damage leave the pixels as they are."""
    samples = _samples(2, 8)
    image = decode(png(samples, 2, 8, before=_NOT_PIXELS[name]), RULE)
    np.testing.assert_array_equal(samples, image.pixels)


@pytest.mark.parametrize("name", _ENDS)
def test_a_picture_without_its_end_is_whole(name: str) -> None:
    """What stands behind the pixels, or is missing there, fails nothing."""
    samples = _samples(2, 8)
    image = decode(png(samples, 2, 8, after=_ENDS[name]), RULE)
    np.testing.assert_array_equal(samples, image.pixels)


def test_the_orientation_survives_damage() -> None:
    """The metadata that is removed does not take the orientation with it."""
    exif = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\3\0\0\0\0\0\0"
    samples = _samples(2, 8)
    data = png(samples, 2, 8, before=chunk(b"eXIf", exif) + chunk(b"tEXt", b"a\0b", crc=1))
    np.testing.assert_array_equal(samples[::-1, ::-1], decode(data, RULE).pixels)


def test_damage_in_the_pixels_is_told() -> None:
    """Wrong checksums of critical chunks, missing pixels and unknown critical chunks fail."""
    whole = png(_samples(2, 8), 2, 8)
    header = whole[len(SIGNATURE) : len(SIGNATURE) + 25]
    assert b"IHDR" in header
    cases = {
        ErrorCode.CORRUPT: [
            whole.replace(header, header[:-1] + b"?"),
            png(_samples(2, 8), 2, 8, before=chunk(b"ZZZZ", b"?", crc=7)),
        ],
        ErrorCode.TRUNCATED: [whole[: len(whole) * 2 // 3], SIGNATURE + header],
    }
    for code, files in cases.items():
        for data in files:
            with pytest.raises(PictureError) as caught:
                decode(data, RULE)
            assert code == caught.value.code


def test_the_variant_of_apple_is_named() -> None:
    """CgBI, with another order of channels, is not decoded."""
    data = png(_samples(2, 8), 2, 8)
    apple = SIGNATURE + chunk(b"CgBI", b"\x50\0\x20\2") + data[len(SIGNATURE) :]
    with pytest.raises(PictureError, match="CgBI") as caught:
        decode(apple, RULE)
    assert ErrorCode.UNSUPPORTED_FORMAT == caught.value.code
