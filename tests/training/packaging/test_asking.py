"""What is asked for where neither the model nor the user states it."""

import numpy as np

from seefood.imaging.resize_rule import ResizeRule
from seefood_training.packaging.answers import Values
from seefood_training.packaging.asking import FILTERS_IN_USE, filter_effect, which_filter

RULE = ResizeRule(32, 32, scaled_decode=None)


def _edges(images: np.ndarray) -> Values:
    """Answer by how rough the pictures are, which depends on the filter."""
    rough = np.abs(np.diff(images.astype(np.float32), axis=2)).mean(axis=(1, 2, 3)) / 40
    return np.stack([rough, 1 - rough], axis=1).astype(np.float32)


def _brightness(images: np.ndarray) -> Values:
    """Answer by the mean, which every filter keeps."""
    mean = images.mean(axis=(1, 2, 3)) / 255 / 10
    return np.stack([mean, 1 - mean], axis=1).astype(np.float32)


def test_a_filter_that_matters_is_asked_for() -> None:
    """The error names every filter, what uses it, and how much it changes."""
    effect = filter_effect(RULE, _edges)
    assert effect.matters
    assert 0 == effect.differences["bilinear"]
    error = which_filter("serving_default", effect)
    assert "prove it with `--examples FILE`" in str(error)
    for kind, used_by in FILTERS_IN_USE.items():
        assert kind in str(error)
        assert used_by in error.table


def test_a_filter_that_changes_nothing_is_not_asked_for() -> None:
    """A model that only sees the brightness needs no filter."""
    assert not filter_effect(RULE, _brightness).matters
