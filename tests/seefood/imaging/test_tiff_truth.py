"""Every layout of TIFF samples is read right, or refused by name."""

import itertools
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import ResizeRule, decode
from tests.pictures import encoded
from tests.tiff_files import COMPRESSIONS, DEFLATE, LZW, NONE, Tiff, tiff

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
HEIGHT, WIDTH = 19, 37
RULE = ResizeRule(HEIGHT, WIDTH, scaled_decode=None)
COLORS = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3, 32803: 1, 32845: 3}
ORDERS = ("little", "big")


def picture(samples: int) -> NDArray[np.float64]:
    """Return values in [0, 1] of shape (HEIGHT, WIDTH, samples), different in every sample."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack(
        [(x * (3 + 2 * n) + y * (11 - n) + 7 * n) % 101 / 100 for n in range(samples)], axis=2
    )


def stored(values: NDArray[np.float64], how: Tiff) -> NDArray[Any]:
    """Return `values` as the samples that `how` stores."""
    if how.sample_format == 3:
        return values.astype(f"f{how.bits // 8}")
    top = (1 << min(how.bits, 48)) - 1
    return np.rint(values * top).astype(np.uint64)


def seen(values: NDArray[np.float64], how: Tiff) -> NDArray[np.float64]:
    """Return what a person sees of `values`, as RGB in [0, 255]."""
    colors = COLORS[how.photometric]
    color = values[..., :colors]
    if how.photometric == 0:
        color = 1 - color
    elif how.photometric == 3:
        indices = stored(color, how)[..., 0].astype(int)
        color = palette(how.bits)[indices] / 65535
    elif how.photometric == 5:
        color = (1 - color[..., :3]) * (1 - color[..., 3:])
    elif how.photometric == 6:
        luma, blue, red = (255 * color[..., n] - (128 if n else 0) for n in range(3))
        rgb = (luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue)
        color = np.clip(np.stack(rgb, axis=2) / 255, 0, 1)
    if color.shape[2] == 1:
        color = color.repeat(3, axis=2)
    kinds = [kind for kind in (how.extra or ()) if kind in (1, 2)]
    if kinds:
        alpha = values[..., colors + list(how.extra or ()).index(kinds[0])][..., None]
        color = np.clip(color + 1 - alpha, 0, 1) if kinds[0] == 1 else color * alpha + 1 - alpha
    return 255 * color


def palette(bits: int) -> NDArray[Any]:
    """Return a color map of shape (colors, 3), 16-bit values."""
    count = 1 << bits
    ramp = np.arange(count) * 65535 // max(1, count - 1)
    return np.stack([ramp, 65535 - ramp, (ramp * 7) % 65536], axis=1)


def made(how: Tiff) -> tuple[bytes, NDArray[np.float64]]:
    """Return a TIFF, and what it shows."""
    colors = COLORS[how.photometric]
    values = picture(colors + len(how.extra or ()))
    if how.extra and 1 in how.extra:  # premultiplied colors are at most alpha
        alpha = values[..., colors + how.extra.index(1)][..., None]
        values[..., :colors] *= alpha
    if how.photometric == 3:
        how = replace(how, tags={**how.tags, 320: (3, palette(how.bits).T.ravel().tolist())})
    if how.photometric == 6:
        how = replace(how, tags={**how.tags, 530: (3, [1, 1])})
    samples = stored(values, how)
    if how.sample_format != 3:
        values = samples / float((1 << min(how.bits, 48)) - 1)
    return tiff(samples, how), seen(values, how)


def outcome(data: bytes, expected: NDArray[np.float64], tolerance: float = 2.1) -> str:
    """Return "right" or "refused"; anything else fails."""
    try:
        pixels = decode(data, RULE).pixels
    except PictureError as error:
        assert ErrorCode.UNSUPPORTED_FORMAT == error.code, error  # noqa: PT017
        return "refused"
    difference = np.abs(pixels - expected).max()
    assert difference <= tolerance, f"differs by {difference}"
    return "right"


def layouts() -> Iterator[Tiff]:
    """Yield the table of samples in strips, stored plainly and compressed."""
    extras: tuple[tuple[int, ...] | None, ...] = (None, (0,), (1,), (2,), (0, 2))
    for photometric, bits, planar, order, compression, extra in itertools.product(
        (0, 1, 2, 3, 5, 6), (1, 2, 4, 6, 8, 10, 12, 14, 16, 24, 32, 64), (False, True), ORDERS,
        (NONE, DEFLATE), extras,
    ):  # fmt: skip
        if planar and COLORS[photometric] + len(extra or ()) == 1:
            continue
        if (photometric == 3 and bits > 12) or (photometric == 6 and bits != 8):
            continue
        yield Tiff(photometric, bits, 1, order, planar, compression, extra=extra)  # type: ignore[arg-type]
    for photometric, bits, planar, order, compression, extra in itertools.product(
        (0, 1, 2, 5), (16, 32, 64), (False, True), ORDERS, (NONE, DEFLATE), (None, (2,))
    ):
        if planar and COLORS[photometric] + len(extra or ()) == 1:
            continue
        yield Tiff(photometric, bits, 3, order, planar, compression, extra=extra)  # type: ignore[arg-type]


def predicted() -> Iterator[Tiff]:
    """Yield layouts with predictors, tiles, other compressions and BigTIFF."""
    for photometric, bits, planar, order, tile, predictor in itertools.product(
        (0, 1, 2), (8, 16, 32), (False, True), ORDERS, (None, (16, 32)), (1, 2)
    ):
        if planar and photometric < 2:
            continue
        for sample_format in (1, 3):
            if (sample_format, bits) == (3, 8):
                continue
            kind = 3 if sample_format == 3 and predictor == 2 else predictor
            yield Tiff(photometric, bits, sample_format, order, planar, LZW, kind, tile=tile)  # type: ignore[arg-type]
    for compression, bits, photometric, big in itertools.product(
        COMPRESSIONS.values(), (1, 8, 16), (0, 1, 2), (False, True)
    ):
        yield Tiff(photometric, bits, compression=compression, is_big=big)
    for bits, compression, photometric in itertools.product(
        (1, 2, 4, 8, 12), (NONE, DEFLATE), (0, 1, 2)
    ):
        yield Tiff(photometric, bits, fill_order=2, compression=compression)


def _table(rows: Iterator[Tiff]) -> Counter[str]:
    counts: Counter[str] = Counter()
    wrong = []
    for how in rows:
        data, expected = made(how)
        try:
            counts[outcome(data, expected)] += 1
        except AssertionError as error:
            wrong.append((how, str(error)))
    assert [] == wrong[:20]
    return counts


def test_every_layout_is_right_or_refused() -> None:
    """Photometric x bits x format x planes x byte order x compression x extra samples."""
    assert {"right": 1700, "refused": 584} == _table(layouts())


def test_every_compression_is_right() -> None:
    """Predictors, tiles, compressions, bit orders and BigTIFF."""
    assert {"right": 298} == _table(predicted())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_orientations(orientation: int, bits: int) -> None:
    """Both decoders apply the orientation."""
    turns: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90,
    }
    data, expected = made(Tiff(2, bits, orientation=orientation))
    upright = turns[orientation](expected)
    rule = ResizeRule(upright.shape[0], upright.shape[1], scaled_decode=None)
    image = decode(data, rule)
    assert upright.shape[:2] == (image.height, image.width)
    assert np.abs(image.pixels - upright).max() <= 2


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.0, 0.5, 1.0), (0, 127, 255)),
        ((0.0, 0.5, 1.04), (0, 127, 255)),
        ((0.0, 127.0, 255.0), (0, 127, 255)),
        ((np.nan, -3.0, 1.0), (0, 0, 255)),
        ((0.0, 0.0, 0.0), (0, 0, 0)),
        ((0.0, 1.0, 4.0), None),
        ((0.0, 1000.0, 65535.0), None),
        ((0.0, 1.0, np.inf), (0, 255, 0)),
    ],
)
def test_floating_point_has_a_known_range_or_is_refused(
    values: tuple[float, ...], expected: tuple[int, ...] | None
) -> None:
    """Values in 0 to 1 or 0 to 255 are read; others have no known white."""
    _check_row(np.array(values)[None, :, None], Tiff(1, 32, 3), expected)


@pytest.mark.parametrize(
    ("values", "signed", "expected"),
    [
        ((0, 0x4000, 0xFFFF), True, (0, 0x40, 0xFF)),
        ((0, 0x4000, 0xFFFF), False, (0, 0x40, 0xFF)),
        ((0, 1 << 31, (1 << 32) - 1), False, (0, 0x80, 0xFF)),
        ((0, 100, 255), False, None),
        ((0, 100, 1 << 20), False, None),
        ((0, 100, (1 << 31) - 1), True, None),
        ((-5, 100, 60000), True, None),
    ],
)
def test_wide_integers_have_a_known_range_or_are_refused(
    values: tuple[int, ...],
    signed: bool,  # noqa: FBT001 (a parameter of pytest)
    expected: tuple[int, ...] | None,
) -> None:
    """32-bit integers hold 16-bit values or use all bits; of others no white is known."""
    how = Tiff(1, 32, 2 if signed else 1)
    _check_row(np.array(values, np.int64)[None, :, None], how, expected)


def _check_row(samples: NDArray[Any], how: Tiff, expected: tuple[int, ...] | None) -> None:
    data, rule = tiff(samples, how), ResizeRule(1, samples.shape[1], scaled_decode=None)
    if expected is None:
        with pytest.raises(PictureError, match="black and white are not known") as caught:
            decode(data, rule)
        assert ErrorCode.UNSUPPORTED_FORMAT == caught.value.code
    else:
        assert list(expected) == decode(data, rule).pixels[0, :, 0].tolist()


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("signed samples", Tiff(1, 16, 2)),
        ("signed samples", Tiff(1, 8, 2)),
        ("sample format 6", Tiff(1, 64, 6)),
        ("color filter arrays|camera's raw", Tiff(32803, 16)),
        ("LogLuv", Tiff(32845, 16)),
        ("JPEG 2000", Tiff(2, compression=33003)),
        ("LERC", Tiff(2, compression=34887)),
        ("JPEG XL", Tiff(2, compression=50002)),
        ("number 4711", Tiff(2, compression=4711)),
        ("different bits", Tiff(2, tags={258: (3, [5, 6, 5])})),
        ("nothing says what the last ones are", Tiff(1, tags={277: (3, [2])})),
        ("inks that are not CMYK", Tiff(5, tags={332: (3, [2])})),
        ("subsampled YCbCr", Tiff(6, tags={530: (3, [2, 2])})),
        ("no photometric", Tiff(1, tags={262: (1, [])})),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_layouts_without_a_reader_are_named(name: str, how: Tiff) -> None:
    """What is not decoded is `unsupported_format`, with the reason."""
    samples = np.zeros((HEIGHT, WIDTH, COLORS[how.photometric]), np.uint8)
    with pytest.raises(PictureError, match=name) as caught:
        decode(tiff(samples, how), RULE)
    assert ErrorCode.UNSUPPORTED_FORMAT == caught.value.code


def test_a_palette_of_8_bit_values_is_taken_so() -> None:
    """Some writers fill the color map with values up to 255."""
    ramp = np.arange(256)
    how = Tiff(3, tags={320: (3, [*ramp, *ramp[::-1], *ramp])})
    samples = np.arange(6, dtype=np.uint8).reshape(2, 3, 1) * 40
    pixels = decode(tiff(samples, how), ResizeRule(2, 3)).pixels
    expected = np.concatenate([samples, 255 - samples, samples], axis=2)
    np.testing.assert_array_equal(expected, pixels)


@pytest.mark.parametrize("format_name", ["jpeg", "group4", "group3", "tiff_ccitt"])
def test_other_compressions_of_pillow_are_right(format_name: str) -> None:
    """JPEG and fax compressions of grey, RGB, YCbCr and one bit."""
    y, x = np.mgrid[0:48, 0:64]
    if format_name == "jpeg":
        smooth = np.stack([x * 4, y * 5, x + y], axis=2).astype(np.uint8)
        for image in (Image.fromarray(smooth), Image.fromarray(smooth[..., 0])):
            data = encoded(image, "TIFF", compression="jpeg", quality=95)
            difference = decode(data, ResizeRule(48, 64)).pixels - np.asarray(
                image.convert("RGB"), int
            )
            assert np.abs(difference).mean() < 3
        return
    bits = Image.fromarray(((x // 5 + y // 3) % 2 * 255).astype(np.uint8)).convert("1")
    pixels = decode(encoded(bits, "TIFF", compression=format_name), ResizeRule(48, 64)).pixels
    np.testing.assert_array_equal(np.asarray(bits.convert("RGB")), pixels)


@pytest.mark.parametrize("how", [Tiff(2, 8), Tiff(2, 16), Tiff(0, 16)])
def test_a_thumbnail_is_not_the_picture(how: Tiff) -> None:
    """A reduced copy in front (NewSubfileType 1) is passed over, whoever decodes."""
    data, expected = made(how)
    tags = {254: 1, 256: 2, 257: 2, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 2, 279: 4}
    entries = b"".join(struct.pack("<HHLL", tag, 4, 1, value) for tag, value in tags.items())
    data += b"\0" * (len(data) % 2)
    reduced = struct.pack("<H", len(tags)) + entries + data[4:8]
    image = decode(data[:4] + struct.pack("<L", len(data)) + data[8:] + reduced, RULE)
    assert (WIDTH, HEIGHT) == (image.width, image.height)
    assert np.abs(image.pixels - expected).max() <= 2


def test_a_file_cut_behind_its_thumbnail_is_truncated() -> None:
    """The thumbnail is no answer for a picture that is not there."""
    data, _ = made(Tiff(2, 8, tags={254: (4, [1])}))
    count = struct.unpack_from("<H", data, struct.unpack_from("<L", data, 4)[0])[0]
    at = struct.unpack_from("<L", data, 4)[0] + 2 + 12 * count
    behind = struct.pack("<L", len(data) + 1000)
    with pytest.raises(PictureError) as caught:
        decode(data[:at] + behind + data[at + 4 :], RULE)
    assert ErrorCode.TRUNCATED is caught.value.code


@pytest.mark.parametrize("how", [Tiff(2, 16), Tiff(2, 8), Tiff(0, 16), Tiff(2, 16, planar=True)])
def test_a_cut_file_is_truncated(how: Tiff) -> None:
    """Missing strips are told, whoever decodes."""
    data, _ = made(replace(how, tags={273: (4, [1 << 20] * (9 if how.planar else 3))}))
    with pytest.raises(PictureError) as caught:
        decode(data, RULE)
    assert caught.value.code in (ErrorCode.TRUNCATED, ErrorCode.CORRUPT)
