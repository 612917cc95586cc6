"""Decoding: every photo format and mode, and no exception but `PictureError`."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import (
    DEFAULT_LIMITS,
    DecodedImage,
    Limits,
    Pixels,
    ResizeRule,
    decode,
    open_upright,
)
from tests.pictures import encoded, gradient, jpeg, noise, plain

# Pillow warns of damage that our rows tell anyway; the command line keeps that in its log.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
RULE = ResizeRule(24, 32)


def _as_is(image: Image.Image) -> ResizeRule:
    return ResizeRule(image.height, image.width, scaled_decode=None)


def _stored(upright: Pixels, orientation: int) -> Pixels:
    """Return how a camera stores `upright`, as described in EXIF 2.32, section 4.6.4."""
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: np.rot90(upright, -1),
    }
    return np.ascontiguousarray(turned[orientation])


def _code(data: bytes, limits: Limits = DEFAULT_LIMITS) -> ErrorCode:
    with pytest.raises(PictureError) as caught:
        decode(data, RULE, limits)
    return caught.value.code


@pytest.mark.parametrize("format_name", ["PNG", "BMP", "TIFF"])
def test_lossless_pixels_are_exact(format_name: str) -> None:
    """A picture of the input's size is returned pixel by pixel."""
    pixels = noise(24, 32)
    image = decode(encoded(Image.fromarray(pixels), format_name), RULE)
    assert (format_name, 32, 24) == (image.format, image.width, image.height)
    np.testing.assert_array_equal(pixels, image.pixels)


@pytest.mark.parametrize("format_name", ["JPEG", "WEBP", "HEIF", "AVIF", "GIF"])
def test_lossy_formats_are_close(format_name: str) -> None:
    """Lossy codecs change pixels little and keep the order of channels."""
    picture = gradient((64, 48))
    image = decode(encoded(picture, format_name), _as_is(picture))
    assert (format_name, 64, 48) == (image.format, image.width, image.height)
    difference = np.abs(np.asarray(picture, float) - image.pixels)
    assert difference.mean() < 8.0


@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "TIFF", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_upright(format_name: str, orientation: int) -> None:
    """All eight EXIF orientations give the same pixels and the upright size."""
    upright = noise(24, 32)
    options: dict[str, object] = {"lossless": True} if format_name == "WEBP" else {}
    if format_name == "JPEG":
        upright = np.asarray(gradient((32, 24)))
        options = {"quality": 100, "subsampling": 0}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(_stored(upright, orientation))
    data = encoded(stored, format_name, exif=exif, **options)
    image = decode(data, RULE)
    assert (32, 24) == (image.width, image.height)
    if format_name == "JPEG":
        assert np.abs(upright.astype(int) - image.pixels).max() <= 4
    else:
        np.testing.assert_array_equal(upright, image.pixels)
    assert (32, 24) == open_upright(data).size


