from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import load_bundle
from seefood.engines.fake import FakeEngine
from seefood.engines.heat_map import GRID, heat_map, seen_box
from seefood.engines.loading import load_engine
from seefood.imaging.decode import DecodedImage
from seefood.imaging.resize_rule import Fit, ResizeRule


def test_the_map_is_highest_at_the_labels_place() -> None:
    """Covering the one red corner of a green picture costs `red` the most."""
    pixels = np.zeros((70, 70, 3), np.uint8)
    pixels[..., 1] = 90
    pixels[50:, :20] = (255, 0, 0)

    heat = heat_map(DecodedImage(pixels, 70, 70, "PNG"), 0, FakeEngine(2), ResizeRule(70, 70))
    drops = np.array(heat.cells)

    assert "occlusion" == heat.kind
    assert (GRID, GRID) == drops.shape
    assert (GRID - 1) * GRID == int(drops.argmax())
    assert drops[0, GRID - 1] < 0.01


def test_a_bundle_with_score_maps_needs_one_run(bundle_path: Path) -> None:
    """Nothing is covered: the map has the grid of the network's last layer."""
    bundle = load_bundle(bundle_path)
    rule = bundle.spec.rule
    pixels = np.full((rule.height, rule.width, 3), 90, np.uint8)
    image = DecodedImage(pixels, rule.width, rule.height, "PNG")

    heat = heat_map(image, 0, load_engine(bundle), rule)

    assert "score" == heat.kind
    assert (rule.height // 32, rule.width // 32) == np.array(heat.cells).shape


@pytest.mark.parametrize(
    ("fit", "box"),
    [
        ("stretch", (0.0, 0.0, 1.0, 1.0)),
        ("crop", (0.25, 0.0, 0.5, 1.0)),
        ("pad", (0.0, -0.5, 1.0, 2.0)),
    ],
)
def test_the_box_is_what_the_network_sees(fit: Fit, box: tuple[float, ...]) -> None:
    """A square network sees a wide picture whole, its middle, or with borders."""
    assert box == seen_box(400, 200, ResizeRule(100, 100, fit))
