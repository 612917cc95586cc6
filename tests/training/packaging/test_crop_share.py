"""The share of a centre crop: stated, or found by examples."""

from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from seefood.errors import UsageError
from seefood.imaging.decode import decode
from seefood.imaging.resize_rule import ResizeRule
from seefood.synthetic import KINDS, draw_picture
from seefood_training.commands.package import package_command
from seefood_training.packaging.answers import Values
from seefood_training.packaging.examples import Example, Examples, resized
from seefood_training.packaging.pixels import PixelChoice
from seefood_training.packaging.search import Search
from seefood_training.packaging.writing import uncropped
from tests.pictures import encoded

SIDE = 24
TRUE = ResizeRule(SIDE, SIDE, fit="crop", crop_share=0.875, scaled_decode=None)


def _answer(images: np.ndarray, pixels: PixelChoice) -> Values:
    """Answer by how bright the middle is beside the left edge, in the range 0..1."""
    factor = {"0..1": 1 / 255, "-1..1": 1 / 127.5}.get(pixels.range or "", 1.0)
    values = images.astype(np.float64) * factor
    middle, edge = values[:, 8:16, 8:16].mean((1, 2, 3)), values[:, :, :3].mean((1, 2, 3))
    score = 1 / (1 + np.exp(-8 * (middle - edge)))
    return np.stack([score, 1 - score], axis=1).astype(np.float32)


def _examples() -> Examples:
    items = []
    for kind in KINDS:
        data = encoded(draw_picture(kind, 3, (90, 64)), "PNG")
        pixels = decode(data, TRUE, exact=True).pixels[np.newaxis]
        answers = tuple(map(float, _answer(pixels, PixelChoice("0..1"))[0]))
        items.append(Example(kind, data, None, answers))
    return Examples(tuple(items))


def _found(stated: PixelChoice) -> PixelChoice:
    rule = ResizeRule(SIDE, SIDE, scaled_decode=None)
    start = PixelChoice("0..255", "bilinear", "stretch")
    best = Search(_examples(), rule, stated, start, _answer).run()[0]
    assert best.succeeds
    return best.pixels


def test_examples_find_it() -> None:
    """Torchvision's Resize and CenterCrop are found by their answers."""
    found = _found(PixelChoice())
    assert ("crop", 0.875, "0..1") == (found.fit, found.crop_share, found.range)
    assert "0..1, bilinear, crop 0.875, rgb" == str(found)


def test_another_share_is_found_and_a_stated_one_is_kept() -> None:
    """Less usual shares are tried where a crop proved best; a stated share is not searched."""
    assert 0.875 == _found(PixelChoice(fit="crop")).crop_share
    assert 0.875 == _found(PixelChoice(crop_share=0.875, fit="crop")).crop_share


def test_examples_stay_the_same_in_the_bundle() -> None:
    """An example is stored with edges around it, so that the bundle's rule crops it back."""
    data = encoded(draw_picture("pizza", 3, (90, 64)), "PNG")
    pixels = resized(data, TRUE)
    stored = encoded(Image.fromarray(uncropped(pixels, TRUE)), "PNG")
    np.testing.assert_array_equal(pixels, resized(stored, TRUE))


def test_a_share_without_a_crop_is_refused(tmp_path: Path) -> None:
    """The two options contradict each other."""
    options = ["--fit", "pad", "--crop-share", "0.9", "--output", str(tmp_path / "b")]
    result = CliRunner().invoke(package_command, ["model.onnx", *options])
    assert isinstance(result.exception, UsageError)
    assert "`--crop-share 0.9` is for `--fit crop`" in str(result.exception)