@pytest.mark.parametrize("format_name", ["HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_phone_formats_come_upright_once(format_name: str, orientation: int) -> None:
    """Their decoders apply the orientation; it is not applied a second time."""
    upright = np.asarray(gradient((64, 48)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(_stored(upright, orientation))
    options = {"quality": 95} if format_name == "AVIF" else {"quality": 95, "chroma": 444}
    image = decode(encoded(stored, format_name, exif=exif.tobytes(), **options), ResizeRule(48, 64))
    assert (64, 48) == (image.width, image.height)
    assert np.abs(upright.astype(float) - image.pixels).mean() < 6.0


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_does_not_exist_is_none(orientation: int) -> None:
    """A wrong EXIF value changes nothing."""
    pixels = noise(24, 32)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(encoded(Image.fromarray(pixels), "PNG", exif=exif), RULE)
    np.testing.assert_array_equal(pixels, image.pixels)


def test_broken_exif_is_no_broken_picture() -> None:
    """A picture with damaged EXIF is decoded without orientation."""
    data = encoded(plain(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert (24, 32, 3) == decode(data, RULE).pixels.shape


def _sixteen_bit(value: int) -> bytes:
    return encoded(Image.fromarray(np.full((24, 32), value, np.uint16)), "PNG")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("bilevel", encoded(Image.new("1", (32, 24), 1), "PNG"), (255, 255, 255)),
        ("grey", encoded(Image.new("L", (32, 24), 77), "PNG"), (77, 77, 77)),
        ("grey, alpha", encoded(Image.new("LA", (32, 24), (0, 0)), "PNG"), (255, 255, 255)),
        ("opaque alpha", encoded(Image.new("RGBA", (32, 24), (9, 8, 7, 255)), "PNG"), (9, 8, 7)),
        ("clear", encoded(Image.new("RGBA", (32, 24), (9, 8, 7, 0)), "PNG"), (255, 255, 255)),
        ("palette", encoded(plain((10, 20, 30)).quantize(4), "PNG"), (10, 20, 30)),
        (
            "palette, clear",
            encoded(plain((10, 20, 30)).quantize(4), "PNG", transparency=0),
            (255, 255, 255),
        ),
        ("transparent GIF", encoded(plain().quantize(4), "GIF", transparency=0), (255, 255, 255)),
        ("rgb with a transparent color", encoded(plain((1, 2, 3)), "PNG", transparency=(1, 2, 3)),
         (255, 255, 255)),
        ("16 bit, dark", _sixteen_bit(255), (0, 0, 0)),
        ("16 bit, middle", _sixteen_bit(0x8012), (0x80, 0x80, 0x80)),
        ("16 bit, white", _sixteen_bit(65535), (255, 255, 255)),
        (
            "16 bit TIFF",
            encoded(Image.fromarray(np.full((24, 32), 0x4000, np.uint16)), "TIFF"),
            (0x40, 0x40, 0x40),
        ),
        (
            "32 bit TIFF",
            encoded(Image.fromarray(np.full((24, 32), 0x4000, np.int32)), "TIFF"),
            (0x40, 0x40, 0x40),
        ),
        (
            "float TIFF",
            encoded(Image.fromarray(np.full((24, 32), 0.5, np.float32)), "TIFF"),
            (127, 127, 127),
        ),
        ("CMYK TIFF", encoded(Image.new("CMYK", (32, 24), (0, 255, 255, 0)), "TIFF"), (255, 0, 0)),
        ("CMYK JPEG", encoded(Image.new("CMYK", (32, 24), (0, 255, 255, 0)), "JPEG"), (254, 0, 0)),
        ("grey JPEG", encoded(Image.new("L", (32, 24), 77), "JPEG"), (77, 77, 77)),
        ("LAB TIFF", encoded(Image.new("LAB", (32, 24), (255, 128, 128)), "TIFF"), None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_mode_becomes_rgb(
    name: str, data: bytes, expected: tuple[int, int, int] | None
) -> None:
    """Each pixel mode becomes 8-bit RGB, with transparent pixels on white."""
    pixels = decode(data, RULE).pixels
    assert ("uint8", (24, 32, 3)) == (str(pixels.dtype), pixels.shape), name
    if expected is not None:
        assert np.abs(pixels.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_an_animation_is_its_first_frame(format_name: str) -> None:
    """Of several frames or pages the first one is decoded."""
    frames = [plain((200, 0, 0)), plain((0, 200, 0)), plain((0, 0, 200))]
    data = encoded(frames[0], format_name, save_all=True, append_images=frames[1:])
    assert np.abs(decode(data, RULE).pixels.mean(axis=(0, 1)) - (200, 0, 0)).max() < 8


def test_a_multi_picture_jpeg_is_its_first() -> None:
    """The row of a phone's MPO says JPEG, and its first picture is decoded."""
    frames = [plain((200, 0, 0)), plain((0, 200, 0))]
    image = decode(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:]), RULE)
    assert "JPEG" == image.format
    assert np.abs(image.pixels.mean(axis=(0, 1)) - (200, 0, 0)).max() < 8


def test_open_upright_bounds_the_longest_side() -> None:
    """A thumbnail keeps the aspect ratio and is never larger than requested."""
    data = encoded(gradient((800, 600)), "JPEG")
    assert (160, 120) == open_upright(data, 160).size
    assert (800, 600) == open_upright(data).size
    assert (800, 600) == open_upright(data, 5000).size


def test_open_upright_agrees_with_pillow() -> None:
    """The image for display equals the one that Pillow's own transpose makes."""
    exif = Image.Exif()
    exif[0x0112] = 7
    data = encoded(Image.fromarray(noise(20, 30)), "PNG", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    np.testing.assert_array_equal(np.asarray(expected), np.asarray(open_upright(data)))


def test_limits_are_told_from_the_header() -> None:
    """Too many bytes, pixels or decoded pixels are refused with a code and both numbers."""
    data = encoded(gradient((400, 300)), "PNG")
    assert ErrorCode.TOO_LARGE == _code(data, Limits(max_bytes=len(data) - 1))
    assert ErrorCode.TOO_MANY_PIXELS == _code(data, Limits(max_pixels=119_999))
    assert ErrorCode.TOO_MANY_PIXELS == _code(data, Limits(max_decoded_pixels=119_999))
    decode(data, RULE, Limits(len(data), 120_000, 120_000))


def test_a_large_jpeg_is_judged_by_what_is_decoded() -> None:
    """A JPEG above `max_decoded_pixels` is decoded if its scaled decode is below it."""
    data = encoded(gradient((800, 600)), "JPEG")
    limits = Limits(max_decoded_pixels=200_000)
    assert (24, 32, 3) == decode(data, RULE, limits).pixels.shape
    full = ResizeRule(24, 32, scaled_decode=None)
    with pytest.raises(PictureError, match="800 x 600 pixels are more than the limit of 200,000"):
        decode(data, full, limits)


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF", "HEIF"])
def test_no_pixel_is_decoded_of_a_picture_that_is_too_large(format_name: str) -> None:
    """Sizes are checked before decoding, so damage behind the header is not noticed.

    The containers of TIFF, WebP and AVIF are looked at as a whole when they are opened.
    """
    data = encoded(Image.fromarray(noise(75, 100)), format_name)
    if format_name not in {"TIFF", "WEBP", "AVIF"}:
        data = data[: len(data) * 9 // 10]
    assert ErrorCode.TOO_MANY_PIXELS == _code(data, Limits(max_decoded_pixels=1000))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", ErrorCode.EMPTY),
        (b"sausages and buns", ErrorCode.NOT_AN_IMAGE),
        (b"\0" * 64, ErrorCode.NOT_AN_IMAGE),
        (b"8BPS\0\1" + bytes(40), ErrorCode.UNSUPPORTED_FORMAT),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", ErrorCode.UNSUPPORTED_FORMAT),
        (b"\xef\xbb\xbf  <svg xmlns=", ErrorCode.UNSUPPORTED_FORMAT),
        (b"\xff\xd8\xff", ErrorCode.TRUNCATED),
        (b"\x89PNG\r\n\x1a\n", ErrorCode.TRUNCATED),
        (b"GIF89a", ErrorCode.TRUNCATED),
        (jpeg(size=(200, 150))[:400], ErrorCode.TRUNCATED),
        (encoded(gradient((200, 150)), "HEIF")[:600], ErrorCode.TRUNCATED),
        (encoded(gradient((200, 150)), "TIFF")[:600], ErrorCode.TRUNCATED),
        (encoded(gradient((200, 150)), "WEBP")[:300], ErrorCode.CORRUPT),
        (encoded(gradient((200, 150)), "JPEG")[:-900], ErrorCode.TRUNCATED),
        (encoded(Image.fromarray(noise(60, 80)), "PNG")[:9000], ErrorCode.TRUNCATED),
        (encoded(plain(), "BMP")[:200], ErrorCode.TRUNCATED),
    ],
)
def test_codes(data: bytes, code: ErrorCode) -> None:
    """Each kind of broken picture has its error code."""
    assert code == _code(data)


def test_messages_name_no_addresses() -> None:
    """The same bytes give the same message, without the address of an object."""
    for data in (b"\xff\xd8\xff\xe0abc", b"RIFF____WEBPVP8 ", b"II*\0\x08\0\0\0\0\0", b"GIF89a123"):
        with pytest.raises(PictureError) as caught:
            decode(data, RULE)
        assert "0x" not in str(caught.value)
        assert "BytesIO" not in str(caught.value)


_MAGIC = st.sampled_from(
    [
        b"",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x05\0\0\0\x05\x08\x02\0\0\0",
        b"RIFF\x20\0\0\0WEBPVP8 ",
        b"GIF89a\x05\0\x05\0\x80\0\0",
        b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
        b"II*\0\x08\0\0\0",
        b"MM\0+\0\x08\0\0",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
    ]
)


@settings(max_examples=300, deadline=None)
@given(_MAGIC, st.binary(max_size=300))
def test_any_bytes_give_a_picture_or_a_picture_error(magic: bytes, rest: bytes) -> None:
    """Any bytes raise `PictureError` or nothing."""
    try:
        image = decode(magic + rest, RULE)
    except PictureError:
        return
    assert isinstance(image, DecodedImage)


_WHOLE = {
    name: encoded(gradient((40, 30)), name)
    for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(_WHOLE)), st.data())
def test_any_damage_gives_a_picture_or_a_picture_error(name: str, data: st.DataObject) -> None:
    """A picture with changed bytes and a missing end raises `PictureError` or nothing."""
    damaged = bytearray(_WHOLE[name])
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(1, len(damaged)))
    try:
        image = decode(bytes(damaged[:end]), RULE)
    except PictureError:
        return
    assert image.pixels.shape == (24, 32, 3)
