"""Colors, metadata and ends of JPEGs."""

import base64
import re
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import Pixels, ResizeRule, decode, open_upright
from tests.pictures import encoded, gradient, noise

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
WIDTH, HEIGHT = 72, 56
RULE = ResizeRule(HEIGHT, WIDTH, scaled_decode=None)
PICTURE = gradient((WIDTH, HEIGHT))
START = b"\xff\xd8"


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _markers(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of the segments before the first scan."""
    at = 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 1], at, end
        at = end


def bare(data: bytes, insert: bytes = b"") -> bytes:
    """Return a JPEG without application segments, with `insert` in their place."""
    parts = [data[start:end] for marker, start, end in _markers(data) if marker < 0xE0]
    last = max(end for _, _, end in _markers(data))
    return START + insert + b"".join(parts) + data[last:]


def adobe(transform: int) -> bytes:
    """Return Adobe's marker."""
    return segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")


def _four(transform: int | None, values: Pixels) -> bytes:
    """Return a JPEG whose four components are `values`, with Adobe's marker or without."""
    data = encoded(Image.fromarray(255 - values, "CMYK"), "JPEG", quality=100, subsampling=0)
    return bare(data, b"" if transform is None else adobe(transform))


def _mean_difference(data: bytes, expected: "np.typing.NDArray[np.float64]") -> float:
    return float(np.abs(decode(data, RULE).pixels - expected).mean())


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("head", [b"", JFIF, adobe(1), JFIF + adobe(1)])
def test_ycbcr(subsampling: int, progressive: bool, head: bytes) -> None:  # noqa: FBT001 (parameters of pytest)
    """Three components are YCbCr, with JFIF, with Adobe's marker, or with nothing."""
    options = {"quality": 95, "subsampling": subsampling, "progressive": progressive}
    data = bare(encoded(PICTURE, "JPEG", **options), head)
    assert _mean_difference(data, np.asarray(PICTURE, float)) < 2.5


@pytest.mark.parametrize("head", [b"", adobe(0)], ids=["component names RGB", "Adobe 0"])
def test_rgb_without_a_transform(head: bytes) -> None:
    """RGB by component names, and by Adobe's marker."""
    data = encoded(PICTURE, "JPEG", quality=95, keep_rgb=True, subsampling=0)
    assert _mean_difference(bare(data, head), np.asarray(PICTURE, float)) < 2.5


def test_cmyk_and_ycck() -> None:
    """Adobe's CMYK and YCCK are inverted, as every program that writes them does it."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    inks = np.stack([x * 3, y * 4, x + y, 40 + y], axis=2).clip(0, 255).astype(np.uint8)
    shown = (255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255.0
    assert _mean_difference(_four(0, 255 - inks), shown) < 2.5
    # In YCCK, 255 minus each inverted ink is taken for red, green or blue (libjpeg, jccolor.c).
    luma = np.asarray(Image.fromarray(inks[..., :3]).convert("YCbCr"))
    assert _mean_difference(_four(2, np.dstack([luma, 255 - inks[..., 3]])), shown) < 3.5


def test_cmyk_of_unknown_polarity_is_refused() -> None:
    """Without Adobe's marker nothing says whether the inks are inverted."""
    values = noise(HEIGHT, WIDTH)
    with pytest.raises(PictureError, match="whether its inks are inverted") as caught:
        decode(_four(None, np.dstack([values, values[..., :1]])), RULE)
    assert ErrorCode.UNSUPPORTED_FORMAT == caught.value.code


# gradient((40, 24)) by libjpeg-turbo's `cjpeg -quality 75 -arithmetic`; Pillow cannot write these.
_ARITHMETIC = {
    "sequential": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIs"
        "IxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy"
        "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/yQARCAAYACgDASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIR"
        "AxEAPwD/ALwQCfkhQboiQipNWiYjct+IoPXRG+8QbtTCm/Lm0J9yrIAQcYNkmTaEJ5UvIWy9jB5vPdxcJE0vYt25"
        "hSELf4RdFQnBWaFEq8DIipvwOy9pB6IYaeLGbt6sfBSv6PplbwsohdHQ6O5xbOMRLE+a/9k="
    ),
    "progressive": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIs"
        "IxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy"
        "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/ygARCAAYACgDASIAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAA"
        "Af8AeJyDJVx8VUohEZdAe3/hhQyB3OYuQsNK/v2ZK8T/zAAEEAX/2gAIAQEAAQUCEiXAz4cHPLpKCP/MAAQRBf/a"
        "AAgBAwEBPwETeNX2zFqzoXGGghF7QP/MAAQRBf/aAAgBAgEBPwFKxaH2BmteCNz/zAAEEAX/2gAIAQEABj8CsP/M"
        "AAQQBf/aAAgBAQABPyGmMd3PGmDI/9oADAMBAAIAAwAAABA5CLBPQP/MAAQRBf/aAAgBAwEBPxDVHJs4UvwJIP/M"
        "AAQRBf/aAAgBAgEBPxAfKOuHsUD/zAAEEAX/2gAIAQEAAT8QTCAdS+yA/9k="
    ),
}


