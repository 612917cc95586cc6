"""What `bundle.json` states of the features: which tensors they are, and what they must be.

Features decide no row, so they are beside the digest and not in it: a bundle gets them later
without becoming another model. They are certified like probabilities.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from seefood.records import Vector

KEY: Final = "features"
"""In `bundle.json`."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """The vector before the last layer, in each graph that has it."""

    dimension: int
    tensors: Mapping[str, int | str]
    """By the kind of graph (`litert`, `onnx`, `saved_model`): the tensor's index or name."""
    tolerance: float
    """Largest relative difference: of the Euclidean lengths of difference and certified vector."""
    goldens: Mapping[str, Vector]
    """The certified features of the golden pictures, by file."""

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that `features_from_json` reads."""
        return {
            "dimension": self.dimension,
            "tensors": dict(self.tensors),
            "tolerance": self.tolerance,
            "goldens": {
                file: {"scale": vector.scale, "int8": base64.b64encode(vector.values).decode()}
                for file, vector in self.goldens.items()
            },
        }


def features_from_json(document: Any) -> FeatureSpec | None:
    """Return the features that a bundle states; None for one that states none.

    Raises `ValueError`, `TypeError` or `LookupError` for anything else.
    """
    if document is None:
        return None
    spec = FeatureSpec(
        dimension=int(document["dimension"]),
        tensors={str(kind): tensor for kind, tensor in document["tensors"].items()},
        tolerance=float(document["tolerance"]),
        goldens={
            str(file): Vector(float(each["scale"]), base64.b64decode(each["int8"], validate=True))
            for file, each in document["goldens"].items()
        },
    )
    if any(len(vector.values) != spec.dimension for vector in spec.goldens.values()):
        raise ValueError(f"certified features of other than {spec.dimension} numbers")
    return spec
