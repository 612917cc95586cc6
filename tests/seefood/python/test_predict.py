"""One picture in this process, whatever holds it."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from seefood.bundle import Bundle
from seefood.errors import PictureError, UsageError
from seefood.python.pictures import picture_bytes
from tests.bundles import fake_bundle
from tests.pictures import jpeg, plain


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


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (None, "a NoneType is no picture"),
        (7, "a int is no picture"),
        (np.zeros((4, 4, 3)), "the dtype float64"),
        (np.zeros((4, 4, 2), np.uint8), r"the shape \(4, 4, 2\)"),
        (np.zeros(4, np.uint8), r"the shape \(4,\)"),
        ("", "names nothing"),
        (Path("/"), "/ is a folder"),
    ],
)
def test_what_is_no_picture_is_a_usage_error(bundle: Bundle, picture: Any, message: str) -> None:
    """In one sentence."""
    with pytest.raises(UsageError, match=message):
        bundle.predict(picture, engine="fake")


@pytest.mark.parametrize("picture", [b"", b"no picture", np.zeros((0, 4, 3), np.uint8), "gone.jpg"])
def test_a_broken_picture_is_a_picture_error(bundle: Bundle, picture: Any) -> None:
    """With a code."""
    with pytest.raises(PictureError) as caught:
        bundle.predict(picture, engine="fake")
    assert caught.value.code
