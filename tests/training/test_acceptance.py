"""Thresholds: what is asked, what is reached, never everything `unsure`."""

import numpy as np
import pytest

from seefood_training.acceptance import Acceptance, Wish, choose_acceptance, threshold_leaving
from seefood_training.calibrate import softmax
from seefood_training.metrics import Share

ALL = Wish(most_unsure=0.9)


def predictions(scores: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of two classes with the top `scores`, and the true classes."""
    top = np.array(scores)
    return np.stack([top, 1 - top], axis=1), np.where(right, 0, 1)


def calibrated(pictures: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(rng.normal(0, 2, (pictures, classes)))
    labels = (probabilities.cumsum(axis=1) < rng.random((pictures, 1))).sum(axis=1)
    return probabilities, np.minimum(labels, classes - 1)


def test_threshold_is_between_accepted_and_refused_scores() -> None:
    """With one mistake below 150 right answers, 1 % accepts the 150 and not the mistake."""
    chosen = choose_acceptance(*predictions([0.9] * 150 + [0.7], [True] * 150 + [False]))

    assert pytest.approx((0.8, 0.8)) == chosen.thresholds
    assert chosen.is_reached
    assert (1, 0) == (chosen.unsure.count, chosen.wrong.count)


def test_nothing_is_unsure_if_all_are_right() -> None:
    """Without mistakes on enough pictures nothing is unsure."""
    chosen = choose_acceptance(*predictions([0.6] * 100, [True] * 100))

    assert (0.0, 0.0) == chosen.thresholds
    assert chosen.is_reached


def test_too_few_pictures_to_show_the_share() -> None:
    """98 right answers cannot show that at most 1 % is wrong; all are accepted, and it is told."""
    chosen = choose_acceptance(*predictions([0.6] * 98, [True] * 98))

    assert (0.0, 0.0) == chosen.thresholds
    assert not chosen.is_reached
    assert (
        "asked: at most 1.0% mistakes among the accepted; NOT shown, because too few photos are "
        "accepted: 0% of the validation photos are left unsure, and of the others 0.0% are wrong "
        "(95 % interval 0.0% to 3.8%); 0 wrong of 98 cannot show it for new photos, 0 of 99 would"
    ) == chosen.sentence()


@pytest.mark.parametrize("wrong_share", [0.01, 0.03, 0.1, 0.3])
@pytest.mark.parametrize("mistakes", [0, 1, 7])
def test_the_sentence_states_the_fewest_pictures_that_show_the_share(
    wrong_share: float, mistakes: int
) -> None:
    """With as many mistakes among that many pictures it is reached, and not with one fewer."""
    wish = Wish(wrong_share, 0.3)
    fewest = next(n for n in range(mistakes, 2000) if mistakes + 1 <= wrong_share * (n + 1) + 1e-9)

    def of(total: int) -> Acceptance:
        return Acceptance((0.0,), wish, Share(0, total), Share(mistakes, total), (False,), ())

    assert of(fewest).is_reached
    assert not of(fewest - 1).is_reached
    assert f"{mistakes} of {fewest} would" in of(fewest - 1).sentence()


@pytest.mark.parametrize(
    ("wish", "wrong", "unsure"),
    [
        (Wish(0.0001, 0.3), "0.01%", "30%"),
        (Wish(0.125, 0.005), "12.5%", "0.5%"),
        (Wish(0.02, 0.0), "2.0%", "0%"),
    ],
    ids=["0.01%", "12.5%", "2%"],
)
def test_the_sentence_states_what_was_asked(wish: Wish, wrong: str, unsure: str) -> None:
    """A small share is not rounded to nothing."""
    sentence = choose_acceptance(*predictions([0.6] * 9, [False] * 9), wish).sentence()

    assert sentence.startswith(f"asked: at most {wrong} mistakes among the accepted; ")
    assert f"NOT reached while at most {unsure} may be left unsure" in sentence


def test_equal_scores_are_accepted_together() -> None:
    """Correct predictions with the same score as a mistake are refused with it."""
    scores, right = [0.9] * 180 + [0.8] * 3, [True] * 182 + [False]
    assert pytest.approx((0.85, 0.85)) == choose_acceptance(*predictions(scores, right)).thresholds


@pytest.mark.parametrize("pictures", [1, 2, 7, 30, 90, 600], ids=lambda n: f"{n} pictures")
@pytest.mark.parametrize("accuracy", [0.0, 0.2, 0.5, 0.9, 1.0], ids=lambda a: f"accuracy {a}")
def test_most_unsure(pictures: int, accuracy: float) -> None:
    """However wrong the answers are, no more than the stated share is left unsure."""
    rng = np.random.default_rng(pictures)
    scores = list(rng.uniform(0.5, 1, pictures))
    right = list(rng.random(pictures) < accuracy)
    chosen = choose_acceptance(*predictions(scores, right), Wish(0.001, 0.3))

    assert chosen.unsure.value <= 0.3
    assert chosen.wrong.total == pictures - chosen.unsure.count
    assert max(chosen.thresholds) < 1


def test_most_unsure_holds_on_new_pictures() -> None:
    """The share left unsure of other pictures of the same kind exceeds the stated one rarely."""
    too_many = 0
    for seed in range(40):
        probabilities, labels = calibrated(4100, 5, seed)
        chosen = choose_acceptance(probabilities[:100], labels[:100], Wish(0.01, 0.3))
        top = probabilities[100:].max(axis=1)
        too_many += (top < chosen.thresholds[0]).mean() > 0.3
    assert too_many <= 4


def test_wrong_share_holds_on_new_pictures() -> None:
    """Thresholds chosen on one half keep the mean share of mistakes on the other half."""
    shares = []
    for seed in range(40):
        probabilities, labels = calibrated(1600, 2, seed)
        chosen = choose_acceptance(probabilities[:800], labels[:800], Wish(0.05, 0.95))
        predicted = probabilities[800:].argmax(axis=1)
        accepted = probabilities[800:].max(axis=1) >= np.asarray(chosen.thresholds)[predicted]
        shares.append((predicted != labels[800:])[accepted].mean() if accepted.any() else 0.0)
    assert np.mean(shares) <= 0.05


def test_label_with_enough_pictures_has_its_own_threshold() -> None:
    """Mistakes of one label do not make predictions of the other label unsure."""
    first, labels = predictions([0.9] * 300 + [0.7], [True] * 300 + [False])
    second = np.array([[0.4, 0.6]] * 250)
    probabilities = np.concatenate([first, second])
    truth = np.concatenate([labels, np.ones(250, int)])
    chosen = choose_acceptance(probabilities, truth, Wish(0.0034))

    assert pytest.approx((0.8, 0.0)) == chosen.thresholds
    assert (True, True) == chosen.own


def test_curve() -> None:
    """The curve begins with nothing unsure, and has fewer mistakes where more is unsure."""
    probabilities, labels = calibrated(2000, 4, seed=1)
    curve = choose_acceptance(probabilities, labels, ALL).curve

    assert 0.0 == curve[0][0]
    assert pytest.approx((probabilities.argmax(axis=1) != labels).mean(), abs=1e-4) == curve[0][1]
    assert curve[-1][1] < curve[0][1] / 2


def test_threshold_leaving() -> None:
    """The threshold leaves at most the share unsure; equal scores stay together."""
    top = np.array([0.9, 0.8, 0.7, 0.6, 0.6])
    assert pytest.approx(0.65) == threshold_leaving(top, 0.4)
    assert 0.0 == threshold_leaving(top, 0.3)
    assert pytest.approx(0.75) == threshold_leaving(top, 0.6)
