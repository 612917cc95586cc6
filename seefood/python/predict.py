"""Labels one picture in this process: `load_bundle(...).predict(picture)`."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from seefood.bundle import Bundle, load_bundle
from seefood.classification import Model, rank
from seefood.engines.base import Engine
from seefood.engines.loading import load_engine
from seefood.engines.registry import AUTO
from seefood.imaging.decode import decode
from seefood.python.pictures import picture_bytes
from seefood.records import Prediction


def predict(bundle: Bundle, picture: Any, *, engine: str = AUTO, top_k: int = 5) -> Prediction:
    """Return the label of `picture`; see `Bundle.predict`."""
    model = Model.of(bundle)
    decoded = decode(picture_bytes(picture), model.rule)
    loaded = _engine(bundle.path, bundle.digest, engine)
    return rank(loaded.predict(decoded.pixels[np.newaxis])[0], model, top_k)


@lru_cache(maxsize=4)
def _engine(path: Path, digest: str, name: str) -> Engine:
    """Return the certified engine; a notebook calls `predict` in a loop."""
    return load_engine(load_bundle(path, expected_digest=digest), name)
