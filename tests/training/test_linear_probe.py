"""The linear probe: fitting, choosing its strength, out-of-fold predictions, installing it."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the probe reads networks")

from seefood_training.linear_probe import (
    STRENGTHS,
    Examined,
    Features,
    choose_strength,
    fit_probe,
    install_probe,
    join_features,
    predict_out_of_fold,
    read_features,
)
from seefood_training.networks import NetworkChoice, build


def _separable(seed: int = 0, count: int = 60, classes: int = 2) -> Examined:
    """Return photos whose classes are far apart, each along a map of its own, in four folds."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    upright = rng.normal(size=(count, classes + 2)).astype(np.float32)
    upright[np.arange(count), labels] += 6
    mirrored = (upright + rng.normal(scale=0.1, size=upright.shape)).astype(np.float32)
    folds = np.arange(count) // classes % 4
    weights = np.ones(count, np.float32)
    return Examined(Features(upright, mirrored), labels, weights, folds, classes)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_probe_separates_the_classes(classes: int) -> None:
    """The highest logit is that of the class."""
    examined = _separable(count=84, classes=classes)
    logits = fit_probe(examined, strength=1.0).logits(examined.features.upright)

    np.testing.assert_array_equal(examined.labels, logits.argmax(axis=1))


@pytest.mark.parametrize("classes", [2, 4])
def test_class_without_photos(classes: int) -> None:
    """A class that no photo has is never the answer; of two classes the other always is."""
    examined = replace(_separable(classes=classes), classes=classes + 1)
    logits = fit_probe(examined, strength=1.0).logits(examined.features.upright)

    assert np.isfinite(logits).all()
    assert classes not in logits.argmax(axis=1)


def test_out_of_fold_prediction_ignores_a_wrong_label() -> None:
    """A photo like those of the other class gets that class, whatever its own label is."""
    examined = _separable()
    labels = examined.labels.copy()
    labels[0] = 1
    logits = predict_out_of_fold(replace(examined, labels=labels), 1.0)

    np.testing.assert_array_equal(examined.labels, logits.argmax(axis=1))


def test_strength() -> None:
    """Where the features tell the classes apart, a weaker regularisation than the first is best."""
    assert choose_strength(_separable(count=80)) > STRENGTHS[0]


def test_installed_probe_is_the_last_layer() -> None:
    """The network's logits are the probe's."""
    model = build(NetworkChoice("folded_mobilenet_v2", 32, 32, 3, multiplier=0.35))
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    features = read_features(model, pixels)
    labels = np.asarray([0, 1, 2, 0, 1, 2])
    probe = fit_probe(Examined(features, labels, np.ones(6, np.float32), labels, 3), 1.0)
    install_probe(model, probe)
    logits = np.asarray(model(pixels.astype(np.float32), training=False))

    np.testing.assert_allclose(probe.logits(features.upright), logits, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        read_features(model, pixels[:, :, ::-1]).upright, features.mirrored, rtol=1e-3, atol=1e-4
    )


def test_join_features() -> None:
    """The features of several networks are concatenated."""
    one, other = _separable(0).features, _separable(1).features
    both = join_features([one, other])

    np.testing.assert_array_equal(one.upright, both.upright[:, :4])
    np.testing.assert_array_equal(other.mirrored, both.mirrored[:, 4:])
