"""One picture in this process, whatever holds it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seefood.bundle import Bundle
from seefood.errors import PictureError, UsageError
from seefood.imaging.decode import decode
from seefood.python.pictures import picture_bytes
from tests.bundles import fake_bundle
from tests.pictures import encoded, gradient, jpeg, plain


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle for the fake engine."""
    return fake_bundle(tmp_path_factory.mktemp("bundle"))


def test_a_picture_in_any_form_has_the_same_label(bundle: Bundle, tmp_path: Path) -> None:
    """Bytes, a path as text or `Path`, a URI, a PIL image, an array."""
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg())
    image = plain()
    forms = [jpeg(), bytearray(jpeg()), str(file), file, file.as_uri(), image, np.asarray(image)]
    labels = {bundle.predict(form, engine="fake").label for form in forms}
    assert 1 == len(labels)
    assert 1 == len(bundle.predict(image, engine="fake", top_k=1).top)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)], ids=str)
def test_arrays_keep_their_pixels(shape: tuple[int, ...]) -> None:
    """The bytes of an array decode to the array."""
    array = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    with Image.open(io.BytesIO(picture_bytes(array))) as image:
        assert np.array_equal(array.reshape(np.asarray(image).shape), np.asarray(image))


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(gradient((40, 30)), "PNG", exif=exif)


def _faded() -> bytes:
    image = plain().convert("LA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return encoded(image, "PNG")


def _deep() -> bytes:
    grey = np.asarray(plain().convert("L"))
    return encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG")


@pytest.mark.parametrize("make", [_turned, _faded, _deep])
def test_an_open_image_is_seen_as_its_file(bundle: Bundle, make: Callable[[], bytes]) -> None:
    """Turned by its EXIF, with its alpha channel, and with all 16 bits."""
    data = make()
    with Image.open(io.BytesIO(data)) as image:
        seen = decode(picture_bytes(image), bundle.spec.rule).pixels.astype(int)
    assert np.abs(decode(data, bundle.spec.rule).pixels - seen).max() <= 1


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (None, "a NoneType is no picture"),
        (7, "a int is no picture"),
        (np.zeros((4, 4, 3)), "the dtype float64"),
        (np.zeros((4, 4, 2), np.uint8), r"the shape \(4, 4, 2\)"),
        (np.zeros(4, np.uint8), r"the shape \(4,\)"),
        ("", "names nothing"),
        (Image.new("F", (4, 4)), "the mode F"),
        (Path("/"), "/ is a folder"),
    ],
)
def test_what_is_no_picture_is_a_usage_error(bundle: Bundle, picture: Any, message: str) -> None:
    """In one sentence."""
    with pytest.raises(UsageError, match=message):
        bundle.predict(picture, engine="fake")


@pytest.mark.parametrize(
    "picture", [b"", b"no picture", np.zeros((0, 4, 3), np.uint8), "gone.jpg", "x" * 5000]
)
def test_a_broken_picture_is_a_picture_error(bundle: Bundle, picture: Any) -> None:
    """With a code."""
    with pytest.raises(PictureError) as caught:
        bundle.predict(picture, engine="fake")
    assert caught.value.code


@pytest.mark.parametrize("top_k", [0, "3", None])
def test_a_number_of_labels_that_is_none(bundle: Bundle, top_k: Any) -> None:
    """Is an error, as in `seefood.classify`."""
    with pytest.raises(UsageError, match=f"top_k is {top_k!r}"):
        bundle.predict(jpeg(), engine="fake", top_k=top_k)


def test_an_open_image_whose_data_ends_early_is_a_picture_error(bundle: Bundle) -> None:
    """Pillow reads it only when its pixels are needed."""
    data = encoded(gradient((400, 300)), "JPEG")[:-1000]
    with Image.open(io.BytesIO(data)) as image, pytest.raises(PictureError, match="cannot be"):
        bundle.predict(image, engine="fake")
