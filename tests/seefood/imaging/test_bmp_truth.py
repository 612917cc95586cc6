"""Every kind of BMP is read right, or refused by name."""

import itertools
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import ResizeRule, decode

HEIGHT, WIDTH = 11, 21
RULE = ResizeRule(HEIGHT, WIDTH)
HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
MASKS = {
    "555": (16, (0x7C00, 0x3E0, 0x1F, 0)),
    "565": (16, (0xF800, 0x7E0, 0x1F, 0)),
    "4444": (16, (0xF00, 0xF0, 0xF, 0xF000)),
    "1555": (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
    "swapped 565": (16, (0x1F, 0x7E0, 0xF800, 0)),
    "332": (16, (0xE0, 0x1C, 0x3, 0)),
    "888": (32, (0xFF0000, 0xFF00, 0xFF, 0)),
    "RGBX": (32, (0xFF, 0xFF00, 0xFF0000, 0)),
    "BGRA": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "ABGR": (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
    "1010102": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)),
    "7-18-7": (32, (0xFE000000, 0x01FFFF80, 0x7F, 0)),
}


def _values(count: int) -> NDArray[np.float64]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([(x * (5 + n) + y * (3 + 2 * n)) % 32 / 31 for n in range(count)], axis=2)


def bmp(
    rows: NDArray[np.uint8],
    bits: int,
    header: int = 40,
    *,
    masks: tuple[int, ...] | None = None,
    palette: NDArray[Any] | None = None,
    top_down: bool = False,
    compression: int | None = None,
) -> bytes:
    """Return a BMP of `rows`, the packed bytes of each row from the top."""
    if compression is None:
        compression = 3 if masks else 0
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    pixels = (padded if top_down else padded[::-1]).tobytes()
    height = -HEIGHT if top_down else HEIGHT
    if header == 12:
        info = struct.pack("<LHHHH", 12, WIDTH, HEIGHT, 1, bits)
    else:
        info = struct.pack(
            "<LllHHLLllLL", header, WIDTH, height, 1, bits, compression, 0, 1, 1, 0, 0
        )
        stored = struct.pack("<4L", *(masks or (0, 0, 0, 0)))
        info = (info + stored + bytes(100))[:header]
        if masks and header < 52:
            info += stored[:12]
        elif masks and header == 52:
            info += b""
    if palette is not None:
        colors = palette[:, ::-1].astype(np.uint8)
        if header != 12:
            colors = np.pad(colors, ((0, 0), (0, 1)))
        info += colors.tobytes()
    return (
        b"BM" + struct.pack("<LLL", 14 + len(info) + len(pixels), 0, 14 + len(info)) + info + pixels
    )


def _packed(values: NDArray[Any], masks: tuple[int, ...], bits: int) -> tuple[Any, Any]:
    """Return `values` in [0, 1] as rows of words, and what they show."""
    words = np.zeros((HEIGHT, WIDTH), np.uint64)
    shown = []
    for channel, mask in zip(np.moveaxis(values, 2, 0), masks, strict=False):
        if not mask:
            shown.append(np.ones_like(channel))
            continue
        shift = (mask & -mask).bit_length() - 1
        top = mask >> shift
        words |= np.rint(channel * top).astype(np.uint64) << np.uint64(shift)
        shown.append(np.rint(channel * top) / top)
    rgb, alpha = np.stack(shown[:3], axis=2), shown[3][..., None]
    return words.astype(f"<u{bits // 8}").view(np.uint8), 255 * (rgb * alpha + 1 - alpha)


