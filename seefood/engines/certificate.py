"""The certificate: no engine serves before it has reproduced the golden pictures.

It covers the whole path from encoded bytes to probabilities, so another decoder version, a damaged
graph or a runtime that computes something else shows before the first row is written. Probabilities
are compared on exact pixels, and the pixels that are served with exact ones.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from seefood.bundle import Bundle
from seefood.errors import BundleError, PictureError
from seefood.imaging.decode import DecodedImage, decode
from seefood.imaging.resize import EXACT, resized_by

if TYPE_CHECKING:
    from seefood.engines.base import Engine

_MAX_LEVELS: Final = 1
"""What a pixel may differ by: see `seefood.imaging.resize`."""


def certify(engine: "Engine", bundle: Bundle, at_least: float = 0.0) -> float:
    """Return the largest difference between `engine` and the certificate, a probability.

    Raises `BundleError` with both numbers if it is above the certificate's tolerance; `at_least`
    widens that for an engine that rounds more.
    """
    certificate = bundle.spec.certificate
    tolerance = max(certificate.tolerance, at_least)
    worst = 0.0
    for golden in certificate.goldens:
        image = _decoded(golden.file, bundle)
        answer = engine.predict(image.pixels[np.newaxis])[0]
        expected = np.asarray(golden.probabilities, dtype=np.float32)
        if answer.shape != expected.shape:
            raise BundleError(
                f"the {engine.name} engine answers {answer.shape[0]} probabilities for the bundle "
                f"{bundle.path}, its certificate has {expected.shape[0]}; package the model again"
            )
        differences = np.abs(answer - expected)
        at = int(differences.argmax())
        if not differences[at] <= tolerance:  # also true for NaN
            raise BundleError(
                f"the {engine.name} engine gives {bundle.labels[at]} = {answer[at]:.6f} for "
                f"{golden.file}, the certificate of {bundle.path} says {expected[at]:.6f} "
                f"(tolerance {tolerance:g}); use another engine or package the model "
                "again on this machine"
            )
        worst = max(worst, float(differences[at]))
    return worst


def _decoded(name: str, bundle: Bundle) -> DecodedImage:
    try:
        data = bundle.file(name).read_bytes()
        exact = decode(data, bundle.spec.rule, exact=True)
        if resized_by(bundle.spec.rule.filter) == EXACT:
            return exact
        served = decode(data, bundle.spec.rule)
    except (OSError, PictureError) as error:
        raise BundleError(
            f"the golden picture {name} of {bundle.path} cannot be read ({error}); package the "
            "model again"
        ) from error
    levels = int(np.abs(exact.pixels.astype(np.int16) - served.pixels).max())
    if levels > _MAX_LEVELS:
        raise BundleError(
            f"{name} of {bundle.path} is resized to pixels {levels} levels of 255 off Pillow's; "
            "install another version of cykooz.resizer, or do without it"
        )
    return exact
