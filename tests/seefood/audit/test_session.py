"""Audits as a whole: how often they hold, how few answers they need, what they estimate."""

import numpy as np
import pytest
from numpy.typing import NDArray

from seefood.audit.design import make_plan
from seefood.audit.exact import count_interval
from seefood.audit.hypergeometric import Floats, Sampled
from seefood.audit.population import Population
from seefood.audit.session import Goal, Session, share

GOAL = Goal(within=0.02, confidence=0.95, per_label=False, error=0.05, seed=3)


def _population(size: int, prevalence: float, sharpness: float) -> tuple[Population, list[str]]:
    """Return a population with calibrated scores, and its truth.

    The logarithm of the odds is normal with a variance of twice its mean, which makes the scores
    calibrated.
    """
    rng = np.random.default_rng(7)
    is_hotdog = rng.random(size) < prevalence
    odds = rng.normal(np.where(is_hotdog, 1, -1) * sharpness, (2 * sharpness) ** 0.5)
    odds += np.log(prevalence / (1 - prevalence))
    population = Population(
        "0123456789ab",
        [f"memory://photos/{number}.jpg" for number in range(size)],
        ["tag"] * size,
        ("hotdog", "other"),
        (odds <= 0).astype(np.int64),
        1 / (1 + np.exp(-np.abs(odds))),
        np.full(size, 1000),
        2,
    )
    return population, ["hotdog" if true else "other" for true in is_hotdog]


def _right(
    population: Population, truth: list[str]
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    said = [population.sets[code] for code in population.said]
    return np.array([one == other for one, other in zip(said, truth, strict=True)])


def _simulate(errors: Floats, right: NDArray[np.bool_], audits: int) -> tuple[int, list[int]]:
    """Return how many audits of a population miss its errors, and their numbers of answers."""
    rng = np.random.default_rng(5)
    plan = make_plan(errors, GOAL.within, 1 - GOAL.confidence)
    unsure = errors > plan.groups.cut
    bad = [int((~right[~unsure]).sum()), int((~right[unsure]).sum())]
    missed, answers = 0, []
    for _ in range(audits):
        found, before = [0, 0], (0, 0)
        for look in plan.looks:
            for group in range(2):
                rest = plan.groups.sizes[group] - before[group]
                left = bad[group] - found[group]
                more = look.drawn[group] - before[group]
                found[group] += int(rng.hypergeometric(left, rest - left, more)) if more else 0
            before = (look.drawn[0], look.drawn[1])
            low, high = count_interval(plan.groups.strata(look.drawn, found), look.alpha)
            if high - low <= 2 * GOAL.within * len(errors):
                break
        missed += not low <= sum(bad) <= high
        answers.append(look.answers)
    return missed, answers


@pytest.mark.parametrize("scores", ["calibrated", "shuffled"])
def test_audits_hold_as_often_as_they_claim(scores: str) -> None:
    """Of 80 audits at 95 % at most 9 miss, whatever the scores are worth.

    If 5 % missed, more than 9 would in 1 of 100 such tests.
    """
    population, truth = _population(1000, 0.3, 5.0)
    errors = population.errors
    if scores == "shuffled":
        errors = np.random.default_rng(2).permutation(errors)
    missed, _ = _simulate(errors, _right(population, truth), 80)
    assert missed <= 9


def test_calibrated_scores_save_answers() -> None:
    """At 97 % accuracy the median audit needs at most 0.6 of a simple random sample's answers.

    The sample's number is the least after which its exact interval is as short on average.
    """
    population, truth = _population(20_000, 0.5, 7.0)
    right = _right(population, truth)
    needed, length = 100, 1.0
    while length > 2 * GOAL.within:
        needed += 5
        found = round(needed * (1 - right.mean()))
        low, high = count_interval([Sampled(20_000, needed, found)], 0.05)
        length = (high - low) / 20_000
    _, answers = _simulate(population.errors, right, 160)
    assert np.median(answers) <= 0.6 * needed


def test_an_audit_estimates_what_is_true() -> None:
    """Every interval contains the truth of this population, and the threshold keeps its promise."""
    population, truth = _population(3000, 0.3, 5.0)
    session = Session(population, GOAL)
    look, answers = session.play(lambda index: truth[index])
    estimates = session.estimates(look, answers)
    right = _right(population, truth)
    assert estimates.answers == len(answers) < 1000
    assert estimates.accuracy.low <= right.mean() <= estimates.accuracy.high
    assert estimates.accuracy.half_length <= 0.02
    for code, label in enumerate(population.sets):
        item = estimates.labels[label]
        said = population.said == code
        true = np.array([each == label for each in truth])
        assert said.sum() == item.said
        assert item.true.low <= true.sum() <= item.true.high
        assert item.precision.low <= right[said].mean() <= item.precision.high
        assert item.recall.low <= right[true].mean() <= item.recall.high
    assert estimates.threshold is not None
    above = population.scores >= estimates.threshold["at"]
    assert 1 - right[above].mean() <= 0.05


def test_an_audit_per_label_knows_each_label() -> None:
    """With `per_label` the precision of each label is within the goal, of a rare one too."""
    population, truth = _population(3000, 0.05, 4.0)
    session = Session(population, Goal(0.05, 0.9, per_label=True, error=0.05, seed=1))
    look, answers = session.play(lambda index: truth[index])
    estimates = session.estimates(look, answers)
    assert all(each.precision.half_length <= 0.05 for each in estimates.labels.values())


def test_the_sample_depends_on_seed_and_pictures_alone() -> None:
    """The same seed draws the same pictures, another one others, each picture once."""
    population, _ = _population(500, 0.3, 5.0)
    first, again, other = (
        Session(population, Goal(0.05, 0.95, per_label=False, error=0.05, seed=seed)).drawn(0)
        for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    assert len(first) == len(set(first.tolist()))


@pytest.mark.parametrize(("text", "value"), [("2%", 0.02), ("0.5%", 0.005), ("0.02", 0.02)])
def test_shares_are_percents_or_fractions(text: str, value: float) -> None:
    """Both ways of writing a share mean the same."""
    assert value == pytest.approx(share(text))


@pytest.mark.parametrize("text", ["2", "0", "-1%", "100%", "nan", "x", "%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    """A share lies between 0 and 1, without both."""
    with pytest.raises(ValueError, match=r".*"):
        share(text)
