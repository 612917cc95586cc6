"""The resize of `tf.image.resize` without antialiasing."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from seefood.imaging.decode import ResizeRule, decode
from seefood.imaging.tf_resize import resize_bilinear
from tests.pictures import encoded, noise

_SIZES = [(1, 1), (7, 3), (37, 53), (224, 224), (301, 199), (1500, 1100)]


@pytest.mark.tensorflow
@pytest.mark.parametrize("wanted", [(1, 1), (5, 9), (96, 96), (224, 160)])
@pytest.mark.parametrize("size", _SIZES, ids=str)
def test_it_is_tensorflows(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    """Within half a level of TensorFlow's float result, smaller and larger."""
    import tensorflow as tf  # noqa: PLC0415 (collecting tests needs no TensorFlow)

    pixels = noise(size[1], size[0])
    due = tf.image.resize(pixels, wanted[::-1]).numpy()
    actual = resize_bilinear(Image.fromarray(pixels), wanted)
    assert actual.dtype == np.uint8
    assert np.abs(due - actual).max() <= 0.5 + 1e-3


@pytest.mark.tensorflow
@pytest.mark.parametrize("size", [(50, 31), (31, 50), (60, 40), (40, 40)], ids=str)
def test_the_crop_is_that_of_keras(size: tuple[int, int]) -> None:
    """`crop` keeps the whole pixels that `smart_resize` keeps."""
    import keras  # noqa: PLC0415 (as above)

    pixels = noise(size[1], size[0])
    due = keras.preprocessing.image.smart_resize(pixels.astype(np.float32), (24, 32))
    rule = ResizeRule(24, 32, fit="crop", filter="tf-bilinear")
    actual = decode(encoded(Image.fromarray(pixels), "PNG"), rule).pixels
    assert np.abs(np.asarray(due) - actual).max() <= 0.5 + 1e-3


def test_a_small_example() -> None:
    """Two pixels become four: half-pixel centers, the edges repeated."""
    picture = Image.fromarray(np.asarray([[0, 100]], np.uint8))
    actual = resize_bilinear(picture, (4, 1))
    assert [0, 25, 75, 100] == actual[0, :, 0].tolist()


def test_a_part_is_as_if_it_was_the_whole() -> None:
    """With a box, nothing outside it is used."""
    picture = Image.fromarray(noise(80, 60))
    box = (11, 7, 50, 71)
    np.testing.assert_array_equal(
        resize_bilinear(picture.crop(box), (20, 30)), resize_bilinear(picture, (20, 30), box)
    )


@pytest.mark.parametrize("name", ["nearest", "tf-bilinear"])
def test_filters_without_antialiasing_decode_in_full(name: str) -> None:
    """A JPEG is not decoded at a fraction, which would average pixels."""
    stored = encoded(Image.fromarray(noise(800, 1200)), "JPEG", quality=95)
    rule = ResizeRule(24, 32, filter=name)  # type: ignore[arg-type]
    full = ResizeRule(24, 32, filter=name, scaled_decode=None)  # type: ignore[arg-type]
    assert rule.draft_margin is None
    np.testing.assert_array_equal(decode(stored, full).pixels, decode(stored, rule).pixels)


@pytest.mark.tensorflow
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_nearest_is_that_of_keras(orientation: int, tmp_path: object) -> None:
    """`nearest` equals `keras.utils.load_img` of the upright picture."""
    import keras  # noqa: PLC0415 (as above)

    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(noise(100, 150)), "JPEG", quality=95, exif=exif)
    upright = f"{tmp_path}/upright.png"
    with open(f"{tmp_path}/stored.jpg", "wb") as stream:  # noqa: PTH123 (short)
        stream.write(data)
    ImageOps.exif_transpose(Image.open(f"{tmp_path}/stored.jpg")).save(upright)
    due = keras.utils.img_to_array(keras.utils.load_img(upright, target_size=(48, 64)))
    rule = ResizeRule(48, 64, filter="nearest")
    np.testing.assert_array_equal(due, decode(data, rule).pixels)


@pytest.mark.parametrize("name", ["nearest", "bilinear", "lanczos", "tf-bilinear"])
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_grey_is_one_channel(fit: str, name: str) -> None:
    """Grey is `convert("L")` before the resize, whatever the file has."""
    picture = Image.fromarray(noise(90, 70))
    rule = ResizeRule(28, 28, fit=fit, filter=name, channels="grey")  # type: ignore[arg-type]
    grey = decode(encoded(picture.convert("L"), "PNG"), rule).pixels
    assert ((28, 28, 1), rule.shape) == (grey.shape, grey.shape)
    np.testing.assert_array_equal(grey, decode(encoded(picture, "PNG"), rule).pixels)
    if fit == "stretch" and name != "tf-bilinear":
        due = picture.convert("L").resize((28, 28), Image.Resampling[name.upper()])
        np.testing.assert_array_equal(np.asarray(due), grey[:, :, 0])


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (333, 777), (64, 64)], ids=str)
def test_a_share_of_the_crop_is_torchvisions(size: tuple[int, int]) -> None:
    """224 / 256 is what `Resize(256)` and `CenterCrop(224)` give, within rounding."""
    picture = Image.fromarray(noise(size[1], size[0]))
    short = min(size)
    width, height = (256 if side == short else int(256 * side / short) for side in size)
    left, top = round((width - 224) / 2.0), round((height - 224) / 2.0)
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    due = np.asarray(resized.crop((left, top, left + 224, top + 224)))
    rule = ResizeRule(224, 224, fit="crop", crop_share=224 / 256)
    actual = decode(encoded(picture, "PNG"), rule, exact=True).pixels
    assert np.abs(due.astype(int) - actual).max() <= 1
