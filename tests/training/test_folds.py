"""Folds for cross-validation."""

import hashlib

import numpy as np
import pytest

from seefood_training.folds import assign_folds


def _sha256(count: int) -> list[str]:
    return [hashlib.sha256(str(index).encode()).hexdigest() for index in range(count)]


@pytest.mark.parametrize("sizes", [(20, 20), (5, 5, 5), (100, 2), (7, 3, 60), (2, 2)], ids=str)
def test_classes_are_spread(sizes: tuple[int, ...]) -> None:
    """Each class is spread over the folds, its numbers differ by at most one, no photo is lost."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    folds = assign_folds(_sha256(len(labels)), labels, np.arange(len(labels)), 5)

    for label in range(len(sizes)):
        counts = np.bincount(folds[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.bincount(folds).max() - np.bincount(folds, minlength=5).min() <= len(sizes)


def test_copies_are_in_one_fold() -> None:
    """The photos of a group are in one fold."""
    groups = np.repeat(np.arange(12) * 3, 3)
    folds = assign_folds(_sha256(36), np.repeat([0, 1], 18), groups, 4)

    for group in np.unique(groups):
        assert 1 == len(np.unique(folds[groups == group]))


def test_order_does_not_matter() -> None:
    """The same photos in another order are in the same folds."""
    photos, labels = _sha256(30), np.arange(30) % 3
    order = np.random.default_rng(0).permutation(30)
    folds = assign_folds(photos, labels, np.arange(30), 5)
    again = assign_folds([photos[at] for at in order], labels[order], np.arange(30), 5)

    np.testing.assert_array_equal(folds[order], again)