@pytest.mark.parametrize(
    ("header", "name", "top_down"),
    [
        (header, name, top_down)
        for header, name, top_down in itertools.product(
            (40, 52, 56, 108, 124), MASKS, (False, True)
        )
        if header >= 56 or not MASKS[name][1][3]
    ],
)
def test_bit_masks(header: int, name: str, top_down: bool) -> None:  # noqa: FBT001 (a parameter of pytest)
    """Any masks of 16 and 32 bits, in every header, in both directions."""
    bits, masks = MASKS[name]
    rows, expected = _packed(_values(4), masks, bits)
    image = decode(bmp(rows, bits, header, masks=masks, top_down=top_down), RULE)
    assert (WIDTH, HEIGHT, "BMP") == (image.width, image.height, image.format)
    assert np.abs(image.pixels - expected).max() <= 1.5


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("palette", ["colors", "greys", "identity", "short"])
def test_palettes(header: int, bits: int, palette: str) -> None:
    """Palettes of any header, also grey ones and ones that are not complete."""
    count = 1 << bits
    ramp = np.arange(count)
    colors = np.stack([ramp * 37 % 256, 255 - ramp * 11 % 256, ramp * 5 % 256], axis=1)
    if palette == "greys":
        colors = (ramp * 255 // (count - 1))[:, None].repeat(3, axis=1)
    elif palette == "identity":
        colors = ramp[:, None].repeat(3, axis=1)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    indices = (x * 3 + y * 5) % count
    if palette == "short":
        indices = np.minimum(indices, count // 2)
        colors = colors[: count // 2 + 1]
    shifts = np.arange(bits - 1, -1, -1)
    rows = np.packbits((indices[..., None] >> shifts & 1).reshape(HEIGHT, -1), axis=1)
    pixels = decode(bmp(rows, bits, header, palette=colors), RULE).pixels
    np.testing.assert_array_equal(colors[indices], pixels)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("bits", [16, 24, 32])
def test_true_color_without_masks(header: int, bits: int) -> None:
    """24 bits; 5-5-5 and 8-8-8 with bits that are not used."""
    values = _values(4)
    if bits == 24:
        expected = np.rint(values[..., :3] * 255)
        rows = expected[..., ::-1].astype(np.uint8).reshape(HEIGHT, -1)
    else:
        masks = (0x7C00, 0x3E0, 0x1F, 0) if bits == 16 else (0xFF0000, 0xFF00, 0xFF, 0)
        rows, expected = _packed(values, masks, bits)
        if bits == 32:
            rows = rows.copy()
            rows[:, 3::4] = 77
    pixels = decode(bmp(rows, bits, header), RULE).pixels
    assert np.abs(pixels - expected).max() <= 1


@pytest.mark.parametrize("header", [56, 108, 124])
def test_alpha_of_zeros_is_opaque(header: int) -> None:
    """An alpha channel that is zero everywhere is not used; one that is not, is."""
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    values = _values(4)
    values[..., 3] = 0
    rows, _ = _packed(values, masks, 32)
    pixels = decode(bmp(rows, 32, header, masks=masks), RULE).pixels
    assert np.abs(pixels - values[..., :3] * 255).max() <= 1
    values[3, 4, 3] = 1
    rows, expected = _packed(values, masks, 32)
    pixels = decode(bmp(rows, 32, header, masks=masks), RULE).pixels
    assert np.abs(pixels - expected).max() <= 1


@pytest.mark.parametrize("bits", [4, 8])
def test_run_lengths(bits: int) -> None:
    """Runs, literals, jumps and a bitmap that ends early, whose rest is the first color."""
    ramp = np.arange(1 << bits)
    colors = np.stack([255 - ramp, ramp * 9 % 256, ramp * 3 % 256], axis=1)
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[-1, :20] = 5
    expected[-2, 3:9] = [1, 2, 3, 4, 5, 6]
    literal = bytes([1, 2, 3, 4, 5, 6]) if bits == 8 else bytes([0x12, 0x34, 0x56, 0])
    run = 5 if bits == 8 else 0x55
    data = bytes([20, run, 0, 0, 0, 2, 3, 0, 0, 6]) + literal + bytes([0, 0, 0, 1])
    rows = np.frombuffer(data, np.uint8).reshape(1, -1)
    encoded = bmp(rows, bits, palette=colors, compression=1 if bits == 8 else 2)
    np.testing.assert_array_equal(colors[expected], decode(encoded, RULE).pixels)


@pytest.mark.parametrize(
    ("header", "bits", "compression", "name"),
    [
        (40, 0, 4, "JPEG"), (40, 0, 5, "PNG"), (40, 32, 11, "CMYK"), (64, 1, 3, "Huffman"),
        (64, 24, 4, "24-bit run lengths"), (40, 64, 0, "64 bits"), (40, 8, 99, "compression 99"),
    ],
)  # fmt: skip
def test_what_is_not_decoded_is_named(header: int, bits: int, compression: int, name: str) -> None:
    """Compressions and depths that are not decoded are `unsupported_format`."""
    data = bmp(np.zeros((HEIGHT, 84), np.uint8), bits, header, compression=compression)
    with pytest.raises(PictureError, match=name) as caught:
        decode(data, RULE)
    assert ErrorCode.UNSUPPORTED_FORMAT == caught.value.code


def test_missing_rows_are_told() -> None:
    """A cut file is `truncated`; the padding of the last row may be absent."""
    rows = np.zeros((HEIGHT, 3 * WIDTH), np.uint8)
    data = bmp(rows, 24)
    decode(data[:-1], RULE)
    with pytest.raises(PictureError, match="2 bytes are missing") as caught:
        decode(data[:-3], RULE)
    assert ErrorCode.TRUNCATED == caught.value.code
