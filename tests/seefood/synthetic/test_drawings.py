"""Rules of the drawn pictures and of the demo set made of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.imaging.decode import ResizeRule, decode
from seefood.synthetic import KINDS, draw_picture

SMALL = (96, 72)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_varied_rgb_picture_of_the_requested_size(kind: str) -> None:
    """A drawing is RGB, has the requested size and is not a flat surface."""
    picture = draw_picture(kind, 7, SMALL)

    assert ("RGB", SMALL) == (picture.mode, picture.size)
    assert np.asarray(picture).std() > 20


@pytest.mark.parametrize("kind", ["hotdog_toppings", "house"])
def test_the_same_arguments_draw_the_same_picture(kind: str) -> None:
    """A drawing depends only on kind, seed and size."""
    first, second = draw_picture(kind, 3, SMALL), draw_picture(kind, 3, SMALL)

    assert first.tobytes() == second.tobytes()


def test_another_seed_draws_another_picture() -> None:
    """Another seed gives another scene."""
    pictures = {draw_picture("hotdog_mustard", seed, SMALL).tobytes() for seed in range(5)}

    assert len(pictures) == 5


def test_another_size_draws_the_same_scene() -> None:
    """A scene does not depend on its resolution: reduced, both sizes look the same."""
    small = draw_picture("hotdog_plain", 4, (160, 120)).resize((40, 30), Image.Resampling.BOX)
    large = draw_picture("hotdog_plain", 4, (640, 480)).resize((40, 30), Image.Resampling.BOX)

    assert np.asarray(ImageChops.difference(small, large)).mean() < 8


@pytest.mark.parametrize("size", [(16, 16), (300, 40), (40, 300), (1300, 70)])
def test_any_shape_of_at_least_16_pixels_can_be_drawn(size: tuple[int, int]) -> None:
    """Every kind can be drawn on very wide, tall and small canvases."""
    assert [size] * len(KINDS) == [draw_picture(kind, 1, size).size for kind in KINDS]


@pytest.mark.parametrize(
    ("kind", "seed", "size", "named"),
    [
        ("unicorn", 0, SMALL, "'unicorn'"),
        ("pizza", -1, SMALL, "seed -1"),
        ("pizza", 0, (8, 300), "8 x 300"),
    ],
    ids=["kind", "seed", "size"],
)
def test_a_wrong_argument_is_named(kind: str, seed: int, size: tuple[int, int], named: str) -> None:
    """A wrong kind, seed or size is a usage error that names the value."""
    with pytest.raises(UsageError, match=named):
        draw_picture(kind, seed, size)


def test_the_demo_set_has_every_format_and_each_decode_error(demo_set: Path) -> None:
    """Intact files decode; each broken one fails with an error code of its own."""
    formats: set[str] = set()
    codes: dict[str, ErrorCode] = {}
    for file in filter(Path.is_file, demo_set.rglob("*")):
        try:
            formats.add(decode(file.read_bytes(), ResizeRule(64, 64)).format)
        except PictureError as error:
            codes[file.relative_to(demo_set).as_posix()] = error.code

    assert {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"} == formats
    assert {
        "broken/empty.jpg": ErrorCode.EMPTY,
        "broken/cut off.jpg": ErrorCode.TRUNCATED,
        "broken/shopping list.jpg": ErrorCode.NOT_AN_IMAGE,
        "broken/layers.psd": ErrorCode.UNSUPPORTED_FORMAT,
        "broken/bomb.png": ErrorCode.TOO_MANY_PIXELS,
    } == codes


def test_about_half_of_the_demo_set_is_hot_dogs(demo_set: Path) -> None:
    """The set has 28 hot dogs, 30 other pictures and 5 broken files."""
    tops = Counter(
        file.relative_to(demo_set).parts[0] for file in demo_set.rglob("*") if file.is_file()
    )

    assert {"hotdog": 28, "other": 30, "broken": 5} == tops


def test_rotated_demo_pictures_are_upright_once_decoded(demo_set: Path) -> None:
    """The set has all 8 EXIF orientations; decoding applies them."""
    rotated = {int(file.stem[-1]): file for file in demo_set.glob("*/rotated/*.jpg")}
    portrait = {number for number, file in rotated.items() if _upright_is_tall(file)}

    assert set(range(1, 9)) == set(rotated)
    assert {2, 6, 7, 8} == portrait


def _upright_is_tall(file: Path) -> bool:
    image = decode(file.read_bytes(), ResizeRule(64, 64))
    return image.height > image.width
