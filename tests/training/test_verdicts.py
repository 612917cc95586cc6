"""Sentences for results that are no better than a guess."""

import pytest

from seefood_training.verdicts import verdicts


@pytest.mark.parametrize(
    ("confusion", "expected"),
    [
        pytest.param([[50, 2], [3, 45]], (), id="good"),
        pytest.param([[0, 0], [0, 0]], (), id="nothing measured"),
        pytest.param([[9, 1], [0, 0]], (), id="photos of one class"),
        pytest.param(
            [[30, 30], [20, 20]],
            (
                (
                    "50.0% of 100 photos is not shown to be better than always answering 'apple', "
                    "which is right on 60.0%"
                ),
            ),
            id="worse than the most frequent class",
        ),
        pytest.param(
            [[50, 0], [40, 0]],
            (
                "every photo was labelled 'apple'",
                (
                    "55.6% of 90 photos is not shown to be better than always answering 'apple', "
                    "which is right on 55.6%"
                ),
            ),
            id="one label for all",
        ),
    ],
)
def test_verdicts(confusion: list[list[int]], expected: tuple[str, ...]) -> None:
    """A result is told where its interval contains the share of the most frequent class."""
    assert expected == verdicts(("apple", "pear"), confusion)
