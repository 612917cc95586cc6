"""One final label a picture: a person's, else the model's."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from seefood.corrections.correction import Correction

if TYPE_CHECKING:
    import pyarrow as pa

FINAL_COLUMNS: Final = ("uri", "etag", "label", "score", "top")
"""The columns that `apply_corrections` needs; there may be more."""


class By(StrEnum):
    """Who said the final label."""

    PERSON = "person"
    MODEL = "model"


def apply_corrections(
    batches: "Iterable[pa.RecordBatch]", corrections: Mapping[tuple[str, str], Correction]
) -> "Iterator[pa.RecordBatch]":
    """Yield `batches` with final labels and, as last column, `by`: `person` or `model`.

    `label` is that of the person if the picture has a correction, and so is `labels`, if the
    batches have that column and the model gives several. `score` is what the model gave
    to the final label: null if the label is not in its `top`. All other columns, `status`
    included, stay what the model said. The batches need the columns `FINAL_COLUMNS`.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    corrected = pa.array(sorted({uri for uri, _ in corrections}), pa.string())
    for batch in batches:
        found = pc.indices_nonzero(pc.is_in(batch["uri"], value_set=corrected)).to_pylist()
        several = batch["labels"] if "labels" in batch.schema.names else None
        changes: dict[int, _Change] = {}
        for at in found:
            key = batch["uri"][at].as_py(), batch["etag"][at].as_py()
            if correction := corrections.get(key):
                labels = correction.labels
                if labels is None and several is not None and several[at].is_valid:
                    labels = correction.names
                score = _score(batch, at, correction.label)
                changes[at] = _Change(correction.label, score, labels)
        yield _changed(batch, changes)


class _Change(NamedTuple):
    label: str | None
    score: float | None
    labels: tuple[str, ...] | None


def _score(batch: "pa.RecordBatch", at: int, label: str | None) -> float | None:
    """Return the score that the model gave to `label`; None if it is not known."""
    if batch["label"][at].as_py() == label:
        score: float | None = batch["score"][at].as_py()
        return score
    top: list[dict[str, Any]] = batch["top"][at].as_py() or []
    return next((float(item["score"]) for item in top if item["label"] == label), None)


def _changed(batch: "pa.RecordBatch", changes: Mapping[int, _Change]) -> "pa.RecordBatch":
    import pyarrow as pa  # noqa: PLC0415

    by = pa.array(
        [By.PERSON if at in changes else By.MODEL for at in range(batch.num_rows)], pa.string()
    )
    if changes:
        for name in _Change._fields:
            if name not in batch.schema.names:
                continue
            values = batch[name].to_pylist()
            for at, change in changes.items():
                values[at] = getattr(change, name)
            field = batch.schema.field(name)
            batch = batch.set_column(
                batch.schema.get_field_index(name), field, pa.array(values, field.type)
            )
    return batch.append_column("by", by)
