"""Rules of the pictures that the project draws itself, and of the demo set made of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.imaging.decode import ResizeRule, decode
from seefood.synthetic import KINDS, draw_picture
from seefood.synthetic.demo_set import write_demo_pictures

SMALL = (96, 72)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_varied_rgb_picture_of_the_size_asked_for(kind: str) -> None:
    """A drawing has the size and mode that were asked for, and is no flat surface."""
    picture = draw_picture(kind, 7, SMALL)

    assert ("RGB", SMALL) == (picture.mode, picture.size)
    assert np.asarray(picture).std() > 20


@pytest.mark.parametrize("kind", ["hotdog_toppings", "dog"])
def test_the_same_arguments_draw_the_same_picture(kind: str) -> None:
    """A drawing depends on kind, seed and size alone."""
    first, second = draw_picture(kind, 3, SMALL), draw_picture(kind, 3, SMALL)

    assert first.tobytes() == second.tobytes()


def test_another_seed_draws_another_picture() -> None:
    """Seeds vary the scene."""
    pictures = {draw_picture("hotdog_mustard", seed, SMALL).tobytes() for seed in range(5)}

    assert len(pictures) == 5


def test_another_size_draws_the_same_scene() -> None:
    """A scene does not depend on its resolution: made small, both sizes look the same."""
    small = draw_picture("burger", 4, (160, 120)).resize((40, 30), Image.Resampling.BOX)
    large = draw_picture("burger", 4, (640, 480)).resize((40, 30), Image.Resampling.BOX)

    assert np.asarray(ImageChops.difference(small, large)).mean() < 8


@pytest.mark.parametrize("size", [(16, 16), (300, 40), (40, 300), (1300, 70)])
def test_any_shape_of_at_least_16_pixels_can_be_drawn(size: tuple[int, int]) -> None:
    """No painter stumbles over extreme shapes of the canvas."""
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
def test_what_cannot_be_drawn_is_named(
    kind: str, seed: int, size: tuple[int, int], named: str
) -> None:
    """A wrong argument is a usage error that names the value."""
    with pytest.raises(UsageError, match=named):
        draw_picture(kind, seed, size)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    count = write_demo_pictures(folder, seed=2)
    assert count == sum(1 for file in folder.rglob("*") if file.is_file())
    return folder


def test_the_demo_set_has_every_format_and_each_way_to_be_broken(demo: Path) -> None:
    """Whole files decode; each broken one fails with a code of its own."""
    formats: set[str] = set()
    codes: dict[str, ErrorCode] = {}
    for file in filter(Path.is_file, demo.rglob("*")):
        try:
            formats.add(decode(file.read_bytes(), ResizeRule(64, 64)).format)
        except PictureError as error:
            codes[file.relative_to(demo).as_posix()] = error.code

    assert {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"} == formats
    assert {
        "broken/empty.jpg": ErrorCode.EMPTY,
        "broken/cut off.jpg": ErrorCode.TRUNCATED,
        "broken/shopping list.jpg": ErrorCode.NOT_AN_IMAGE,
        "broken/layers.psd": ErrorCode.UNSUPPORTED_FORMAT,
        "broken/bomb.png": ErrorCode.TOO_MANY_PIXELS,
    } == codes


def test_half_of_the_demo_set_is_hot_dogs(demo: Path) -> None:
    """The folders tell the truth, so they must be there to tell it."""
    tops = Counter(file.relative_to(demo).parts[0] for file in demo.rglob("*") if file.is_file())

    assert {"hotdog": 28, "other": 30, "broken": 5} == tops


def test_turned_demo_pictures_stand_upright_once_decoded(demo: Path) -> None:
    """All 8 EXIF orientations are there; a viewer that obeys them shows what was drawn."""
    turned = {int(file.stem[-1]): file for file in demo.glob("*/turned/*.jpg")}
    portrait = {number for number, file in turned.items() if _upright_is_tall(file)}

    assert set(range(1, 9)) == set(turned)
    assert {2, 6, 7, 8} == portrait


def _upright_is_tall(file: Path) -> bool:
    image = decode(file.read_bytes(), ResizeRule(64, 64))
    return image.height > image.width
