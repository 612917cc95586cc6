"""Pictures of any shape become the network's input: fits, filters and scaled decoding."""

import numpy as np
import pytest
from PIL import Image

from seefood.imaging.decode import ResizeRule, decode
from tests.pictures import encoded, gradient, noise, plain


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 7), (33, 25), (4000, 10)])
@pytest.mark.parametrize("format_name", ["PNG", "JPEG"])
def test_any_shape_fits(fit: str, size: tuple[int, int], format_name: str) -> None:
    """However narrow a picture is, every fit gives the input's shape and keeps its color."""
    rule = ResizeRule(24, 32, fit=fit)  # type: ignore[arg-type]
    image = decode(encoded(plain((250, 250, 250), size), format_name), rule)
    assert ((24, 32, 3), size) == (image.pixels.shape, (image.width, image.height))
    assert image.pixels.max() >= 248
    if fit != "pad":
        assert image.pixels.min() >= 248


def test_crop_keeps_the_centre_and_pad_the_whole() -> None:
    """`crop` cuts off the ends of a wide picture, `pad` adds black above and below it."""
    picture = Image.new("RGB", (96, 24), (0, 0, 255))
    picture.paste((255, 0, 0), (32, 0, 64, 24))
    data = encoded(picture, "PNG")
    crop = decode(data, ResizeRule(24, 32, fit="crop")).pixels
    np.testing.assert_array_equal(np.broadcast_to((255, 0, 0), crop.shape), crop)
    pad = decode(data, ResizeRule(32, 32, fit="pad", filter="box")).pixels
    assert 0 == pad[:12].max() == pad[20:].max()
    assert (255, 0, 0) == tuple(pad[16, 16])
    assert (0, 0, 255) == tuple(pad[16, 0])


@pytest.mark.parametrize("name", ["box", "bilinear", "bicubic", "lanczos"])
def test_filters_are_pillows(name: str) -> None:
    """Resizing equals Pillow's antialiased one with the rule's filter."""
    picture = Image.fromarray(noise(100, 90))
    rule = ResizeRule(24, 32, filter=name)  # type: ignore[arg-type]
    expected = picture.resize((32, 24), Image.Resampling[name.upper()])
    np.testing.assert_array_equal(
        np.asarray(expected), decode(encoded(picture, "PNG"), rule, exact=True).pixels
    )


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_scaled_decode_changes_little(orientation: int) -> None:
    """A JPEG decoded at a fraction is close to one decoded in full, also if stored sideways."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(gradient((2000, 1500)), "JPEG", quality=92, exif=exif)
    scaled = decode(data, ResizeRule(96, 128)).pixels.astype(int)
    full = decode(data, ResizeRule(96, 128, scaled_decode=None)).pixels
    assert np.abs(scaled - full).mean() < 1.0
    assert np.abs(scaled - full).max() < 8
