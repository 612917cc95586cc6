"""Measures a bundle that gives a picture several labels, and chooses a threshold for each label.

A label holds where its probability is at least its threshold, so every label is a question of its
own with its own mistakes. There is no share of right pictures that says enough: of many labels most
do not hold, and whoever answers "none" is right on most. The figures are therefore those of the
labels that hold: precision, recall, and F1, their harmonic mean.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from seefood.bundle import Bundle
from seefood_training.metrics import Share

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

_BINS: Final = 15
_ENOUGH: Final = 10
"""A label that holds for fewer pictures, or is absent from fewer, keeps its threshold."""


def measure_labels(
    bundle: Bundle,
    engine: str,
    truth: Flags,
    probabilities: Floats,
    failed: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Return all figures as JSON values; `truth` and `probabilities` are of `(n, labels)`."""
    spec = bundle.spec
    said = probabilities >= np.asarray(spec.thresholds)
    hits = int((said & truth).sum())
    rows = [
        _label(label, truth[:, at], said[:, at], probabilities[:, at], spec.thresholds[at])
        for at, label in enumerate(spec.labels)
    ]
    scores = [row["f1"] for row in rows if row["f1"] is not None]
    return {
        "kind": "multi-label",
        "bundle": {"name": spec.name, "digest": bundle.digest, "labels": list(spec.labels)},
        "engine": engine,
        "pictures": len(truth),
        "failed": [{"uri": uri, "reason": reason} for uri, reason in failed],
        "warnings": _warnings(rows),
        "labels_a_picture": {
            "true": round(float(truth.sum(axis=1).mean()), 4),
            "said": round(float(said.sum(axis=1).mean()), 4),
        },
        "precision": Share(hits, int(said.sum())).as_json(),
        "recall": Share(hits, int(truth.sum())).as_json(),
        "f1": _f1(truth.ravel(), said.ravel()),
        "mean_f1": round(float(np.mean(scores)), 6) if scores else None,
        "all_labels_right": Share(int((said == truth).all(axis=1).sum()), len(truth)).as_json(),
        "calibration_error": round(calibration_error(truth, probabilities), 6),
        "labels": rows,
    }


def choose_thresholds(truth: Flags, probabilities: Floats, present: Sequence[float]) -> list[float]:
    """Return for each label the threshold with the highest F1 on these pictures.

    Halfway between the two scores around it. A label that holds for fewer than 10 pictures, or for
    all but fewer than 10, keeps its threshold in `present`.
    """
    thresholds = list(present)
    for at in range(truth.shape[1]):
        own, scores = truth[:, at], probabilities[:, at].astype(np.float64)
        if min(int(own.sum()), int((~own).sum())) < _ENOUGH:
            continue
        order = np.argsort(-scores, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
        hits = np.cumsum(own[order])[ends]
        f1 = 2 * hits / (ends + 1 + own.sum())
        best = int(f1.argmax())
        lowest = scores[order][ends[best]]
        following = scores[order][ends[best] + 1] if best + 1 < len(ends) else 0.0
        thresholds[at] = float((lowest + following) / 2)
    return thresholds


def calibration_error(truth: Flags, probabilities: Floats) -> float:
    """Return the mean difference of probability and frequency in 15 bins over all answers."""
    own, scores = truth.ravel(), probabilities.ravel().astype(np.float64)
    at = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    counts = np.bincount(at, minlength=_BINS)
    sums = np.bincount(at, weights=scores, minlength=_BINS)
    right = np.bincount(at, weights=own, minlength=_BINS)
    return float(np.abs(sums - right).sum() / counts.sum())


def _label(
    label: str, truth: Flags, said: Flags, scores: Floats, threshold: float
) -> dict[str, Any]:
    hits, has_both = int((truth & said).sum()), bool(truth.any()) and not truth.all()
    return {
        "label": label,
        "threshold": threshold,
        "holds_for": int(truth.sum()),
        "precision": Share(hits, int(said.sum())).as_json(),
        "recall": Share(hits, int(truth.sum())).as_json(),
        "false_positives": Share(int((said & ~truth).sum()), int((~truth).sum())).as_json(),
        "f1": _f1(truth, said),
        "roc_area": round(float(metrics.roc_auc_score(truth, scores)), 6) if has_both else None,
        "average_precision": (
            round(float(metrics.average_precision_score(truth, scores)), 6) if truth.any() else None
        ),
    }


def _f1(truth: Flags, said: Flags) -> float | None:
    """Return F1 in [0, 1]; None where no label holds and none is said."""
    total = int(truth.sum()) + int(said.sum())
    return round(2 * int((truth & said).sum()) / total, 6) if total else None


def _warnings(rows: Sequence[dict[str, Any]]) -> list[str]:
    absent = [row["label"] for row in rows if not row["holds_for"]]
    if not absent:
        return []
    shown = ", ".join(map(repr, absent[:5])) + (", …" if len(absent) > 5 else "")
    return [f"no picture has {shown}: nothing is known about finding them"]
