"""The certificate: an engine may classify only after it has reproduced the golden pictures.

It covers the whole path from encoded bytes to probabilities, so another decoder version, a damaged
graph or a runtime that computes something else is noticed before the first row is written.
Probabilities are compared on exact pixels; separately, the faster resize is compared with the exact
one.
"""

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.bundle import Bundle
from seefood.engines.base import FeatureEngine
from seefood.engines.devices import CPU, device_of
from seefood.errors import BundleError, PictureError
from seefood.imaging.decode import Pixels, decode
from seefood.imaging.resize import NUMPY, PILLOW, resized_by
from seefood.sanitize import one_line
from seefood.vectors import real

if TYPE_CHECKING:
    from seefood.engines.base import Engine, Probabilities
    from seefood.vectors import Features

_MAX_PIXEL_DIFFERENCE: Final = 2
"""In levels of 255; see `seefood.imaging.resize`."""


def certify(
    engine: "Engine", bundle: Bundle, engine_tolerance: float = 0.0, *, features: bool = False
) -> float:
    """Return the largest difference between `engine` and the certificate, a probability.

    With `features`, those of an engine that was loaded with them are checked too. Raises
    `BundleError` with both numbers if it is above both the certificate's tolerance and
    `engine_tolerance`, and with the engine's reason if it cannot compute one picture.
    """
    certificate = bundle.spec.certificate
    tolerance = max(certificate.tolerance, engine_tolerance)
    largest = 0.0
    for golden in certificate.goldens:
        pixels = _decode_golden(golden.file, bundle)
        actual = _answer(engine, bundle, golden.file, pixels[np.newaxis], features=features)
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
                f"(tolerance {tolerance:g}); {_cure(engine)}"
            )
        largest = max(largest, float(differences[label]))
    return largest


def _cure(engine: "Engine") -> str:
    if device_of(engine) != CPU:
        return "use another engine, or set CUDA_VISIBLE_DEVICES= to compute on the processor"
    return "use another engine or package the model again on this machine"


def _answer(
    engine: "Engine", bundle: Bundle, file: str, images: Pixels, *, features: bool
) -> "Probabilities":
    """Return the probabilities of one golden picture; with `features`, check those."""
    spec = bundle.features if features else None
    vectors = None
    try:
        if spec is None or file not in spec.goldens:
            probabilities = engine.predict(images)
        else:
            assert isinstance(engine, FeatureEngine)  # noqa: S101 (`create_engine` checks it)
            probabilities, vectors = engine.predict_with_features(images)
    except Exception as error:  # a runtime raises anything, such as that its memory is too small
        reason = one_line(error)
        raise BundleError(
            f"the {engine.name} engine cannot compute the golden picture {file} of {bundle.path} "
            f"({reason}); {_cure(engine)}"
        ) from error
    if spec is None or vectors is None:
        return np.asarray(probabilities[0], np.float32)
    difference = relative_difference(vectors, real([spec.goldens[file]]))
    if not difference <= spec.tolerance:
        raise BundleError(
            f"the {engine.name} engine's features of {file} differ from the certificate of "
            f"{bundle.path} by {difference:.1%} (tolerance {spec.tolerance:.1%}); use another "
            f"engine, or run `seefood features {bundle.path}` again"
        )
    return np.asarray(probabilities[0], np.float32)


def relative_difference(actual: "Features", expected: "Features") -> float:
    """Return the largest length of a difference, relative to the length of the expected vector.

    Both have the shape `(n, dimension)`; vectors of other shapes differ by infinity.
    """
    if actual.shape != expected.shape:
        return math.inf
    lengths = np.maximum(np.linalg.norm(expected, axis=1), np.finfo(np.float32).tiny)
    return float((np.linalg.norm(actual - expected, axis=1) / lengths).max())


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
