"""Classifies pictures, without I/O: the bytes of pictures in, rows out.

Every entry point calls `classify_images`. A bad picture never affects others: each is decoded on
its own, and a batch on which the engine fails is classified again one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Final

import numpy as np

from seefood.bundle import Bundle
from seefood.drift.novelty import NoveltySpace
from seefood.engines.base import Engine, FeatureEngine, Probabilities
from seefood.engines.loading import gives_features, load_engine
from seefood.engines.memory_errors import is_out_of_memory
from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.imaging.decode import DEFAULT_LIMITS, DecodedImage, Limits, Pixels, ResizeRule, decode
from seefood.imaging.jpeg_quality import jpeg_quality
from seefood.imaging.measures import measure_pixels
from seefood.records import ImageRef, Prediction, Row, Status, Vector, utc_now
from seefood.sanitize import one_line, redacted, shown
from seefood.vectors import real, rounded

Fetched = tuple[ImageRef, bytes | PictureError]
"""A reference and its bytes, or why there are none."""
_Outcome = tuple[Probabilities, Vector | None] | PictureError
"""What the network returns for a picture: probabilities, and features if asked for."""

_ROUNDING: Final = 1e-3
_FEW: Final = 256
"""So many probabilities are sorted as a whole."""


@dataclass(frozen=True, slots=True)
class Model:
    """The parts of a bundle that rows are made from."""

    name: str
    digest: str
    labels: tuple[str, ...]
    thresholds: tuple[float, ...]
    rule: ResizeRule
    multi_label: bool = False
    novelty: NoveltySpace | None = None
    """If given, rows state it where the engine gives features."""
    reject_above: float | None = None
    """Pictures of a greater novelty are `unsure`."""

    @classmethod
    def of(cls, bundle: Bundle) -> "Model":
        """Return the model of `bundle`."""
        spec = bundle.spec
        return cls(
            spec.name,
            bundle.digest,
            spec.labels,
            spec.thresholds,
            spec.rule,
            spec.multi_label,
            bundle.novelty,
            None if spec.rejection is None else spec.rejection.above,
        )


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """How pictures are classified and what their rows contain."""

    top_k: int = 5
    limits: Limits = DEFAULT_LIMITS
    salvage: bool = False
    """Whether a truncated JPEG is classified by the part that it still contains."""
    features: bool = False
    """Whether rows carry the features of their picture; the engine must be loaded with them."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for values that programs may give and that cannot be."""
        if not isinstance(self.top_k, Integral) or self.top_k < 1:
            raise UsageError(
                f"top_k is {self.top_k!r}; it is the number of labels in a row, at least 1"
            )
        if not isinstance(self.limits, Limits):
            raise UsageError(f"limits is {shown(self.limits)}; give a seefood Limits")


def load_classifier(bundle: Bundle, engine: str, options: ClassifyOptions) -> tuple[Engine, Model]:
    """Return the certified engine of `bundle` and its model.

    If the bundle knows the training pictures' features and the engine gives them, rows state the
    novelty. Raises as `load_engine` does, and `UsageError` if the bundle rejects pictures by their
    novelty and the engine gives no features.
    """
    able = bundle.novelty is not None and gives_features(bundle, engine)
    if bundle.spec.rejection is not None and not able:
        raise UsageError(
            f"the bundle {bundle.path} rejects pictures that resemble nothing in training, and the "
            f"{engine} engine gives no features to tell; use `--engine auto`"
        )
    loaded = load_engine(bundle, engine, features=able or options.features)
    model = Model.of(bundle)
    return loaded, model if able else replace(model, novelty=None)


def classify_images(
    fetched: Sequence[Fetched],
    engine: Engine,
    model: Model,
    options: ClassifyOptions = ClassifyOptions(),
    on_start: Callable[[Sequence[int]], None] = lambda _: None,
) -> list[Row]:
    """Return one row for each of `fetched`, in order; a bad picture raises nothing.

    `on_start` is called with the indices of the pictures that are decoded or predicted next.
    """
    decoded: list[DecodedImage | PictureError] = []
    for index, (_, source) in enumerate(fetched):
        on_start((index,))
        decoded.append(_decode(source, model, options))
    images = {at: item.pixels for at, item in enumerate(decoded) if isinstance(item, DecodedImage)}
    on_start(tuple(images))
    has_features = isinstance(engine, FeatureEngine) and engine.has_features
    if model.reject_above is not None and not has_features:
        raise UsageError(
            "this bundle rejects pictures by their features; load the engine with "
            "`load_engine(bundle, features=True)`"
        )
    with_features = options.features or (has_features and model.novelty is not None)
    predict = partial(_run, engine, len(model.labels), with_features=with_features)
    predicted = iter(_predict(list(images.values()), predict, engine.name))
    rows = []
    for (ref, source), item in zip(fetched, decoded, strict=True):
        outcome = next(predicted) if isinstance(item, DecodedImage) else item
        row = _row(ref, item, outcome, engine.name, model, options.top_k)
        if isinstance(item, DecodedImage) and isinstance(source, bytes):
            row = _measured(row, item, source)
        rows.append(_with_novelty(row, model, options))
    return rows


def _measured(row: Row, image: DecodedImage, data: bytes) -> Row:
    measures = measure_pixels(image.pixels, image.width, image.height)
    return replace(
        row,
        brightness=measures.brightness,
        contrast=measures.contrast,
        sharpness=measures.sharpness,
        uprightness=measures.uprightness,
        jpeg_quality=jpeg_quality(data) if image.format == "JPEG" else None,
    )


