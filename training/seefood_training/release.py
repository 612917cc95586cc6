"""From a trained network to its bundle: calibrated on validation photos, measured, exported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import Bundle
from seefood.imaging.decode import Pixels, ResizeRule
from seefood_training.acceptance import WISH, Acceptance, Wish, choose_acceptance
from seefood_training.calibrate import (
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)
from seefood_training.export import export_bundle
from seefood_training.fit_types import Floats
from seefood_training.metrics import Share, confusion_matrix
from seefood_training.quantisation import Quantisation

if TYPE_CHECKING:
    import keras

_CALIBRATION_PICTURES: Final = 300


@dataclass(frozen=True, slots=True)
class Scored:
    """The outputs of the exported network for labelled pictures."""

    logits: Floats
    """Of shape `(n, classes)`."""
    labels: NDArray[np.int64]
    """True classes, of shape `(n,)`."""
    sources: Sequence[str] = ()
    """The source of each photo, for figures by source; of length n, or empty."""
    float_logits: Floats | None = None
    """Of an integer network: the logits before quantisation."""


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """A trained network and the description that its bundle gets."""

    name: str
    labels: tuple[str, ...]
    rule: ResizeRule
    model: "keras.Model"
    """float32, from pixels in [0, 255] to logits."""
    record: Mapping[str, Any]
    """How it was trained, for readers."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is chosen on validation photos."""

    temperature: float
    thresholds: tuple[float, ...]
    acceptance: Acceptance | None = None
    """What the thresholds do on the validation photos; None if they were not chosen on photos."""


def round_weights(model: "keras.Model") -> None:
    """Round the weights of `model` to 16 bits, so that it computes what its file will compute."""
    model.set_weights(
        [weight.astype(np.float16).astype(np.float32) for weight in model.get_weights()]
    )


def calibrate(validation: Scored, wish: Wish = WISH) -> Calibration:
    """Return the temperature and the thresholds for the validation pictures."""
    doubt = 1 / (len(validation.labels) + 2)
    temperature = fit_temperature(validation.logits, validation.labels, doubt)
    probabilities = softmax(validation.logits / temperature)
    acceptance = choose_acceptance(probabilities, validation.labels, wish)
    return Calibration(temperature, acceptance.thresholds, acceptance)


def measure(labels: Sequence[str], calibration: Calibration, scored: Scored) -> dict[str, Any]:
    """Return the figures of `scored` as JSON values, for the metrics of a bundle."""
    probabilities = softmax(scored.logits / calibration.temperature)
    predicted, truth = probabilities.argmax(axis=1), scored.labels
    right = predicted == truth
    accepted = probabilities.max(axis=1) >= np.asarray(calibration.thresholds)[predicted]
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
                labels, confusion_matrix(truth, predicted, len(labels)), strict=True
            )
        },
    }
    if scored.sources:
        sources = np.asarray(scored.sources)
        figures["accuracy_by_source"] = {
            str(source): _share(right[sources == source]) for source in np.unique(sources)
        }
    if scored.float_logits is not None:
        figures["agreement_with_float"] = _share(predicted == scored.float_logits.argmax(axis=1))
    return figures


def release_bundle(  # noqa: PLR0913 (the parts of a bundle; keyword-only)
    exported: ExportedModel,
    output: Path,
    *,
    calibration: Calibration,
    metrics: Mapping[str, Any],
    quantisation: Quantisation = "float16",
    calibration_images: Pixels | None = None,
    extra_files: Mapping[str, bytes],
    overwrite: bool = False,
) -> Bundle:
    """Write the bundle of `exported` to `output` and return it, certified. Atomic.

    Raises `BundleError` if `output` exists (and may not be overwritten), or the engines differ.
    """
    record = dict(exported.record)
    if calibration.acceptance is not None:
        record["unsure"] = calibration.acceptance.as_json()
    return export_bundle(
        exported.model,
        output,
        name=exported.name,
        labels=exported.labels,
        rule=exported.rule,
        temperature=calibration.temperature,
        thresholds=calibration.thresholds,
        training=record,
        metrics=metrics,
        quantisation=quantisation,
        calibration_images=calibration_images,
        extra_files=extra_files,
        overwrite=overwrite,
    )


def calibration_pictures(pixels: Pixels, seed: int = 0) -> Pixels:
    """Return a sample of `pixels` for the converter to measure an integer network's ranges on."""
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
