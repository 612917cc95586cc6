"""The linear probe: its estimators, the choice between them, predictions, installing it."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the probe reads networks")

from seefood_training.estimators import DISCRIMINANT, ESTIMATORS, LOGISTIC, Estimator
from seefood_training.linear_probe import (
    Examined,
    Features,
    install_probe,
    join_features,
    read_features,
)
from seefood_training.networks import NetworkChoice, build
from seefood_training.probe_choice import choose_probe, predict_out_of_fold

_MIDDLE = {LOGISTIC.name: 1.0, DISCRIMINANT.name: 0.5}
_EACH = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: each.name)


def _separable(seed: int = 0, count: int = 60, classes: int = 2) -> Examined:
    """Return photos whose classes are far apart, each along a map of its own, in four folds."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    upright = rng.normal(size=(count, classes + 2)).astype(np.float32)
    upright[np.arange(count), labels] += 6
    mirrored = (upright + rng.normal(scale=0.1, size=upright.shape)).astype(np.float32)
    folds = np.arange(count) // classes % 4
    weights = np.ones(count, np.float32)
    return Examined(Features(np.stack([upright, mirrored])), labels, weights, folds, classes)


@_EACH
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_probe_separates_the_classes(classes: int, estimator: Estimator) -> None:
    """The highest logit is that of the class."""
    examined = _separable(count=84, classes=classes)
    probe = estimator.fit(examined, _MIDDLE[estimator.name])
    logits = probe.logits(examined.features.upright)

    np.testing.assert_array_equal(examined.labels, logits.argmax(axis=1))


@_EACH
@pytest.mark.parametrize("classes", [1, 2, 4])
def test_class_without_photos(classes: int, estimator: Estimator) -> None:
    """A class that no photo has is never the answer; of two classes the other always is."""
    examined = replace(_separable(classes=classes), classes=classes + 1)
    probe = estimator.fit(examined, _MIDDLE[estimator.name])
    logits = probe.logits(examined.features.upright)

    assert np.isfinite(logits).all()
    assert classes not in logits.argmax(axis=1)


@_EACH
def test_out_of_fold_prediction_ignores_a_wrong_label(estimator: Estimator) -> None:
    """A photo like those of the other class gets that class, whatever its own label is."""
    examined = _separable()
    labels = examined.labels.copy()
    labels[0] = 1
    fit = estimator.at(_MIDDLE[estimator.name])
    logits = predict_out_of_fold(replace(examined, labels=labels), fit)

    np.testing.assert_array_equal(examined.labels, logits.argmax(axis=1))


@pytest.mark.parametrize("maps", [5, 300])
def test_discriminant_is_the_one_of_scikit_learn(maps: int) -> None:
    """With fewer and with more maps than photos, logits differ as scikit-learn's do."""
    discriminant_analysis = pytest.importorskip("sklearn.discriminant_analysis")
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(3), 20)
    upright = rng.normal(size=(60, maps)) + rng.normal(size=(3, maps))[labels]
    mirrored = upright + rng.normal(scale=0.3, size=upright.shape)
    both = np.concatenate([upright, mirrored])
    scaled = (both - both.mean(axis=0)) / both.std(axis=0)
    peer = discriminant_analysis.LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage=0.6, priors=np.full(3, 1 / 3)
    ).fit(scaled, np.tile(labels, 2))

    features = Features(np.stack([upright, mirrored]).astype(np.float32))
    examined = Examined(features, labels, np.ones(60, np.float32), labels, 3)
    logits = DISCRIMINANT.fit(examined, 0.6).logits(features.upright)

    expected = peer.decision_function(scaled[:60])
    np.testing.assert_allclose(
        expected - expected[:, :1], logits - logits[:, :1], rtol=1e-3, atol=1e-3
    )


@_EACH
def test_strength(estimator: Estimator) -> None:
    """Where the features tell the classes apart, a weaker regularisation than the first is best."""
    choice = choose_probe(_separable(count=80), (estimator,))

    assert choice.strength != estimator.strengths[0]


def test_choice_proves_better() -> None:
    """Discriminant analysis is taken, unless regression is better by more than the error allows.

    Classes of very different spread break the common covariance that it assumes.
    """
    rng = np.random.default_rng(1)
    labels = np.arange(400) % 2
    upright = rng.normal(size=(400, 6)).astype(np.float32)
    upright[:, 0] = np.where(labels, rng.exponential(8, 400) + 0.5, -rng.random(400))
    folds, weights = np.arange(400) // 2 % 4, np.ones(400, np.float32)
    uneven = Examined(Features(upright[np.newaxis]), labels, weights, folds, 2)

    assert choose_probe(_separable(count=80)).estimator is DISCRIMINANT
    assert choose_probe(uneven).estimator is LOGISTIC


def test_many_classes() -> None:
    """With hundreds of classes only the estimator that takes no longer for them is compared."""
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(300), 4)
    upright = rng.normal(size=(300, 80))[labels] + rng.normal(scale=0.4, size=(1200, 80))
    folds, weights = np.tile(np.arange(4), 300), np.ones(1200, np.float32)
    views = np.repeat(upright[np.newaxis].astype(np.float32), 2, axis=0)
    examined = Examined(Features(views), labels, weights, folds, 300)
    choice = choose_probe(examined)

    assert choice.estimator is DISCRIMINANT
    assert (predict_out_of_fold(examined, choice.fit).argmax(axis=1) == labels).mean() > 0.95


def test_installed_probe_is_the_last_layer() -> None:
    """The network's logits are the probe's."""
    model = build(NetworkChoice("folded_mobilenet_v2", 32, 32, 3, multiplier=0.35))
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    features = read_features(model, pixels)
    labels = np.asarray([0, 1, 2, 0, 1, 2])
    examined = Examined(features, labels, np.ones(6, np.float32), labels, 3)
    probe = LOGISTIC.fit(examined, 1.0)
    install_probe(model, probe)
    logits = np.asarray(model(pixels.astype(np.float32), training=False))

    np.testing.assert_allclose(probe.logits(features.upright), logits, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        read_features(model, pixels[:, :, ::-1]).upright, features.views[1], rtol=1e-3, atol=1e-4
    )


def test_join_features() -> None:
    """The features of several networks are concatenated."""
    one, other = _separable(0).features, _separable(1).features
    both = join_features([one, other])

    np.testing.assert_array_equal(one.views, both.views[:, :, :4])
    np.testing.assert_array_equal(other.views, both.views[:, :, 4:])
