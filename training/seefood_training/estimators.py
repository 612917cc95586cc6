"""How a linear probe is fitted to features: logistic regression, and discriminant analysis.

Discriminant analysis is the classifier for classes that are normally distributed with a common
covariance. Where there are fewer photos than features, that covariance is shrunk towards a
multiple of the identity (O. Ledoit and M. Wolf, "A well-conditioned estimator for
large-dimensional covariance matrices", 2004). Both estimators see all views of a photo.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from sklearn.linear_model import LogisticRegression
from threadpoolctl import ThreadpoolController

from seefood_training.linear_probe import Examined, Floats, Probe

_ITERATIONS: Final = 300
_TOLERANCE: Final = 1e-3
_LEAST_DEVIATION: Final = 0.1
"""Of a map, relative to the mean of all: a map that hardly varies is not scaled up any more."""
_ABSENT: Final = 30.0
"""A class without photos gets logits that are so much lower than any other."""


@dataclass(frozen=True, slots=True)
class Estimator:
    """A way to fit a probe."""

    name: str
    prepare: Callable[[Examined], Callable[[float], Probe]]
    """Takes the photos and returns a function of the strength, which can be called often."""
    strengths: tuple[float, ...]
    """The regularisations that are compared, the strongest first."""
    grows_with_classes: bool
    """Whether a fit takes longer the more classes there are."""

    def work(self, examined: Examined) -> float:
        """Return the numbers that a fit to `examined` reads, once for each class if it must."""
        return examined.features.views.size * (examined.classes if self.grows_with_classes else 1)

    def fit(self, examined: Examined, strength: float) -> Probe:
        """Return the probe of `examined` with one strength."""
        return self.prepare(examined)(strength)

    def at(self, strength: float) -> Callable[[Examined], Probe]:
        """Return the fit with one strength."""
        return lambda examined: self.fit(examined, strength)


@dataclass(frozen=True, slots=True)
class _Standardised:
    """Features of all views, each map with mean 0 and about unit variance."""

    features: Floats
    """Of shape `(views * n, maps)`."""
    classes: NDArray[np.int64]
    """Of shape `(views * n,)`: indices of `present`."""
    weights: Floats
    """Of shape `(views * n,)`, with the mean 1."""
    present: NDArray[np.int64]
    """The classes that have photos."""
    mean: Floats
    deviation: Floats

    def probe(
        self, kernel: NDArray[np.floating], bias: NDArray[np.floating], classes: int
    ) -> Probe:
        """Return the probe with `kernel`, `(maps, present)`, and `bias`, `(present,)`."""
        coefficients = np.zeros((len(self.mean), classes), np.float32)
        intercepts = np.zeros(classes, np.float32)
        coefficients[:, self.present] = kernel / self.deviation[:, np.newaxis]
        intercepts[self.present] = bias - self.mean @ coefficients[:, self.present]
        absent = np.setdiff1d(np.arange(classes), self.present)
        if len(absent):
            intercepts[absent] = (self.features @ kernel + bias).min() - _ABSENT
        return Probe(coefficients, intercepts)


def prepare_logistic(examined: Examined) -> Callable[[float], Probe]:
    """Return the probe with the lowest weighted, regularised cross-entropy, by its strength.

    The strength is scikit-learn's C on features of unit variance: a smaller value keeps the
    coefficients closer to zero.
    """
    seen, classes = _standardised(examined), examined.classes
    count = len(seen.present)

    def fit(strength: float) -> Probe:
        kernel: NDArray[np.floating] = np.zeros((seen.features.shape[1], count), np.float32)
        bias: NDArray[np.floating] = np.zeros(count, np.float32)
        if count > 1:
            regression = LogisticRegression(C=strength, max_iter=_ITERATIONS, tol=_TOLERANCE)
            with _thread_pools().limit(limits=1):
                regression.fit(seen.features, seen.classes, sample_weight=seen.weights)
            kernel, bias = regression.coef_.T, regression.intercept_
            if count == 2:  # one column, of the second class
                kernel, bias = np.hstack([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2
        return seen.probe(kernel, bias, classes)

    return fit


def prepare_discriminant(examined: Examined) -> Callable[[float], Probe]:
    """Return the probe of the classes' means and their common covariance, by its shrinkage.

    The shrinkage, in (0, 1], is the share of a multiple of the identity in the covariance: with 1
    the class with the nearest mean is the answer. All classes are taken to be equally frequent.
    """
    seen, classes = _standardised(examined), examined.classes
    weights = seen.weights[:, np.newaxis]
    members = np.eye(len(seen.present), dtype=np.float32)[seen.classes] * weights
    means = (members.T @ seen.features) / members.sum(axis=0)[:, np.newaxis]
    rest = (seen.features - means[seen.classes]) * np.sqrt(weights / weights.sum())
    variance = max(float(np.square(rest).mean(axis=1).sum()), 1e-12)
    views, maps = rest.shape
    # With fewer views than maps, the inverse by Woodbury's identity is of the smaller matrix.
    few = views < maps
    products = rest @ rest.T if few else rest.T @ rest
    kept = rest if few else np.empty((0, maps), np.float32)
    known = kept @ means.T if few else means.T
    if len(seen.present) == classes:  # the function is kept, and needs them for absent ones only
        seen = replace(seen, features=np.empty((0, maps), np.float32))

    def fit(shrinkage: float) -> Probe:
        own, floor = 1 - shrinkage, shrinkage * variance
        kernel = solve(
            own * products + floor * np.eye(len(products), dtype=np.float32), known, assume_a="pos"
        )
        if few:
            kernel = (means.T - own * (kept.T @ kernel)) / floor
        bias = -np.sum(means.T * kernel, axis=0) / 2
        return seen.probe(kernel, bias, classes)

    return fit


LOGISTIC: Final = Estimator(
    "logistic regression",
    prepare_logistic,
    (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    grows_with_classes=True,
)
DISCRIMINANT: Final = Estimator(
    "discriminant analysis",
    prepare_discriminant,
    (0.98, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.2, 0.1),
    grows_with_classes=False,
)
ESTIMATORS: Final = (DISCRIMINANT, LOGISTIC)


def _standardised(examined: Examined) -> _Standardised:
    views, weights = examined.features.views, examined.weights
    features = views.reshape(-1, views.shape[-1])
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation = np.maximum(deviation, _LEAST_DEVIATION * deviation.mean() + 1e-8)
    if examined.trust is not None:
        deviation = deviation / examined.trust
    present, classes = np.unique(examined.labels, return_inverse=True)
    shares = weights * (len(weights) / weights.sum())
    return _Standardised(
        (features - mean) / deviation,
        np.tile(classes, len(views)),
        np.tile(shares, len(views)).astype(np.float32),
        present,
        mean,
        deviation,
    )


@cache
def _thread_pools() -> ThreadpoolController:
    """Return those of the linear algebra libraries.

    The products of a regression are so short that with several threads most of its time is waiting
    for them: 40 to 4,000 examples took 2 to 5 times as long on two busy cores.
    """
    return ThreadpoolController()
