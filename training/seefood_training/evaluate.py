"""Measures a bundle on labelled photos, with the decoder and the engines of a batch job.

The result is one document of JSON values: it is the JSON file, and the page is rendered from it.
Each share has its 95 % interval. Pictures that cannot be decoded are listed and not counted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import Bundle
from seefood.engines.base import Engine
from seefood.engines.loading import load_engine
from seefood.errors import PictureError, UsageError
from seefood.imaging.decode import ResizeRule, decode
from seefood.storage import fetch
from seefood_training.calibrate import (
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
    softmax,
)
from seefood_training.data import Photo, read_labelled
from seefood_training.metrics import (
    Share,
    class_figures,
    confusion_matrix,
    precision_recall_curve,
    roc_curve,
)

Floats = NDArray[np.floating]

_THREADS: Final = 2
_CHUNK: Final = 64
_CURVE_POINTS: Final = 200


@dataclass(frozen=True, slots=True)
class Predictions:
    """The outputs of one or two engines for the photos that could be decoded."""

    photos: tuple[Photo, ...]
    probabilities: Mapping[str, Floats]
    """By the engine's name, float32 of shape `(n, classes)`, in the order of `photos`."""
    failed: tuple[tuple[str, str], ...] = field(default=())
    """URI and reason of each photo that could not be decoded."""

    @property
    def truth(self) -> NDArray[np.int64]:
        """Each photo's class in the bundle's order, of shape `(n,)`."""
        return np.asarray([photo.label for photo in self.photos], np.int64)


def labelled_photos(data: str, labels: Sequence[str], *, nested: bool = False) -> tuple[Photo, ...]:
    """Return the photos of `data` with their classes as indices into the bundle's `labels`.

    If `data` has photos to test with, only those; otherwise those to validate with, if there are
    any. Raises `UsageError` for a class that the bundle does not have.
    """
    photo_set = read_labelled(data, nested=nested)
    if unknown := sorted(set(photo_set.labels) - set(labels)):
        shown = ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")
        raise UsageError(
            f"{data} has the class {unknown[0]!r}, which is none of the bundle's labels ({shown}); "
            "rename the folder or evaluate another bundle"
        )
    index = [labels.index(label) for label in photo_set.labels]
    photos = photo_set.test or photo_set.validation or photo_set.train
    return tuple(Photo(photo.ref, index[photo.label]) for photo in photos)


def choose_engines(bundle: Bundle, wanted: str) -> tuple[list[Engine], str]:
    """Return the engine to measure and, if there is one, another to compare it with.

    The text is the reason why there is no other. Raises as `load_engine` does.
    """
    first = load_engine(bundle, wanted)
    other = "tensorflow" if first.name == "litert" else "litert"
    if other == "tensorflow" and find_spec("tensorflow") is None:
        return [first], "TensorFlow is not installed"
    if not (bundle.has_litert if other == "litert" else bundle.has_saved_model):
        return [first], f"the bundle has no graph for {other}"
    return [first, load_engine(bundle, other)], ""


def classify_photos(
    photos: Sequence[Photo],
    engines: Sequence[Engine],
    rule: ResizeRule,
    observe: Callable[[int], None] = lambda _: None,
) -> Predictions:
    """Return what `engines` predict; `observe` is called with the number of photos done."""
    kept: list[Photo] = []
    failed: list[tuple[str, str]] = []
    parts: dict[str, list[Floats]] = {engine.name: [] for engine in engines}
    done = 0
    with ThreadPoolExecutor(_THREADS) as threads:
        for chunk in _chunks(photos):
            images = []
            for photo, result in zip(
                chunk, threads.map(partial(_decoded, rule=rule), chunk), strict=True
            ):
                if isinstance(result, str):
                    failed.append((photo.ref.uri, result))
                else:
                    kept.append(photo)
                    images.append(result)
            for engine in engines if images else ():
                batches = np.array_split(np.stack(images), min(_THREADS, len(images)))
                parts[engine.name].extend(threads.map(engine.predict, batches))
            done += len(chunk)
            observe(done)
    if not kept:
        raise UsageError(f"none of the {len(photos)} files can be decoded; give a folder of photos")
    probabilities = {name: np.concatenate(each) for name, each in parts.items()}
    return Predictions(tuple(kept), probabilities, tuple(failed))


def measure(bundle: Bundle, predictions: Predictions, why_alone: str = "") -> dict[str, Any]:
    """Return all figures of `predictions`, as JSON values.

    `why_alone` is the reason why only one engine was run.
    """
    engine, probabilities = next(iter(predictions.probabilities.items()))
    spec, truth = bundle.spec, predictions.truth
    top, best = probabilities.max(axis=1), probabilities.argmax(axis=1)
    right = best == truth
    accepted = top >= np.asarray(spec.thresholds)[best]
    return {
        "bundle": {"name": spec.name, "digest": bundle.digest, "labels": list(spec.labels)},
        "engine": engine,
        "pictures": len(truth),
        "failed": [{"uri": uri, "reason": reason} for uri, reason in predictions.failed],
        "accuracy": _share(Share(int(right.sum()), len(truth))),
        "confusion": confusion_matrix(truth, best, len(spec.labels)).tolist(),
        "classes": _classes(spec.labels, truth, probabilities),
        "sources": _sources(predictions.photos, right),
        "curves": _curves(spec.labels, truth, probabilities),
        "calibration": _calibration(probabilities, truth, spec.training.get("temperature")),
        "unsure": {
            "thresholds": list(spec.thresholds),
            "share": _share(Share(int((~accepted).sum()), len(truth))),
            "wrong_among_accepted": _share(
                Share(int((accepted & ~right).sum()), int(accepted.sum()))
            ),
            "curve": _risk_curve(top, right),
        },
        "engines": _compared(predictions, why_alone),
        "answers": [
            {
                "uri": photo.ref.uri,
                "truth": spec.labels[photo.label],
                "answer": spec.labels[predicted],
                "score": round(float(score), 6),
                "unsure": not bool(sure),
            }
            for photo, predicted, score, sure in zip(
                predictions.photos, best, top, accepted, strict=True
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


def _chunks(photos: Sequence[Photo]) -> Iterator[Sequence[Photo]]:
    for start in range(0, len(photos), _CHUNK):
        yield photos[start : start + _CHUNK]


def _decoded(photo: Photo, rule: ResizeRule) -> NDArray[np.uint8] | str:
    try:
        return decode(fetch(photo.ref), rule).pixels
    except PictureError as error:
        return f"{error.code}: {error}"


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    value = share.value if share.total else None
    return {"value": value, "count": share.count, "total": share.total, "low": low, "high": high}


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


def _sources(photos: Sequence[Photo], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return the accuracy by source: the part of a file's name before the first `_`."""
    names = [photo.name.partition("_") for photo in photos]
    sources = np.asarray([first if mark else "" for first, mark, _ in names])
    return [
        {"source": source, "accuracy": _share(Share(int(right[is_it].sum()), int(is_it.sum())))}
        for source in sorted(set(sources.tolist()))
        for is_it in (sources == source,)
    ]


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
