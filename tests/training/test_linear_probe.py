"""The linear probe: fitting, out-of-fold predictions, and installing it in a network."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the probe reads networks")

from seefood_training.fit_types import Floats
from seefood_training.linear_probe import (
    Features,
    fit_probe,
    install_probe,
    join_features,
    predict_out_of_fold,
    read_features,
)
from seefood_training.networks import NetworkChoice, build


def _separable(seed: int = 0, count: int = 60) -> tuple[Features, np.ndarray, Floats]:
    """Return features of two classes, far apart along the first of three maps."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    upright = rng.normal(size=(count, 3)).astype(np.float32)
    upright[:, 0] += np.where(labels == 0, 4, -4)
    mirrored = (upright + rng.normal(scale=0.1, size=upright.shape)).astype(np.float32)
    return Features(upright, mirrored), labels, np.ones(count, np.float32)


def test_probe_separates_the_classes() -> None:
    """The logit is positive exactly for the first class."""
    features, labels, weights = _separable()
    probe = fit_probe(features, labels, weights, strength=1.0)
    logits = features.upright @ probe.coefficients + probe.intercept

    np.testing.assert_array_equal(labels == 0, logits > 0)


def test_out_of_fold_prediction_ignores_a_wrong_label() -> None:
    """A photo like those of the other class gets that class, whatever its own label is."""
    features, labels, weights = _separable()
    labels[0] = 1
    folds = np.arange(len(labels)) // 2 % 4
    first = predict_out_of_fold(features, labels, weights, 1.0, folds)

    assert first[0] > 0.5
    np.testing.assert_array_equal(labels[1:] == 0, first[1:] > 0.5)


def test_installed_probe_is_the_last_layer() -> None:
    """Softmax of the network's logits is the probe's probability."""
    model = build(NetworkChoice("folded_mobilenet_v2", 32, 32, 2, multiplier=0.35))
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    features = read_features(model, pixels)
    probe = fit_probe(features, np.asarray([0, 1, 0, 1, 0, 1]), np.ones(6, np.float32), 1.0)
    install_probe(model, probe)
    first, second = np.asarray(model(pixels.astype(np.float32), training=False)).T
    expected = features.upright @ probe.coefficients + probe.intercept

    np.testing.assert_allclose(expected, first - second, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        read_features(model, pixels[:, :, ::-1]).upright, features.mirrored, rtol=1e-3, atol=1e-4
    )


def test_join_features() -> None:
    """The features of several networks are concatenated."""
    one, _, _ = _separable(0)
    other, _, _ = _separable(1)
    both = join_features([one, other])

    np.testing.assert_array_equal(one.upright, both.upright[:, :3])
    np.testing.assert_array_equal(other.mirrored, both.mirrored[:, 3:])
