"""Fax TIFFs: every code word is right, and damage is an error, never pixels of any value."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import decode
from seefood.imaging.formats import open_image
from seefood.imaging.resize_rule import ResizeRule
from tests.pictures import encoded

COMPRESSIONS = ("tiff_ccitt", "group3", "group4")
TWO_DIMENSIONAL = {292: 1}
"""T4Options: Group 3 with two-dimensional rows."""


def fax(pixels: NDArray[np.bool_], compression: str, **options: object) -> bytes:
    """Return a TIFF of `pixels`, of shape (rows, width), True for white."""
    image = Image.fromarray(pixels.astype(np.uint8) * 255).convert("1")
    return encoded(image, "TIFF", compression=compression, **options)


def read(data: bytes) -> NDArray[np.bool_]:
    """Return the pixels of `data`, True for white."""
    image, _ = open_image(data)
    image.load()
    grey = np.asarray(image.convert("L"))
    assert set(np.unique(grey)) <= {0, 255}
    return grey > 0


def every_run(width: int) -> NDArray[np.bool_]:
    """Return rows that have a white and a black run of every length below `width`."""
    lengths = np.arange(width)[:, None]
    across = np.arange(width)
    return np.concatenate([across >= lengths, across < lengths, (across + lengths) % 64 < 7])


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_run_length_is_read_right(compression: str) -> None:
    """The code of each length and color, also the longest, against libtiff's encoder."""
    rows = every_run(130)
    np.testing.assert_array_equal(rows, read(fax(rows, compression)))
    wide = np.arange(6000) >= np.arange(0, 6000, 61)[:, None]
    np.testing.assert_array_equal(wide, read(fax(wide, compression)))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("compression", [*COMPRESSIONS, "group3 2d"])
def test_any_pixels_are_read_right(compression: str, seed: int) -> None:
    """Noise, alike rows, odd widths, several strips, both photometric interpretations."""
    random = np.random.default_rng(seed)
    rows, width = random.integers(1, 90), random.integers(1, 300)
    pixels = random.random((rows, width)) < random.choice([0.03, 0.5, 0.97])
    pixels[1::2] = pixels[: rows // 2 * 2 : 2] ^ (random.random((rows // 2, width)) < 0.02)
    tags = {262: int(seed % 2), **(TWO_DIMENSIONAL if compression == "group3 2d" else {})}
    data = fax(pixels, compression.removesuffix(" 2d"), tiffinfo=tags, strip_size=2048)
    np.testing.assert_array_equal(pixels, read(data))


@pytest.mark.parametrize("compression", [*COMPRESSIONS, "group3 2d"])
def test_damage_is_an_error_or_the_same_pixels_each_time(compression: str) -> None:
    """A changed bit that still has a meaning gives pixels; none depends on the memory's content."""
    random = np.random.default_rng(3)
    pixels = random.random((40, 200)) < 0.5
    tags = TWO_DIMENSIONAL if compression == "group3 2d" else {}
    whole = fax(pixels, compression.removesuffix(" 2d"), tiffinfo=tags)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[random.integers(8, len(whole) - 200)] ^= 1 << random.integers(8)
        try:
            first = read(bytes(damaged))
        except PictureError as error:
            refused += error.code in (ErrorCode.CORRUPT, ErrorCode.TRUNCATED)
            continue
        np.testing.assert_array_equal(first, read(bytes(damaged)))
    assert refused > 30


def test_a_strip_that_ends_early_is_truncated() -> None:
    """The message names the row."""
    data = fax(np.random.default_rng(1).random((64, 64)) < 0.5, "group4")
    counts = data.index(b"\x17\x01\x04\x00")  # StripByteCounts, a LONG
    cut = data[: counts + 8] + (20).to_bytes(4, "little") + data[counts + 12 :]
    with pytest.raises(PictureError, match=r"fax row .* the data ends in it") as caught:
        decode(cut, ResizeRule(8, 8))
    assert caught.value.code is ErrorCode.TRUNCATED
