"""The fast resize equals Pillow's to within one level of 255 for each of its two passes."""

from io import BytesIO
from typing import get_args

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from seefood.imaging.decode import ResizeRule, decode
from seefood.imaging.resize import Box, resample, resized_by
from seefood.imaging.resize_rule import Filter
from tests.pictures import encoded, noise

pytest.importorskip("cykooz_resizer", reason="has no wheel for this platform")
_SIDES = st.integers(1, 90)


def _differ(image: Image.Image, size: tuple[int, int], box: Box | None = None) -> int:
    fast, exact = (resample(image, size, "bilinear", box, exact=exact) for exact in (False, True))
    assert fast.shape == exact.shape == (size[1], size[0], 3)
    assert np.uint8 == fast.dtype == exact.dtype
    return int(np.abs(fast.astype(int) - exact).max())


@pytest.mark.parametrize(
    ("size", "new_size"),
    [
        ((500, 375), (224, 224)),
        ((4032, 378), (224, 224)),
        ((100, 19000), (300, 300)),
        ((1, 1), (1, 1)),
    ],
)
def test_usual_sizes_are_within_one_level(size: tuple[int, int], new_size: tuple[int, int]) -> None:
    """Photos differ by at most one level."""
    width, height = size
    assert _differ(Image.fromarray(noise(height, width)), new_size) <= 1


@given(_SIDES, _SIDES, _SIDES, _SIDES)
@example(70, 76, 76, 70)  # differs by two: hypothesis found it
@settings(max_examples=200, deadline=None)
def test_any_size_is_within_one_level_for_each_pass(
    width: int, height: int, new_width: int, new_height: int
) -> None:
    """Smaller, larger, smaller in one direction and larger in the other, and unchanged."""
    picture = Image.fromarray(noise(height, width))
    assert _differ(picture, (new_width, new_height)) <= 2


@given(st.data(), _SIDES, _SIDES)
@settings(max_examples=200, deadline=None)
def test_so_is_a_part_of_a_picture(data: st.DataObject, width: int, height: int) -> None:
    """The edges of a center crop may be between pixels."""
    left = data.draw(st.floats(0, width - 0.5))
    top = data.draw(st.floats(0, height - 0.5))
    right = data.draw(st.floats(left + 0.25, width))
    bottom = data.draw(st.floats(top + 0.25, height))
    picture = Image.fromarray(noise(height, width))
    assert _differ(picture, (24, 17), (left, top, right, bottom)) <= 2


def test_what_is_asked_exactly_is_the_same_everywhere() -> None:
    """`exact` gives Pillow's pixels, which are compared across machines."""
    data = encoded(Image.fromarray(noise(97, 131)), "PNG")
    rule = ResizeRule(48, 64)
    due = np.asarray(Image.open(BytesIO(data)).resize((64, 48), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(due, decode(data, rule, exact=True).pixels)
    served = decode(data, rule).pixels
    assert 1 == np.abs(due.astype(int) - served).max()  # so it was the other one that served


@pytest.mark.parametrize("kind", sorted({*get_args(Filter)} - {"bilinear", "tf-bilinear"}))
def test_other_filters_are_pillows(kind: Filter) -> None:
    """With these the two differ by tens of levels at an edge."""
    picture = Image.fromarray(noise(60, 70))
    fast, exact = (resample(picture, (24, 32), kind, exact=exact) for exact in (False, True))
    np.testing.assert_array_equal(exact, fast)
    assert resized_by(ResizeRule(24, 32, filter=kind)) == "Pillow"


@pytest.mark.parametrize(
    ("rule", "library"),
    [
        (ResizeRule(24, 32), "cykooz.resizer"),
        (ResizeRule(24, 32, channels="grey"), "Pillow"),
        (ResizeRule(24, 32, filter="tf-bilinear"), "NumPy"),
    ],
)
def test_the_library_is_stated(rule: ResizeRule, library: str) -> None:
    """Only bilinear RGB, whose difference is bounded, is resized by the fast library."""
    assert library == resized_by(rule)
