"""The values that all parts exchange: a reference, a prediction, a row."""

from dataclasses import Field, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final

DIGEST_SHOWN: Final = 12
"""How many digits of a model's digest are in folder names and messages."""


class Status(StrEnum):
    """The outcome for one picture."""

    OK = "ok"
    """Classified, with a score of at least the label's threshold."""
    UNSURE = "unsure"
    """Classified, with no score of at least its threshold: a person should check it."""
    FAILED = "failed"
    """Not classified; `error_code` states why."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """One object as it was listed: its location and its content."""

    uri: str
    """`s3://bucket/key` (key unescaped), `gs://…`, `az://…` or `file:///…` (percent-encoded)."""
    etag: str = ""
    """The store's entity tag without quotes; identifies the content."""
    size_bytes: int = 0
    version_id: str | None = None
    modified: float | None = field(default=None, compare=False)
    """The store's time of last modification, in POSIX seconds; None if unknown."""


@dataclass(frozen=True, slots=True)
class ListingNote:
    """What a listing says about its source, beside the objects that it lists."""

    uri: str
    """The folder, archive or list that the note is about."""
    text: str
    """One clause without a final stop, such as "Permission denied"."""
    is_loss: bool = True
    """Whether pictures may be missing from the listing because of it."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Prediction:
    """The network's result for one picture."""

    label: str
    score: float
    """Probability of `label`, in [0, 1]."""
    top: tuple[tuple[str, float], ...]
    """The most probable labels with their probabilities, descending."""
    status: Status
    """`Status.OK` or `Status.UNSURE`."""
    labels: tuple[str, ...] | None = None
    """Of a model of several labels: all whose probability reaches their threshold, the most
    probable first; `label` is the first of them, or without any the most probable label."""


@dataclass(frozen=True, slots=True)
class Vector:
    """A picture's features, rounded to 8 bits: `scale * values`."""

    scale: float
    """Above 0; 0 if all features are 0."""
    values: bytes
    """int8, one byte a feature."""


NOT_A_COLUMN: Final = {"column": False}
"""The metadata of a field of `Row` that is no column of the results."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results. Users' scripts depend on these fields, apart from `vector`."""

    uri: str
    etag: str
    version_id: str | None
    size_bytes: int
    width: int | None
    """Width of the upright picture in pixels, as a viewer shows it."""
    height: int | None
    format: str | None
    """`JPEG`, `PNG`, `WEBP`, `GIF`, `BMP`, `TIFF`, `HEIF` or `AVIF`."""
    label: str | None
    score: float | None
    top: tuple[tuple[str, float], ...] | None
    status: Status
    error_code: str | None
    error_message: str | None
    model: str
    model_digest: str
    engine: str
    classified_at: datetime
    """UTC, in whole milliseconds."""
    labels: tuple[str, ...] | None = None
    """See `Prediction.labels`; None for a model of one label a picture."""
    phash: str | None = None
    """64-bit perceptual hash, 16 hexadecimal digits; None for a picture of one color."""
    taken_at: datetime | None = None
    """When the picture was taken, by its EXIF: UTC, or the camera's clock if no offset is known."""
    brightness: float | None = None
    """See `seefood.imaging.measures.PixelMeasures`, as the next three; None for a failed row."""
    contrast: float | None = None
    sharpness: float | None = None
    uprightness: float | None = None
    jpeg_quality: int | None = None
    """In [1, 100], see `seefood.imaging.jpeg_quality`; None for other formats."""
    novelty: float | None = None
    """How little it resembles the pictures that the model was trained on, if the bundle knows: 1 at
    the distance that 1 % of pictures of the same source exceed."""

    vector: Vector | None = field(default=None, repr=False, metadata=NOT_A_COLUMN)
    """The features, which are stored beside the rows (`seefood.features`); None unless asked for,
    and for a failed row."""

    @property
    def ref(self) -> ImageRef:
        """The picture that the row is about."""
        return ImageRef(self.uri, self.etag, self.size_bytes, self.version_id)

    @property
    def names(self) -> tuple[str, ...]:
        """All labels that the model gave the picture; of a model of several perhaps none."""
        if self.labels is not None:
            return self.labels
        return () if self.label is None else (self.label,)

    @property
    def scored_labels(self) -> tuple[tuple[str, float | None], ...]:
        """All labels of the picture with their scores; None for a score that `top` left out.

        Without any that reaches its threshold, the most probable label; empty for a failed row.
        """
        if not self.labels:
            return () if self.label is None else ((self.label, self.score),)
        scores: dict[str, float | None] = {**dict(self.top or ()), self.label or "": self.score}
        return tuple((label, scores.get(label)) for label in self.labels)

    def as_json(self) -> dict[str, Any]:
        """Return the row as a JSON object; `top` is a list of {label, score}."""
        row = {item.name: getattr(self, item.name) for item in row_fields()}
        if self.top is not None:
            row["top"] = [{"label": label, "score": score} for label, score in self.top]
        if self.labels is not None:
            row["labels"] = list(self.labels)
        row["status"] = str(self.status)
        row["classified_at"] = format_utc(self.classified_at)
        row["taken_at"] = None if self.taken_at is None else format_utc(self.taken_at)
        return row


@cache
def row_fields() -> tuple[Field[Any], ...]:
    """Return the fields of `Row` that are columns of the results, in their order."""
    return tuple(each for each in fields(Row) if each.metadata.get("column", True))


def utc_now() -> datetime:
    """Return the time in UTC, truncated to whole milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def format_utc(moment: datetime) -> str:
    """Return `moment` as `2026-11-23T16:03:36.123Z`."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    )
