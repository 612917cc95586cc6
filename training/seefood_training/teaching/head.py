"""Fits a last layer on features, calibrates it, and measures it in cross-validation."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood_training.acceptance import WISH, Acceptance, Wish, choose_acceptance
from seefood_training.calibrate import fit_temperature, softmax
from seefood_training.estimators import LOGISTIC
from seefood_training.linear_probe import Examined, Features, Floats, Probe
from seefood_training.metrics import Share, confusion_matrix
from seefood_training.probe_choice import ProbeChoice, choose_probe, predict_out_of_fold
from seefood_training.teaching.examples import Taught
from seefood_training.verdicts import verdicts

LEAST_EXAMPLES: Final = 5
"""Of each class; fewer cannot be cross-validated."""
_FOLDS: Final = 5
_SEED: Final = 20_170_514
_NESTED: Final = 2_000
"""Up to so many examples, the strength is chosen anew for each fold."""
_TRUST: Final = 30.0
"""By how much more than a feature's the coefficient of an old logit may grow: 20 examples of each
of the bundle's own classes then lose little of what it knew (docs/features.md)."""
_DOUBT: Final = 2.0
"""How many examples count as wrong when the temperature is fitted (Platt 1999: 1 / (n + 2))."""


@dataclass(frozen=True, slots=True)
class Head:
    """A calibrated last layer, with what was measured in cross-validation."""

    probe: Probe
    """Its logits are divided by the temperature already."""
    acceptance: Acceptance
    right: Share
    """Examples that got their class from a layer that was fitted without them."""
    strength: float
    temperature: float
    verdicts: tuple[str, ...] = ()
    """What the accuracy does not show: that it is no better than a guess."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON values, for the record of a bundle."""
        return {
            "cross_validated_accuracy": self.right.as_json(),
            "strength": self.strength,
            "temperature": round(self.temperature, 6),
        }


def fit_head(
    taught: Taught,
    wish: Wish = WISH,
    old: Probe | None = None,
) -> Head:
    """Return the layer that tells the classes of `taught` apart.

    `old` is the layer that it replaces, whose logits are features as well: they are linear in the
    others, so the result is one layer. Logistic regression in 5 folds; copies of a picture are in
    one fold.
    Raises `UsageError` for fewer than two classes, fewer than five examples of one, or copies of
    one picture as the examples of each class.
    """
    features, labels, names = taught.features, taught.labels, taught.names
    counts = np.bincount(labels, minlength=len(names))
    few = [f"{name} ({count})" for name, count in zip(names, counts, strict=True)
           if count < LEAST_EXAMPLES]  # fmt: skip
    if len(names) < 2 or few:
        raise UsageError(
            f"examples of two classes are needed, {LEAST_EXAMPLES} of each at least; "
            f"{'too few of ' + ', '.join(few) if few else 'there is one class'}; add some"
        )
    folds = _folds(taught.groups, labels)
    if not folds.any():
        raise UsageError(
            "the examples of each class are copies of one picture, so nothing can show whether the "
            "classes are learned; give different ones"
        )
    seen, trust = features, None
    if old is not None:
        old = _centred(old)
        seen = np.hstack([features, old.logits(features)])
        trust = np.ones(seen.shape[1], np.float32)
        trust[features.shape[1] :] = _TRUST
    examined = Examined(
        Features(seen[np.newaxis]),
        labels,
        np.ones(len(labels), np.float32),
        folds,
        len(names),
        trust,
    )
    choice = _choose(examined)
    logits = _unseen_logits(examined, choice)
    temperature = fit_temperature(logits, labels, _DOUBT / (len(labels) + _DOUBT))
    probe = choice.fit(examined)
    if old is not None:
        probe = _joined(probe, old)
    return Head(
        probe=probe.at(temperature),
        acceptance=choose_acceptance(softmax(logits / temperature), labels, wish),
        right=Share(int((logits.argmax(axis=1) == labels).sum()), len(labels)),
        strength=choice.strength,
        temperature=choice.temperature * temperature,
        verdicts=verdicts(names, confusion_matrix(labels, logits.argmax(axis=1), len(names))),
    )


def _centred(old: Probe) -> Probe:
    """Return `old` with logits whose sum is 0: softmax ignores what all classes have in common."""
    return Probe(
        old.coefficients - old.coefficients.mean(axis=1, keepdims=True),
        old.intercepts - old.intercepts.mean(),
    )


def _joined(probe: Probe, old: Probe) -> Probe:
    """Return a layer on features alone for `probe`, which is on features and the old logits."""
    dimension = len(old.coefficients)
    own, of_old = probe.coefficients[:dimension], probe.coefficients[dimension:]
    return Probe(
        np.asarray(own + old.coefficients @ of_old, np.float32),
        np.asarray(probe.intercepts + old.intercepts @ of_old, np.float32),
    )


def _choose(examined: Examined) -> ProbeChoice:
    """Return the best strength of logistic regression.

    The shrinkage of discriminant analysis would suit no column, because `_TRUST` scales some.
    """
    return choose_probe(examined, (LOGISTIC,))


def _unseen_logits(examined: Examined, choice: ProbeChoice) -> Floats:
    """Return the logits of each example by a layer that was fitted, and chosen, without it."""
    if len(examined.labels) > _NESTED:
        return predict_out_of_fold(examined, choice.fit)
    logits = np.zeros((len(examined.labels), examined.classes), np.float32)
    for fold in np.unique(examined.folds):
        inside = examined.folds == fold
        others = examined.at(~inside)
        probe = _choose(others).fit(others)
        logits[inside] = probe.logits(examined.features.upright[inside])
    return logits


def _folds(groups: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fold of each example: classes are spread evenly, groups stay together."""
    folds = np.zeros(len(labels), np.int64)
    fold_of: dict[int, int] = {}
    rng = np.random.default_rng(_SEED)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        for position, member in enumerate(members.tolist()):
            folds[member] = fold_of.setdefault(int(groups[member]), position % _FOLDS)
    return folds