@pytest.mark.parametrize("name", _ARITHMETIC)
@pytest.mark.parametrize("before", [0, 65_400])
def test_arithmetic_codes(name: str, before: int) -> None:
    """Also across the blocks of 64 kB in which Pillow reads; cut ones are `truncated`."""
    data = base64.b64decode(_ARITHMETIC[name])
    data = bare(data, JFIF + segment(0xFE, bytes(before)))
    expected = np.asarray(gradient((40, 24)), float)
    rule = ResizeRule(24, 40, scaled_decode=None)
    assert np.abs(decode(data, rule).pixels - expected).mean() < 2.5
    with pytest.raises(PictureError) as caught:
        decode(data[:-60], rule)
    assert ErrorCode.TRUNCATED == caught.value.code


def _with_frame(marker: int = 0xC0, bits: int = 8) -> bytes:
    data = bytearray(encoded(PICTURE, "JPEG"))
    at = next(start for kind, start, _ in _markers(bytes(data)) if kind == 0xC0)
    data[at + 1], data[at + 4] = marker, bits
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (_with_frame(0xC1, 12), "12-bit"),
        (_with_frame(0xC3, 12), "lossless"),
        (_with_frame(0xC3, 16), "lossless"),
        (_with_frame(0xC5), "hierarchical"),
        (_with_frame(0xC6), "hierarchical"),
        (_with_frame(0xF7), "JPEG-LS"),
        (encoded(PICTURE, "JPEG").replace(b"\3\1\x22\0\2\x11", b"\2\1\x22\0\2\x11"), "2-component"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kinds_that_are_not_decoded_are_named(data: bytes, name: str) -> None:
    """12 bits, lossless, hierarchical and JPEG-LS are `unsupported_format`."""
    with pytest.raises(PictureError, match=name) as caught:
        decode(data, RULE)
    assert ErrorCode.UNSUPPORTED_FORMAT == caught.value.code


_MPF = b"MPF\0MM\0*\0\0\0\x08\0\3\xb0\0\0\7\0\0\0\0040100\xb0\1\0\4\0\0\0\1\0\0\0\x09"
_NOT_PIXELS = {
    "short APP14": segment(0xEE, b"Adobe"),
    "APP14 without a transform": segment(0xEE, b"Adobe\0\x64\0\0"),
    "short APP0": segment(0xE0, b"JFIF\0"),
    "short APP0, one byte": segment(0xE0, b"J"),
    "empty APP0 to APP15": b"".join(segment(0xE0 + n, b"") for n in range(16)),
    "garbage in EXIF": segment(0xE1, b"Exif\0\0" + bytes(range(256)) * 99),
    "cut EXIF": segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\7"),
    "EXIF in two segments": segment(0xE1, b"Exif\0\0MM") * 2,
    "garbage in XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<<<\xff\xfe"),
    "cut ICC": segment(0xE2, b"ICC_PROFILE\0"),
    "ICC of missing parts": segment(0xE2, b"ICC_PROFILE\0\2\5abc"),
    "cut MPF": segment(0xE2, _MPF[:20]),
    "MPF of nine pictures that are not there": segment(0xE2, _MPF),
    "short MPF": segment(0xE2, b"MPF\0"),
    "FlashPix": segment(0xE2, b"FPXR\0"),
    "JUMBF": segment(0xEB, b"JP\0\1" + bytes(60_000)) * 20,
    "Photoshop without content": segment(0xED, b"Photoshop 3.0\x008BIM"),
    "Photoshop of a wrong size": segment(0xED, b"Photoshop 3.0\x008BIM\3\xed\0\0\xff\xff\xff\xff"),
    "short resolution of Photoshop": segment(0xED, b"Photoshop 3.0\x008BIM\3\xed\0\0\0\0\0\2ab"),
    "large comment": segment(0xFE, b"?" * 65_000) * 30,
    "bytes between segments": JFIF + b"\0\1\2\3",
}  # fmt: skip


