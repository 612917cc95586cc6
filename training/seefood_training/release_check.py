"""Computes what a network predicts in the form that ships, before its bundle exists.

Weights of 16 bits are rounded in the model itself, so the model predicts what its file will. An
integer network is another network, which only the converted file can run.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import BundleError
from seefood.imaging.decode import Pixels
from seefood_training.fit import predict_logits
from seefood_training.fit_types import Floats
from seefood_training.quantisation import Quantisation
from seefood_training.release import Calibration, ExportedModel, Scored, release_bundle

if TYPE_CHECKING:
    from seefood.engines.base import Engine

_MIN_PROBABILITY: Final = 1e-6
"""Replaces smaller probabilities: an integer network returns zeros, which have no logarithm."""


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """A network and, if it is quantised to integers, the integer network."""

    exported: ExportedModel
    integer_logits: Callable[[Pixels], Floats] | None = None
    """From uint8 pictures of shape `(n, height, width, 3)` to logits."""

    def score(
        self, pixels: Pixels, labels: NDArray[np.int64], sources: Sequence[str] = ()
    ) -> Scored:
        """Return the outputs for uint8 `pixels` of shape `(n, height, width, 3)`."""
        logits = predict_logits(self.exported.model, pixels)
        if self.integer_logits is None:
            return Scored(logits, labels, sources)
        return Scored(self.integer_logits(pixels), labels, sources, float_logits=logits)


def shipped_model(
    exported: ExportedModel, quantisation: Quantisation, calibration_images: Pixels | None
) -> ShippedModel:
    """Return `exported` as the file of `quantisation` will compute it.

    `calibration_images` are needed for int8: the ranges are measured on them. Raises `BundleError`
    if LiteRT cannot convert the graph.
    """
    if quantisation != "int8":
        return ShippedModel(exported)
    from seefood.engines.litert import LiteRTEngine

    with tempfile.TemporaryDirectory() as folder:
        bundle = release_bundle(
            exported,
            Path(folder) / exported.name,
            calibration=Calibration(1.0, (0.0,) * len(exported.labels)),
            metrics={},
            quantisation=quantisation,
            calibration_images=calibration_images,
            extra_files={},
        )
        if not bundle.has_litert:
            raise BundleError(
                f"{exported.name} cannot be exported as int8, because LiteRT cannot convert its "
                "graph; export it as float16"
            )
        engine = LiteRTEngine(bundle)
    return ShippedModel(exported, lambda pixels: _logits(engine, pixels))


def _logits(engine: "Engine", pixels: Pixels) -> Floats:
    """Return logits whose softmax is the output of `engine`."""
    probabilities = [engine.predict(pixels[at : at + 1]) for at in range(len(pixels))]
    return np.log(np.maximum(np.concatenate(probabilities), _MIN_PROBABILITY)).astype(np.float32)
