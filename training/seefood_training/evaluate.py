"""Measures a bundle on labelled photos, with the decoder and the engines of a batch job.

The result is one document of JSON values: it is the JSON file, and the page is rendered from it.
Each share has its 95 % interval. Pictures that cannot be decoded are listed and not counted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import Bundle
from seefood_training.acceptance import mistakes_by_share, threshold_leaving
from seefood_training.calibrate import (
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
    softmax,
)
from seefood_training.data import Photo
from seefood_training.metrics import (
    Share,
    class_figures,
    confusion_matrix,
    precision_recall_curve,
    roc_curve,
)
from seefood_training.predictions import (
    Predictions,
    choose_engines,
    classify_photos,
    labelled_photos,
)
from seefood_training.training_photos import Copy, copy_figures, describe_copies
from seefood_training.verdicts import verdicts

__all__ = [
    "Predictions",
    "choose_engines",
    "classify_photos",
    "labelled_photos",
    "measure",
    "mistakes",
    "undo_temperature",
]

Floats = NDArray[np.floating]

_CURVE_POINTS: Final = 200
_share = Share.as_json


def measure(
    bundle: Bundle,
    predictions: Predictions,
    why_alone: str = "",
    source_from: re.Pattern[str] | None = None,
    unsure_share: float | None = None,
) -> dict[str, Any]:
    """Return all figures of `predictions`, as JSON values.

    `why_alone` is the reason why only one engine was run. `source_from` finds the source of a photo
    in its name, or else in its URI: the first group, or the whole match. With `unsure_share`, in
    [0, 1), also what one threshold for all labels would do that leaves at most that share unsure.
    """
    engine, probabilities = next(iter(predictions.probabilities.items()))
    spec, truth = bundle.spec, predictions.truth
    top, best = probabilities.max(axis=1), probabilities.argmax(axis=1)
    right = best == truth
    accepted = top >= np.asarray(spec.thresholds)[best]
    confusion = confusion_matrix(truth, best, len(spec.labels)).tolist()
    copies = _copies(predictions.copies, right)
    return {
        "bundle": {"name": spec.name, "digest": bundle.digest, "labels": list(spec.labels)},
        "engine": engine,
        "pictures": len(truth),
        "failed": [{"uri": uri, "reason": reason} for uri, reason in predictions.failed],
        "accuracy": _share(Share(int(right.sum()), len(truth))),
        "warnings": [*_copy_warnings(predictions.copies), *verdicts(spec.labels, confusion)],
        "copies_of_training_photos": copies,
        "confusion": confusion,
        "classes": _classes(spec.labels, truth, probabilities),
        "sources": _sources(predictions.photos, right, source_from) if source_from else [],
        "curves": _curves(spec.labels, truth, probabilities),
        "calibration": _calibration(probabilities, truth, spec.training.get("temperature")),
        "unsure": {
            "thresholds": list(spec.thresholds),
            "share": _share(Share(int((~accepted).sum()), len(truth))),
            "wrong_among_accepted": _share(
                Share(int((accepted & ~right).sum()), int(accepted.sum()))
            ),
            "curve": _risk_curve(top, right),
            "by_share": mistakes_by_share(top, ~right),
            "if_at_most": None if unsure_share is None else _leaving(top, right, unsure_share),
        },
        "engines": _compared(predictions, why_alone),
        "answers": [
            {
                "uri": photo.ref.uri,
                "truth": spec.labels[photo.label],
                "answer": spec.labels[predicted],
                "score": round(float(score), 6),
                "unsure": not bool(sure),
                "copy": copy,
            }
            for photo, predicted, score, sure, copy in zip(
                predictions.photos,
                best,
                top,
                accepted,
                predictions.copies or repeat(None, len(truth)),
                strict=True,
            )
        ],
    }


def mistakes(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the mistakes in a document of `measure`, the highest scores first."""
    wrong = [each for each in document["answers"] if each["answer"] != each["truth"]]
    return sorted(wrong, key=lambda each: (-each["score"], each["uri"]))


def undo_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Return the probabilities before calibration by `temperature`."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))
    return softmax(logits * temperature)


def _copies(
    copies: Sequence[Copy | None] | None, right: NDArray[np.bool_]
) -> dict[str, Any] | None:
    if copies is None:
        return None
    figures = copy_figures(copies, right)
    others = Share(figures.pop("others_right"), figures.pop("others"))
    return {**figures, "accuracy_without": _share(others)}


def _copy_warnings(copies: Sequence[Copy | None] | None) -> list[str]:
    if copies is None or not any(copies):
        return []
    return [f"{describe_copies(copies)}: the figures are too high"]


