"""The whole algorithm, without I/O: bytes of pictures and an engine in, rows out.

`classify_images` is what every door calls. One bad picture never costs its neighbours: decoding
fails picture by picture, and a batch on which the engine fails is tried again one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seefood.bundle import Bundle
from seefood.engines.base import Engine, Probabilities
from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import DEFAULT_LIMITS, DecodedImage, Limits, Pixels, ResizeRule, decode
from seefood.records import ImageRef, Prediction, Row, Status, utc_now
from seefood.sanitize import redacted

Fetched = tuple[ImageRef, bytes | PictureError]
"""A reference and its bytes, or why there are none."""


_ROUNDING: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Model:
    """What rows need to know of the network that answered them."""

    name: str
    digest: str
    labels: tuple[str, ...]
    thresholds: tuple[float, ...]
    rule: ResizeRule

    @classmethod
    def of(cls, bundle: Bundle) -> "Model":
        """Return the part of `bundle` that rows need."""
        spec = bundle.spec
        return cls(spec.name, bundle.digest, spec.labels, spec.thresholds, spec.rule)


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """How pictures are judged and what is told of them."""

    top_k: int = 5
    limits: Limits = DEFAULT_LIMITS
    salvage: bool = False
    """Whether a JPEG that was cut off is labelled by what it still shows."""


def classify_images(
    fetched: Sequence[Fetched],
    engine: Engine,
    model: Model,
    settings: ClassifyOptions = ClassifyOptions(),
    on_start: Callable[[Sequence[int]], None] = lambda _: None,
) -> list[Row]:
    """Return one row for each of `fetched`, in order; nothing is raised for a bad picture.

    `on_start` is told which of them, by index, a decoder or the engine is about to be handed.
    """
    decoded: list[DecodedImage | PictureError] = []
    for index, (_, source) in enumerate(fetched):
        on_start((index,))
        decoded.append(_decode(source, model, settings))
    images = {at: item.pixels for at, item in enumerate(decoded) if isinstance(item, DecodedImage)}
    on_start(tuple(images))
    answers = iter(_predict(list(images.values()), engine, len(model.labels)))
    rows = []
    for (ref, _), item in zip(fetched, decoded, strict=True):
        answer = next(answers) if isinstance(item, DecodedImage) else item
        rows.append(_row(ref, item, answer, engine.name, model, settings.top_k))
    return rows


def failed_row(ref: ImageRef, error: PictureError, engine: str, model: Model) -> Row:
    """Return the row of a picture that could not be classified."""
    return _row(ref, error, error, engine, model, 0)


def rank(probabilities: Probabilities, model: Model, top_k: int) -> Prediction:
    """Return what `probabilities` of shape `(classes,)` say; equal ones keep the labels' order."""
    order = np.argsort(-probabilities, kind="stable").tolist()
    scores = probabilities.tolist()
    best = order[0]
    sure = scores[best] >= model.thresholds[best]
    return Prediction(
        label=model.labels[best],
        score=scores[best],
        top=tuple((model.labels[at], scores[at]) for at in order[:top_k]),
        status=Status.OK if sure else Status.UNSURE,
    )


def _decode(
    source: bytes | PictureError, model: Model, settings: ClassifyOptions
) -> DecodedImage | PictureError:
    if isinstance(source, PictureError):
        return source
    try:
        return decode(source, model.rule, settings.limits, salvage=settings.salvage)
    except PictureError as error:
        return error


def _predict(
    images: list[Pixels], engine: Engine, classes: int
) -> list[Probabilities | PictureError]:
    """Return an answer for each image; a batch that fails is tried again one by one."""
    if not images:
        return []
    try:
        batch = images[0][np.newaxis] if len(images) == 1 else np.stack(images)
        return list(_checked(engine.predict(batch), len(images), classes))
    except Exception as error:  # noqa: BLE001 (a runtime raises anything; the picture's row says it)
        if len(images) > 1:
            return [answer for image in images for answer in _predict([image], engine, classes)]
        if isinstance(error, MemoryError):
            message = f"there was not enough memory for the {engine.name} engine"
            return [PictureError(ErrorCode.OUT_OF_MEMORY, message)]
        text = " ".join(str(error).split())[:200] or type(error).__name__
        return [PictureError(ErrorCode.ENGINE_ERROR, f"the {engine.name} engine failed: {text}")]


def _checked(answers: Probabilities, images: int, classes: int) -> Probabilities:
    if answers.shape != (images, classes):
        message = f"it answered the shape {answers.shape}, not {(images, classes)}"
        raise ValueError(message)
    # Written so that NaN fails, too; half precision may round a little beyond 1.
    if not ((answers >= -_ROUNDING) & (answers <= 1 + _ROUNDING)).all():
        message = "it answered a value that is no probability"
        raise ValueError(message)
    return answers


def _row(
    ref: ImageRef,
    image: DecodedImage | PictureError,
    answer: "Probabilities | PictureError",
    engine: str,
    model: Model,
    top_k: int,
) -> Row:
    shown = image if isinstance(image, DecodedImage) else None
    prediction, code, message = None, None, None
    if isinstance(answer, PictureError):
        code, message = str(answer.code), redacted(str(answer))
    else:
        prediction = rank(answer, model, top_k)
        if shown is not None and shown.damage is not None:  # a person should look
            prediction = replace(prediction, status=Status.UNSURE)
            code = str(ErrorCode.TRUNCATED)
            message = f"salvaged, the label is of what it still shows: {shown.damage}"
    return Row(
        uri=ref.uri,
        etag=ref.etag,
        version_id=ref.version_id,
        size_bytes=ref.size_bytes,
        width=shown.width if shown else None,
        height=shown.height if shown else None,
        format=shown.format if shown else None,
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
    )
