"""The network of `seefood train` without `--network`: what is chosen, and what is said of it."""

from pathlib import Path

import pytest
from PIL import Image

from seefood.records import ImageRef
from seefood_training.data import Photo
from seefood_training.default_network import default_network


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