def _number(value: float) -> float | None:
    """Return `value`, or None for NaN, which JSON does not have."""
    return float(value) if np.isfinite(value) else None


def _classes(
    labels: tuple[str, ...], truth: NDArray[np.int64], probabilities: Floats
) -> list[dict[str, Any]]:
    return [
        {
            "label": figures.label,
            "recall": _share(figures.recall),
            "precision": _share(figures.precision),
            "false_positives": _share(figures.false_positives),
            "roc_area": _number(figures.roc_area),
            "average_precision": _number(figures.average_precision),
        }
        for figures in class_figures(labels, truth, probabilities)
    ]


def _sources(
    photos: Sequence[Photo], right: NDArray[np.bool_], source_from: re.Pattern[str]
) -> list[dict[str, Any]]:
    """Return the accuracy by source; that of photos without one is empty."""
    sources = np.asarray([_source(photo, source_from) for photo in photos])
    return [
        {"source": source, "accuracy": _share(Share(int(right[is_it].sum()), int(is_it.sum())))}
        for source in sorted(set(sources.tolist()))
        for is_it in (sources == source,)
    ]


def _source(photo: Photo, source_from: re.Pattern[str]) -> str:
    found = source_from.search(photo.name) or source_from.search(photo.ref.uri)
    return (found[1 if found.re.groups else 0] or "") if found else ""


def _curves(
    labels: tuple[str, ...], truth: NDArray[np.int64], probabilities: Floats
) -> list[dict[str, Any]]:
    """Return both curves of each class that some pictures, but not all, are of."""
    curves = []
    for index, label in enumerate(labels):
        positive = truth == index
        if positive.any() and not positive.all():
            roc = roc_curve(positive, probabilities[:, index])
            precise = precision_recall_curve(positive, probabilities[:, index])
            curves.append(
                {
                    "label": label,
                    "roc": _points(roc.x, roc.y),
                    "precision_recall": _points(precise.x, precise.y),
                }
            )
    return curves


def _points(x: Floats, y: Floats) -> list[list[float]]:
    """Return the points of a curve, at most 200, evenly chosen."""
    indices = np.unique(np.linspace(0, len(x) - 1, min(len(x), _CURVE_POINTS)).astype(int))
    return [[round(float(x[k]), 5), round(float(y[k]), 5)] for k in indices]


def _leaving(top: Floats, right: NDArray[np.bool_], share: float) -> dict[str, Any]:
    threshold = threshold_leaving(top, share)
    accepted = top >= threshold
    return {
        "asked": share,
        "threshold": threshold,
        "share": _share(Share(int((~accepted).sum()), len(top))),
        "wrong_among_accepted": _share(Share(int((accepted & ~right).sum()), int(accepted.sum()))),
    }


def _risk_curve(top: Floats, right: NDArray[np.bool_]) -> list[list[float]]:
    """Return the share of mistakes (y) among the share (x) of pictures with the highest scores."""
    order = np.argsort(-top, kind="stable")
    accepted = np.arange(1, len(top) + 1)
    return _points(accepted / len(top), np.cumsum(~right[order]) / accepted)


def _calibration(
    probabilities: Floats, truth: NDArray[np.int64], temperature: object
) -> dict[str, Any]:
    after = _calibration_figures(probabilities, truth)
    if not isinstance(temperature, int | float) or temperature <= 0:
        return {"temperature": None, "after": after, "before": None}
    before = _calibration_figures(undo_temperature(probabilities, float(temperature)), truth)
    return {"temperature": float(temperature), "after": after, "before": before}


def _calibration_figures(probabilities: Floats, truth: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "error": expected_calibration_error(probabilities, truth),
        "log_likelihood": -negative_log_likelihood(probabilities, truth),
        "bins": [asdict(each) for each in reliability(probabilities, truth)],
    }


def _compared(predictions: Predictions, why_alone: str) -> dict[str, Any]:
    names = list(predictions.probabilities)
    if len(names) < 2:
        return {"compared": names, "why_not": why_alone}
    one, other = (predictions.probabilities[name] for name in names[:2])
    differences = np.abs(one - other).max(axis=1)
    same = one.argmax(axis=1) == other.argmax(axis=1)
    worst = int(differences.argmax())
    return {
        "compared": names,
        "largest_difference": float(differences[worst]),
        "largest_at": predictions.photos[worst].ref.uri,
        "median_difference": float(np.median(differences)),
        "same_label": _share(Share(int(same.sum()), len(same))),
        "accuracy_of_the_other": _share(
            Share(int((other.argmax(axis=1) == predictions.truth).sum()), len(same))
        ),
    }
