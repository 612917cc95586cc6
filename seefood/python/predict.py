"""Labels one picture in this process: `load_bundle(...).predict(picture)`."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from seefood.bundle import Bundle, load_bundle
from seefood.classification import ClassifyOptions, Model, classify_images, load_classifier
from seefood.engines.base import Engine
from seefood.engines.registry import AUTO
from seefood.errors import ErrorCode, PictureError
from seefood.python.pictures import picture_bytes
from seefood.records import ImageRef, Prediction, Row


def predict(bundle: Bundle, picture: Any, *, engine: str = AUTO, top_k: int = 5) -> Prediction:
    """Return the label of `picture`; see `Bundle.predict`."""
    options = ClassifyOptions(top_k)
    data = picture_bytes(picture)
    loaded, model = _classifier(bundle.path, bundle.digest, engine)
    fetched = [(ImageRef("picture", size_bytes=len(data)), data)]
    (row,) = classify_images(fetched, loaded, model, options)
    prediction = prediction_of(row)
    if isinstance(prediction, PictureError):
        raise prediction
    return prediction


def prediction_of(row: Row) -> Prediction | PictureError:
    """Return what a row says about its picture."""
    if row.label is None or row.score is None:
        return PictureError(ErrorCode(row.error_code or ""), row.error_message or "")
    return Prediction(row.label, row.score, row.top or (), row.status, row.labels)


@lru_cache(maxsize=4)
def _classifier(path: Path, digest: str, name: str) -> tuple[Engine, Model]:
    """Return the certified engine and its model; a notebook calls `predict` in a loop."""
    return load_classifier(load_bundle(path, expected_digest=digest), name, ClassifyOptions())
