import numpy as np
import pytest
from door.heatmap import GRID, covered, occlusion_map, seen_box

from seefood.engines.fake import FakeEngine
from seefood.image import DecodedImage, Fit, ResizeRule


def test_the_map_is_hot_where_the_label_is() -> None:
    """Covering the one red corner of a green picture costs `red` the most."""
    pixels = np.zeros((70, 70, 3), np.uint8)
    pixels[..., 1] = 90
    pixels[50:, :20] = (255, 0, 0)

    heat = occlusion_map(DecodedImage(pixels, 70, 70, "PNG"), 0, FakeEngine(2), ResizeRule(70, 70))
    drops = np.array(heat.drops)

    assert (GRID, GRID) == drops.shape
    assert (GRID - 1) * GRID == int(drops.argmax())
    assert drops[0, GRID - 1] < 0.01


def test_each_copy_is_covered_in_one_place_and_the_picture_stays() -> None:
    """The covers together hide everything; no cover touches the original."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (35, 50, 3), dtype=np.uint8)
    before = pixels.copy()

    copies = covered(pixels)

    assert (GRID * GRID, 35, 50, 3) == copies.shape
    assert np.array_equal(before, pixels)
    assert (copies != pixels).any(axis=3).any(axis=0).mean() > 0.99


@pytest.mark.parametrize(
    ("fit", "box"),
    [
        ("stretch", (0.0, 0.0, 1.0, 1.0)),
        ("crop", (0.25, 0.0, 0.5, 1.0)),
        ("pad", (0.0, -0.5, 1.0, 2.0)),
    ],
)
def test_the_box_is_what_the_network_sees(fit: Fit, box: tuple[float, ...]) -> None:
    """Of a picture twice as wide as high a square network sees all, the middle, or with borders."""
    assert box == seen_box(400, 200, ResizeRule(100, 100, fit))
