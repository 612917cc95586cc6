"""What a network answers once it is the file that ships, before there is a bundle to ask.

Weights of 16 bits are rounded in the model itself, so the model answers for its file. An integer
network is another network: the converter makes it, and LiteRT alone can say what it answers.
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
from seefood_training.convert import Quantisation
from seefood_training.export import export_bundle
from seefood_training.fit import predict_logits
from seefood_training.fit_types import Floats
from seefood_training.release import ExportedModel, Scored

if TYPE_CHECKING:
    from seefood.engines.base import Engine

_LEAST: Final = 1e-6
"""A probability below it counts as it: an integer network answers zeros."""


@dataclass(frozen=True, slots=True)
class AsShipped:
    """A network and, where it is rounded to integers, what it then answers."""

    product: ExportedModel
    rounded: Callable[[Pixels], Floats] | None = None
    """From uint8 pictures of shape `(n, height, width, 3)` to logits."""

    def judge(
        self, pixels: Pixels, labels: NDArray[np.int64], sources: Sequence[str] = ()
    ) -> Scored:
        """Return what the shipped file says of `pixels`, uint8 of shape `(n, height, width, 3)`."""
        logits = predict_logits(self.product.model, pixels)
        if self.rounded is None:
            return Scored(logits, labels, sources)
        return Scored(self.rounded(pixels), labels, sources, unrounded=logits)


def as_shipped(
    product: ExportedModel, quantisation: Quantisation, calibration_images: Pixels | None
) -> AsShipped:
    """Return `product` as its file of `quantisation` answers.

    `calibration_images` are what an integer network measures its ranges with. Raises `BundleError`
    if there is no such network.
    """
    if quantisation != "int8":
        return AsShipped(product)
    from seefood.engines.litert import LiteRTEngine

    with tempfile.TemporaryDirectory() as folder:
        bundle = export_bundle(
            product.model,
            Path(folder) / product.name,
            name=product.name,
            labels=product.labels,
            rule=product.rule,
            temperature=1.0,
            thresholds=(0.0,) * len(product.labels),
            training={},
            metrics={},
            quantisation=quantisation,
            calibration_images=calibration_images,
        )
        if not bundle.has_litert:
            raise BundleError(
                f"{product.name} has no integer network, LiteRT cannot have its graph; export it "
                "as float16"
            )
        engine = LiteRTEngine(bundle)
    return AsShipped(product, lambda pixels: _logits(engine, pixels))


def _logits(engine: "Engine", pixels: Pixels) -> Floats:
    """Return logits whose softmax is what `engine` answers."""
    answers = [engine.predict(pixels[at : at + 1]) for at in range(len(pixels))]
    return np.log(np.maximum(np.concatenate(answers), _LEAST)).astype(np.float32)
