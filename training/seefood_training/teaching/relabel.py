"""Rows of a taught model, from the stored features of the old one: no picture is read.

    DEST/results/digest=<new>/part-<hash>.parquet

A row has what the old row says of the picture, with the label, the scores and the status that the
new layer gives, and the engine `features`. Features are rounded to 8 bits, so scores differ a
little from what `classify` gives; `check_sample` states by how much.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from seefood.bundle import Bundle
from seefood.classification import Model, classify_images, rank
from seefood.engines.loading import load_engine
from seefood.errors import BundleError, PictureError
from seefood.features.places import VectorPlaces
from seefood.features.stored import StoredVectors
from seefood.records import ImageRef, Status, utc_now
from seefood.results.arrow import arrow_schema
from seefood.results.files import results_folder
from seefood.results.output_rows import open_rows
from seefood.storage import fetch, write
from seefood.vectors import scaled
from seefood_training.calibrate import softmax
from seefood_training.linear_probe import Floats, Probe

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from seefood.storage.uris import Location

ENGINE: Final = "features"
"""The `engine` column of the rows."""
LARGEST_DIFFERENCE: Final = 0.1
"""In a probability; the rounding of features gives a tenth of it."""
_TOP: Final = 5
_PART_ROWS: Final = 100_000
_SAMPLE: Final = 64
_WRITERS: Final = 2


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the probabilities on stored features are from those on the pictures."""

    pictures: int
    """Of the sample, that could be read."""
    largest: float
    mean: float
    same_label: int

    def sentence(self) -> str:
        """Return the figures for the user."""
        if not self.pictures:
            return "no picture of the sample could be read, so the rows are not compared"
        return (
            f"on {self.pictures} pictures read again, probabilities differ by at most "
            f"{self.largest:.4f} ({self.mean:.4f} on average), {self.same_label} labels are equal"
        )


@dataclass(frozen=True, slots=True)
class Relabelled:
    """What was written."""

    rows: int
    without_features: int
    """Pictures that have a row of the old model and no features: `classify` labels them."""


def check_sample(
    output: "Location", digest: str, vectors: StoredVectors, head: Probe, bundle: Bundle
) -> Agreement:
    """Compare `head` on stored features with `bundle` on the pictures, for a sample of 64.

    Raises `BundleError` if a probability differs by more than 0.1.
    """
    names = _sample(output, digest, vectors)
    engine, model = load_engine(bundle), Model.of(bundle)
    differences, same = [0.0], 0
    count = 0
    for ref, place in names:
        try:
            data = fetch(ref)
        except PictureError:
            continue
        (row,) = classify_images([(ref, data)], engine, model)
        if row.top is None:
            continue
        expected = _probabilities(vectors, np.array([place]), head)[0]
        known = dict(rank(expected, model, len(model.labels)).top)
        difference = max(abs(score - known[label]) for label, score in row.top)
        differences.append(difference)
        count += 1
        same += row.label == model.labels[int(expected.argmax())]
    if (largest := max(differences)) > LARGEST_DIFFERENCE:
        raise BundleError(
            f"the new layer gives other probabilities on stored features than on the pictures: "
            f"they differ by {largest:.3f}; classify with `--force --features`, and teach again"
        )
    return Agreement(count, largest, sum(differences) / max(1, count), same)


def relabel(
    output: "Location", digest: str, vectors: StoredVectors, head: Probe, model: Model
) -> Relabelled:
    """Write the rows of `model`, one for each row of the model `digest`; repeat as you like.

    Each object is written as a whole, under a name that follows from its rows. Failed pictures stay
    failed. Raises `JobError` if an object cannot be read or written.
    """
    places = VectorPlaces(vectors)
    rows = absent = 0
    with ThreadPoolExecutor(_WRITERS, "relabel") as pool:
        waiting = []
        for table in _tables(open_rows(output, digest).batches()):
            at = places.find(table["uri"].to_pylist(), table["etag"].to_pylist())
            failed = np.asarray(table["status"].to_numpy() == Status.FAILED)
            kept = failed | (at >= 0)
            absent += int((~kept).sum())
            if not kept.any():
                continue
            rows += int(kept.sum())
            labelled = _relabelled(table.filter(kept), at[kept], vectors, head, model)
            waiting.append(pool.submit(_write_part, output, labelled, model))
            while len(waiting) > _WRITERS:
                waiting.pop(0).result()
        for each in waiting:
            each.result()
    return Relabelled(rows, absent)


def _tables(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.Table]":
    import pyarrow as pa

    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if sum(each.num_rows for each in group) >= _PART_ROWS:
            yield pa.Table.from_batches(group)
            group = []
    if group:
        yield pa.Table.from_batches(group)