@pytest.mark.parametrize("name", _NOT_PIXELS)
@pytest.mark.parametrize("ends", [True, False])
def test_segments_that_are_not_pixels_fail_nothing(name: str, ends: bool) -> None:  # noqa: FBT001 (a parameter of pytest)
    """Application segments and comments of any size and damage leave the pixels as they are."""
    whole = encoded(PICTURE, "JPEG", quality=95)
    data = bare(whole, _NOT_PIXELS[name])
    expected = decode(whole, RULE).pixels
    np.testing.assert_array_equal(expected, decode(data if ends else data[:-2], RULE).pixels)


def test_the_orientation_survives_damage() -> None:
    """The metadata that is removed does not take the orientation with it."""
    exif = segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\3\0\0\0\0\0\0")
    whole = encoded(PICTURE, "JPEG", quality=95)
    turned = decode(bare(whole, exif + segment(0xEE, b"Adobe")), RULE).pixels
    np.testing.assert_array_equal(decode(whole, RULE).pixels[::-1, ::-1], turned)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restart", [0, 1, 3])
@pytest.mark.parametrize("colors", ["RGB", "L"])
def test_only_a_whole_picture_may_lack_its_end(
    progressive: bool,  # noqa: FBT001 (a parameter of pytest)
    restart: int,
    colors: str,
) -> None:
    """Without the end marker a picture is whole; cut anywhere else it is `truncated`."""
    picture = Image.fromarray(noise(HEIGHT, WIDTH)).convert(colors)
    options = {"quality": 80, "progressive": progressive, "restart_marker_blocks": restart}
    data = encoded(picture, "JPEG", **options)
    expected = decode(data, RULE).pixels
    for whole in (data[:-2], data[:-1], data[:-2] + bytes(700), data[:-2] + b"\xff"):
        np.testing.assert_array_equal(expected, decode(whole, RULE).pixels)
    scan = data.index(b"\xff\xda")
    boundaries = {match.start() for match in re.finditer(rb"\xff[\xc4\xd0-\xd7\xda]", data[:-2])}
    ends = {*boundaries, *(at + 2 for at in boundaries), *range(scan + 40, len(data) - 12, 97)}
    for end in sorted(end for end in ends if end > scan + 14):
        with pytest.raises(PictureError) as caught:
            decode(data[:end], RULE)
        assert ErrorCode.TRUNCATED == caught.value.code, (end, len(data))


def test_a_cut_picture_is_shown() -> None:
    """For display a truncated JPEG is as good as its upper part."""
    data = encoded(PICTURE, "JPEG", quality=95)
    assert (WIDTH, HEIGHT) == open_upright(data[: len(data) * 2 // 3]).size
    assert (WIDTH, HEIGHT) == open_upright(data[:-2]).size
