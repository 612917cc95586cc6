"""The network of `seefood train` without `--network`: what is chosen, and what is said of it."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from seefood.records import ImageRef
from seefood.synthetic import draw_picture
from seefood_training.data import Photo
from seefood_training.default_network import default_network, detail


@pytest.mark.parametrize(
    ("pixels", "wanted", "expected"),
    [
        pytest.param(28, None, 160, id="tiny photos"),
        pytest.param(28, 64, 64, id="the user's size"),
        pytest.param(200, None, None, id="the network's usual size"),
    ],
)
def test_input_size(pixels: int, wanted: int | None, expected: int | None, tmp_path: Path) -> None:
    """Tiny photos get a smaller input, unless the user states one; only then it is explained."""
    Image.new("RGB", (pixels, pixels + 5)).save(tmp_path / "photo.png")
    photo = Photo(ImageRef((tmp_path / "photo.png").as_uri()), 0)
    chosen = default_network([photo], wanted)

    assert "efficientnet_lite1" == chosen.network
    assert expected == chosen.side
    assert (expected == 160) == ("input 160 pixels" in chosen.why)


@pytest.mark.parametrize("form", ["png", "jpeg"])
@pytest.mark.parametrize(
    ("drawn", "stored", "expected"),
    [
        pytest.param((20, 30), (120, 180), 32, id="enlarged"),
        pytest.param((20, 30), (800, 1200), 32, id="enlarged much"),
        pytest.param((120, 160), (120, 160), 120, id="as drawn"),
        pytest.param((24, 30), (24, 30), 24, id="tiny"),
    ],
)
def test_detail(drawn: tuple[int, int], stored: tuple[int, int], expected: int, form: str) -> None:
    """A photo that was enlarged shows no more than before; JPEG's noise is no detail."""
    picture = draw_picture("pizza", 1, drawn).resize(stored, Image.Resampling.BICUBIC)
    file = BytesIO()
    picture.save(file, form)
    with Image.open(file) as image:
        assert expected == detail(image)


def test_enlarged_photos_get_a_small_input(tmp_path: Path) -> None:
    """As tiny ones do; the reason is told."""
    draw_picture("pizza", 1, (20, 20)).resize((200, 200)).save(tmp_path / "photo.png")
    chosen = default_network([Photo(ImageRef((tmp_path / "photo.png").as_uri()), 0)])

    assert 160 == chosen.side
    assert "detail of about 32" in chosen.why