def _probabilities(vectors: StoredVectors, places: "NDArray[np.int64]", head: Probe) -> Floats:
    """Return the probabilities for vectors, float32 of shape `(n, classes)`."""
    features = scaled(vectors.values[places], vectors.scales[places])
    return np.asarray(softmax(head.logits(features)), np.float32)


def _relabelled(
    table: "pa.Table",
    places: "NDArray[np.int64]",
    vectors: StoredVectors,
    head: Probe,
    model: Model,
) -> "pa.Table":
    """Return `table` with what the model says of each picture; failed ones keep nulls."""
    import pyarrow as pa

    schema = arrow_schema()
    count, classes = table.num_rows, len(model.labels)
    is_read = (places >= 0) & np.asarray(table["status"].to_numpy() != Status.FAILED)
    probabilities = np.zeros((count, classes), np.float32)
    for start in range(0, count, 8192):
        inside = np.flatnonzero(is_read[start : start + 8192]) + start
        probabilities[inside] = _probabilities(vectors, places[inside], head)
    novelty = _novelty(vectors, np.where(is_read, places, -1), model)
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :_TOP]
    scores = np.take_along_axis(probabilities, order, axis=1)
    best, score = order[:, 0], scores[:, 0]
    salvaged = np.asarray(table["error_code"].is_valid())
    unsure = salvaged | (score < np.asarray(model.thresholds)[best])
    if model.reject_above is not None:
        unsure |= np.nan_to_num(novelty) > model.reject_above
    status = np.where(unsure, str(Status.UNSURE), str(Status.OK))
    names = pa.array(model.labels, pa.string())
    missing = ~is_read
    entries = pa.StructArray.from_arrays(
        [names.take(pa.array(order.ravel())), pa.array(scores.ravel())], ["label", "score"]
    )
    offsets = np.arange(count + 1, dtype=np.int32) * order.shape[1]
    top = pa.ListArray.from_arrays(pa.array(offsets), entries)
    columns: dict[str, Any] = {
        "label": names.take(pa.array(best, mask=missing)),
        "score": pa.array(score, pa.float32(), mask=missing),
        "top": _without(top, missing),
        "status": pa.array(np.where(missing, str(Status.FAILED), status)),
        "model": pa.array([model.name]).take(pa.array(np.zeros(count, np.int32))),
        "model_digest": pa.array([model.digest]).take(pa.array(np.zeros(count, np.int32))),
        "engine": pa.array([ENGINE]).take(pa.array(np.zeros(count, np.int32))),
        "classified_at": pa.array([utc_now()], schema.field("classified_at").type).take(
            pa.array(np.zeros(count, np.int32))
        ),
        "labels": pa.nulls(count, schema.field("labels").type),
        "novelty": pa.array(novelty, pa.float32(), mask=np.isnan(novelty)),  # of the new model
    }
    arrays = [
        columns[field.name].cast(field.type) if field.name in columns else table[field.name]
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def _novelty(vectors: StoredVectors, places: "NDArray[np.int64]", model: Model) -> Floats:
    """Return the novelty of each picture, of shape `(n,)`; NaN without features or a space."""
    found = np.full(len(places), np.nan, np.float32)
    if model.novelty is not None:
        for start in range(0, len(places), 8192):
            inside = np.flatnonzero(places[start : start + 8192] >= 0) + start
            at = places[inside]
            found[inside] = model.novelty.novelty(scaled(vectors.values[at], vectors.scales[at]))
    return found


def _without(top: "pa.ListArray", missing: "NDArray[np.bool_]") -> "pa.Array":
    """Return `top` with nulls at `missing`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(missing), pa.nulls(len(top), top.type), top)


def _write_part(output: "Location", table: "pa.Table", model: Model) -> None:
    import pyarrow.parquet as pq

    identity = hashlib.sha256(model.digest.encode())
    for name in ("uri", "etag"):
        identity.update("\0".join(table[name].to_pylist()).encode("utf-8", "surrogateescape"))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    name = f"part-{identity.hexdigest()[:32]}.parquet"
    write(results_folder(output, model.digest).child(name), sink.getvalue())


def _sample(
    output: "Location", digest: str, vectors: StoredVectors
) -> Sequence[tuple[ImageRef, int]]:
    """Return 64 pictures that have a row and features, spread over the output."""
    places = VectorPlaces(vectors)
    found: list[tuple[ImageRef, int]] = []
    for batch in open_rows(output, digest).batches(("uri", "etag", "size_bytes")):
        uris, etags = batch["uri"].to_pylist(), batch["etag"].to_pylist()
        at = places.find(uris, etags)
        sizes = batch["size_bytes"].to_pylist()
        known = np.flatnonzero(at >= 0).tolist()
        found.extend((ImageRef(uris[row], etags[row], sizes[row]), int(at[row])) for row in known)
    chosen = np.linspace(0, len(found) - 1, min(_SAMPLE, len(found))).astype(int)
    return [found[index] for index in np.unique(chosen)]
