"""Which of two models is right more often, by what people said."""

import pytest

from seefood.corrections import Correction
from seefood.corrections.verdict import Verdict, judged, proportion_interval
from seefood.records import utc_now
from seefood.results.diff import Change, Kind, changes
from tests.fakes import make_row


def _verdict(only_before: int, only_after: int, both: int) -> Verdict:
    change = Change(Kind.LABEL, make_row(), make_row())
    return Verdict(both, 0, [(change, "x")] * only_before, [(change, "x")] * only_after)


@pytest.mark.parametrize(
    ("one", "other", "p"), [(0, 0, 1.0), (0, 5, 0.0625), (2, 8, 112 / 1024), (5, 5, 1.0)]
)
def test_the_test_is_the_exact_one(one: int, other: int, p: float) -> None:
    """The p-value is twice the tail of a fair coin, at most 1."""
    assert p == pytest.approx(_verdict(one, other, 10).p_value)


def test_the_interval_is_that_of_clopper_and_pearson() -> None:
    """Known values: 2 of 10, 0 of 20."""
    assert (0.02521, 0.55610) == pytest.approx(proportion_interval(2, 10), abs=1e-5)
    assert (0.0, 0.16843) == pytest.approx(proportion_interval(0, 20), abs=1e-5)


def test_the_difference_is_paired() -> None:
    """Pictures that both have right make the difference smaller, not less certain."""
    estimate, low, high = _verdict(2, 8, 90).difference
    assert 0.06 == pytest.approx(estimate)
    assert low < 0 < high < 0.1


def test_only_pictures_that_people_labelled_are_judged() -> None:
    """All pictures pass through; those with a correction for this content count."""
    row = make_row()
    other = make_row(label="green")
    correction = Correction(row.uri, row.etag, "green", row.label, None, "ada", utc_now())
    verdict = Verdict()
    pictures = changes({row.uri: row}, {row.uri: other})
    assert 1 == len(list(judged(pictures, {correction.key: correction}, verdict)))
    assert (0, 1) == (len(verdict.only_before), len(verdict.only_after))
    assert 1 == verdict.known
    verdict = Verdict()
    list(judged(changes({row.uri: row}, {row.uri: other}), {}, verdict))
    assert 0 == verdict.known
