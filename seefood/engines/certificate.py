"""The certificate: an engine may classify only after it has reproduced the golden pictures.

It covers the whole path from encoded bytes to probabilities, so another decoder version, a damaged
graph or a runtime that computes something else is noticed before the first row is written.
Probabilities are compared on exact pixels; separately, the faster resize is compared with the exact
one.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.bundle import Bundle
from seefood.errors import BundleError, PictureError
from seefood.imaging.decode import Pixels, decode
from seefood.imaging.resize import NUMPY, PILLOW, resized_by

if TYPE_CHECKING:
    from seefood.engines.base import Engine

_MAX_PIXEL_DIFFERENCE: Final = 2
"""In levels of 255; see `seefood.imaging.resize`."""


def certify(engine: "Engine", bundle: Bundle, engine_tolerance: float = 0.0) -> float:
    """Return the largest difference between `engine` and the certificate, a probability.

    Raises `BundleError` with both numbers if it is above both the certificate's tolerance and
    `engine_tolerance`.
    """
    certificate = bundle.spec.certificate
    tolerance = max(certificate.tolerance, engine_tolerance)
    largest = 0.0
    for golden in certificate.goldens:
        pixels = _decode_golden(golden.file, bundle)
        actual = engine.predict(pixels[np.newaxis])[0]
        expected = np.asarray(golden.probabilities, dtype=np.float32)
        if actual.shape != expected.shape:
            raise BundleError(
                f"the {engine.name} engine returns {actual.shape[0]} probabilities for the bundle "
                f"{bundle.path}, its certificate has {expected.shape[0]}; package the model again"
            )
        differences = np.abs(actual - expected)
        label = int(differences.argmax())
        if not differences[label] <= tolerance:  # also true for NaN
            raise BundleError(
                f"the {engine.name} engine gives {bundle.labels[label]} = {actual[label]:.6f} for "
                f"{golden.file}, the certificate of {bundle.path} says {expected[label]:.6f} "
                f"(tolerance {tolerance:g}); use another engine or package the model "
                "again on this machine"
            )
        largest = max(largest, float(differences[label]))
    return largest


def _decode_golden(name: str, bundle: Bundle) -> Pixels:
    """Return the exact pixels of a golden picture, after comparing the faster resize with them."""
    try:
        data = bundle.file(name).read_bytes()
        exact = decode(data, bundle.spec.rule, exact=True).pixels
        if resized_by(bundle.spec.rule) in (NUMPY, PILLOW):
            return exact
        fast = decode(data, bundle.spec.rule).pixels
    except (OSError, PictureError) as error:
        raise BundleError(
            f"the golden picture {name} of {bundle.path} cannot be read ({error}); package the "
            "model again"
        ) from error
    difference = int(np.abs(exact.astype(np.int16) - fast).max())
    if difference > _MAX_PIXEL_DIFFERENCE:
        raise BundleError(
            f"cykooz.resizer resizes {name} of {bundle.path} to pixels that differ from Pillow's "
            f"by {difference} levels of 255; install another version of cykooz.resizer, or remove "
            "it"
        )
    return exact