def _with_novelty(row: Row, model: Model, options: ClassifyOptions) -> Row:
    if model.novelty is None or row.vector is None:
        return row
    novelty = float(model.novelty.novelty(real([row.vector]))[0])
    is_rejected = model.reject_above is not None and novelty > model.reject_above
    return replace(
        row,
        novelty=novelty,
        status=Status.UNSURE if is_rejected else row.status,
        vector=row.vector if options.features else None,
    )


def failed_row(ref: ImageRef, error: PictureError, engine: str, model: Model) -> Row:
    """Return the row of a picture that could not be classified."""
    return _row(ref, error, error, engine, model, 0)


def rank(probabilities: Probabilities, model: Model, top_k: int) -> Prediction:
    """Return the prediction for `probabilities`, of shape `(classes,)`.

    Labels of equal probability are in the model's order. With several labels a picture, `label` is
    the most probable of those that reach their threshold, if any does.
    """
    order = _descending(probabilities, top_k)
    best, labels = order[0], None
    is_sure = float(probabilities[best]) >= model.thresholds[best]
    if model.multi_label:
        reached = np.flatnonzero(probabilities.astype(np.float64) >= np.asarray(model.thresholds))
        accepted = reached[np.argsort(-probabilities[reached], kind="stable")].tolist()
        is_sure = bool(accepted)
        best = accepted[0] if accepted else best
        labels = tuple(model.labels[at] for at in accepted)
    return Prediction(
        label=model.labels[best],
        score=float(probabilities[best]),
        top=tuple((model.labels[at], float(probabilities[at])) for at in order[:top_k]),
        status=Status.OK if is_sure else Status.UNSURE,
        labels=labels,
    )


def _descending(probabilities: Probabilities, count: int) -> list[int]:
    """Return the indices of at least the `count` largest values and of one, the largest first."""
    candidates = np.arange(len(probabilities))
    if len(probabilities) > _FEW > count > 0:  # sorting 20,000 takes longer than a small network
        least = np.partition(probabilities, -count)[-count]
        candidates = np.flatnonzero(probabilities >= least)
    order: list[int] = candidates[np.argsort(-probabilities[candidates], kind="stable")].tolist()
    return order


def _decode(
    source: bytes | PictureError, model: Model, options: ClassifyOptions
) -> DecodedImage | PictureError:
    if isinstance(source, PictureError):
        return source
    try:
        return decode(source, model.rule, options.limits, salvage=options.salvage)
    except PictureError as error:
        return error


def _predict(
    images: list[Pixels], predict: Callable[[Pixels], list[_Outcome]], engine: str
) -> list[_Outcome]:
    """Return the result for each image; a batch that fails is predicted again one by one."""
    if not images:
        return []
    try:
        batch = images[0][np.newaxis] if len(images) == 1 else np.stack(images)
        return predict(batch)
    except Exception as error:  # noqa: BLE001 (a runtime raises anything; it goes into the row)
        if len(images) > 1:
            return [each for image in images for each in _predict([image], predict, engine)]
        if is_out_of_memory(error):
            message = f"there was not enough memory for the {engine} engine"
            return [PictureError(ErrorCode.OUT_OF_MEMORY, message)]
        text = one_line(error)
        return [PictureError(ErrorCode.ENGINE_ERROR, f"the {engine} engine failed: {text}")]


def _run(engine: Engine, classes: int, images: Pixels, *, with_features: bool) -> list[_Outcome]:
    """Return the checked result of one call of the network."""
    if not with_features:
        return [(each, None) for each in _checked(engine.predict(images), len(images), classes)]
    if not (isinstance(engine, FeatureEngine) and engine.has_features):
        message = "it was loaded without its features"
        raise TypeError(message)
    probabilities, features = engine.predict_with_features(images)
    vectors = rounded(features)
    return list(zip(_checked(probabilities, len(images), classes), vectors, strict=True))


def _checked(values: Probabilities, images: int, classes: int) -> Probabilities:
    if values.shape != (images, classes):
        message = f"it returned the shape {values.shape}, not {(images, classes)}"
        raise ValueError(message)
    # NaN fails this check too; half precision may round slightly above 1.
    if not ((values >= -_ROUNDING) & (values <= 1 + _ROUNDING)).all():
        message = "it returned a value that is not a probability"
        raise ValueError(message)
    return values


def _row(
    ref: ImageRef,
    image: DecodedImage | PictureError,
    outcome: _Outcome,
    engine: str,
    model: Model,
    top_k: int,
) -> Row:
    decoded = image if isinstance(image, DecodedImage) else None
    prediction, vector, code, message = None, None, None, None
    if isinstance(outcome, PictureError):
        code, message = str(outcome.code), redacted(str(outcome))
    else:
        probabilities, vector = outcome
        prediction = rank(probabilities, model, top_k)
        if decoded is not None and decoded.damage is not None:
            prediction = replace(prediction, status=Status.UNSURE)
            code = str(ErrorCode.TRUNCATED)
            message = f"salvaged, classified by the part that was decoded: {decoded.damage}"
    return Row(
        uri=ref.uri,
        etag=ref.etag,
        version_id=ref.version_id,
        size_bytes=ref.size_bytes,
        width=decoded.width if decoded else None,
        height=decoded.height if decoded else None,
        format=decoded.format if decoded else None,
        label=prediction.label if prediction else None,
        score=prediction.score if prediction else None,
        top=prediction.top if prediction else None,
        status=prediction.status if prediction else Status.FAILED,
        error_code=code,
        error_message=message,
        model=model.name,
        model_digest=model.digest,
        engine=engine,
        classified_at=utc_now(),
        labels=prediction.labels if prediction else None,
        phash=decoded.phash if decoded else None,
        taken_at=decoded.taken_at if decoded else None,
        vector=vector,
    )
