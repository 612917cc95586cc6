"""The perceptual hash and the time of exposure that rows state."""

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import ExifTags, Image

from seefood.imaging.decode import decode
from seefood.imaging.perceptual_hash import BITS
from seefood.imaging.resize_rule import ResizeRule
from seefood.synthetic import draw_picture

RULE = ResizeRule(96, 96)
NOON = "2026:11:23 12:00:00"


def _bytes(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    sink = io.BytesIO()
    image.save(sink, kind, **options)
    return sink.getvalue()


def _hash(data: bytes, rule: ResizeRule = RULE) -> str:
    phash = decode(data, rule).phash
    assert phash is not None
    return phash


def _distance(first: str, second: str) -> int:
    return (int(first, 16) ^ int(second, 16)).bit_count()


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """Return a drawn picture."""
    return draw_picture("pizza", 3, (320, 240))


def test_altered_copies_have_close_hashes(picture: Image.Image) -> None:
    """Resized, recompressed, brightened and re-encoded copies differ in at most 8 of 64 bits."""
    original = _hash(_bytes(picture, "PNG"))
    brighter = picture.point(lambda value: min(255, int(value * 1.2)))
    copies = [
        _bytes(picture.resize((120, 90)), "PNG"),
        _bytes(picture, quality=30),
        _bytes(brighter),
        _bytes(picture, "WEBP", quality=60),
    ]
    assert all(_distance(original, _hash(copy)) <= 8 for copy in copies)


def test_other_pictures_have_far_hashes(picture: Image.Image) -> None:
    """A turned or another picture differs in about half of the bits."""
    original = _hash(_bytes(picture))
    turned = _hash(_bytes(picture.transpose(Image.Transpose.ROTATE_90)))
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (80, 80, 3), dtype=np.uint8))
    assert _distance(original, turned) > BITS // 5
    assert _distance(original, _hash(_bytes(noise))) > BITS // 5


@pytest.mark.parametrize("rule", [RULE, ResizeRule(96, 96, fit="crop")], ids=["stretch", "crop"])
def test_the_hash_is_of_the_whole_upright_picture(picture: Image.Image, rule: ResizeRule) -> None:
    """EXIF orientation changes nothing, and a network's crop little."""
    wide = picture.resize((400, 200))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = wide.transpose(Image.Transpose.ROTATE_90)
    turned = _bytes(stored, quality=95, exif=exif)
    assert _distance(_hash(_bytes(wide, quality=95)), _hash(turned, rule)) <= 6


def test_one_color_has_no_hash() -> None:
    """All pictures of one color would be copies of each other."""
    assert decode(_bytes(Image.new("RGB", (50, 50), "red"), "PNG"), RULE).phash is None


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"DateTimeOriginal": NOON}, datetime(2026, 11, 23, 12, tzinfo=UTC)),
        (
            {"DateTimeOriginal": NOON, "OffsetTimeOriginal": "+05:30"},
            datetime(2026, 11, 23, 6, 30, tzinfo=UTC),
        ),
        ({"DateTimeDigitized": NOON}, datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ({"DateTimeOriginal": "0000:00:00 00:00:00"}, None),
        ({"DateTimeOriginal": "2026:13:45 99:00:00"}, None),
        ({}, None),
    ],
    ids=["local", "offset", "digitized", "unset", "nonsense", "absent"],
)
def test_the_time_of_exposure_is_read(
    picture: Image.Image, tags: dict[str, str], expected: datetime | None
) -> None:
    """EXIF's time in UTC; None for what is no time."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base[name]: value for name, value in tags.items()}
    )
    assert expected == decode(_bytes(picture, exif=exif), RULE).taken_at
