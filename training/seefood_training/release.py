"""From a fitted network to its bundle: calibrated on held-back photos, measured, exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import Bundle
from seefood.imaging.decode import Pixels, ResizeRule
from seefood_training.calibrate import (
    choose_thresholds,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)
from seefood_training.convert import Quantisation
from seefood_training.export import export_bundle
from seefood_training.fit_types import Floats
from seefood_training.metrics import Share, confusion_matrix

if TYPE_CHECKING:
    import keras

UNSURE_SHARE: Final = 0.01
"""At most this share of the accepted pictures is to be wrong."""
_CALIBRATION_PICTURES: Final = 300


@dataclass(frozen=True, slots=True)
class Scored:
    """What the network as it ships says of pictures, and what they are."""

    logits: Floats
    """Of shape `(n, classes)`."""
    labels: NDArray[np.int64]
    sources: Sequence[str] = ()
    """Where each photo comes from, for figures by source; as long as `labels`, or empty."""
    unrounded: Floats | None = None
    """What an integer network's float original says, to state how often they agree."""


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """What is to be shipped."""

    name: str
    labels: tuple[str, ...]
    rule: ResizeRule
    model: "keras.Model"
    """float32, from pixels in [0, 255] to logits."""
    record: Mapping[str, Any]
    """How it was trained; for people."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What validation photos decide."""

    temperature: float
    thresholds: tuple[float, ...]
    wrong_share: float
    """Of accepted pictures, what the thresholds aim at."""


def round_weights(model: "keras.Model") -> None:
    """Round the weights of `model` to what 16 bits hold, so that what is measured is what ships."""
    model.set_weights(
        [weight.astype(np.float16).astype(np.float32) for weight in model.get_weights()]
    )


def calibrate(validation: Scored, unsure_share: float = UNSURE_SHARE) -> Calibration:
    """Return the temperature and the thresholds that the validation pictures ask for.

    At most `unsure_share` of the accepted pictures is to be wrong.
    """
    temperature = fit_temperature(validation.logits, validation.labels)
    probabilities = softmax(validation.logits / temperature)
    thresholds = choose_thresholds(probabilities, validation.labels, share=unsure_share)
    return Calibration(temperature, thresholds, unsure_share)


def measure(labels: Sequence[str], calibration: Calibration, judged: Scored) -> dict[str, Any]:
    """Return the figures of `judged`, as a bundle's metrics state them: plain JSON values."""
    probabilities = softmax(judged.logits / calibration.temperature)
    answers, truth = probabilities.argmax(axis=1), judged.labels
    right = answers == truth
    accepted = probabilities.max(axis=1) >= np.asarray(calibration.thresholds)[answers]
    figures: dict[str, Any] = {
        "pictures": len(truth),
        "accuracy": _share(right),
        "cross_entropy_nats": round(negative_log_likelihood(probabilities, truth), 4),
        "calibration_error": round(expected_calibration_error(probabilities, truth), 4),
        "unsure": _share(~accepted),
        "wrong_among_accepted": _share(~right[accepted]),
        "confusion": {
            label: dict(zip(labels, map(int, row), strict=True))
            for label, row in zip(
                labels, confusion_matrix(truth, answers, len(labels)), strict=True
            )
        },
    }
    if judged.sources:
        sources = np.asarray(judged.sources)
        figures["accuracy_by_source"] = {
            str(source): _share(right[sources == source]) for source in np.unique(sources)
        }
    if judged.unrounded is not None:
        figures["agreement_with_float"] = _share(answers == judged.unrounded.argmax(axis=1))
    return figures


def ship(  # noqa: PLR0913 (what a bundle is made of; keyword-only)
    product: ExportedModel,
    output: Path,
    *,
    calibration: Calibration,
    metrics: Mapping[str, Any],
    quantisation: Quantisation = "float16",
    calibration_images: Pixels | None = None,
    extra_files: Mapping[str, bytes],
    overwrite: bool = False,
) -> Bundle:
    """Write the bundle of `product` to `output` and return it, certified. Atomic.

    Raises `BundleError` if `output` exists (and may not be overwritten), or the engines differ.
    """
    return export_bundle(
        product.model,
        output,
        name=product.name,
        labels=product.labels,
        rule=product.rule,
        temperature=calibration.temperature,
        thresholds=calibration.thresholds,
        training=product.record,
        metrics=metrics,
        quantisation=quantisation,
        calibration_images=calibration_images,
        extra_files=extra_files,
        overwrite=overwrite,
    )


def calibration_pictures(pixels: Pixels, seed: int = 0) -> Pixels:
    """Return some of `pixels` for an integer network to measure its ranges with."""
    count = min(_CALIBRATION_PICTURES, len(pixels))
    chosen = np.random.default_rng(seed).choice(len(pixels), count, replace=False)
    return np.asarray(pixels[np.sort(chosen)])


def _share(flags: NDArray[np.bool_]) -> dict[str, Any]:
    share = Share(int(flags.sum()), len(flags))
    if not len(flags):
        return {"count": 0, "of": 0}
    low, high = share.interval
    return {
        "value": round(share.value, 4),
        "interval_95": [round(low, 4), round(high, 4)],
        "count": share.count,
        "of": share.total,
    }
