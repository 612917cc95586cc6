"""Features: rounded to 8 bits, stored beside the rows, read as one vector a picture."""

from dataclasses import replace

import numpy as np
import pytest

from seefood.classification import ClassifyOptions, classify_images
from seefood.engines.fake import FakeEngine
from seefood.errors import JobError, UsageError
from seefood.features.files import (
    features_folder,
    list_feature_parts,
    write_part_features,
    write_upload_features,
)
from seefood.features.stored import load_vectors, read_feature_ledger
from seefood.records import ImageRef, Row, Vector
from seefood.results.files import part_location
from seefood.results.ledger import ledger_key
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood.vectors import real, rounded
from seefood.workers.chunks import write_chunk
from tests.fakes import DIGEST, MODEL, failed, fake_worker, make_row, put_all
from tests.pictures import jpeg

WITH_FEATURES = ClassifyOptions(features=True)


def _row(uri: str, *values: int, etag: str = "e1", scale: float = 0.5) -> Row:
    return make_row(uri, etag=etag, vector=Vector(scale, np.array(values, np.int8).tobytes()))


def test_rounding_moves_a_feature_by_half_a_step() -> None:
    """The error is at most half of the row's scale; zeros stay zeros."""
    features = np.random.default_rng(1).normal(size=(5, 40)).astype(np.float32)
    features[2] = 0
    vectors = rounded(features)
    steps = np.array([[each.scale] for each in vectors])
    assert np.all(np.abs(real(vectors) - features) <= steps / 2 + 1e-7)
    assert (0.0, bytes(40)) == (vectors[2].scale, vectors[2].values)
    with pytest.raises(ValueError, match="not finite"):
        rounded(np.array([[np.nan, 1]], np.float32))


def test_one_pass_gives_label_and_vector() -> None:
    """A row carries its features only if they were asked for, and a failed one has none."""
    pictures = [(ImageRef("memory://a"), jpeg((200, 100, 50))), (ImageRef("memory://b"), b"junk")]
    engine, calls = FakeEngine(2), []
    counted = FakeEngine(2, before=lambda images: calls.append(len(images)))
    good, bad = classify_images(pictures, counted, MODEL, WITH_FEATURES)
    assert [1] == calls
    assert good.vector is not None
    assert bad.vector is None
    assert [200, 100, 50] == pytest.approx(real([good.vector])[0].tolist(), abs=3)
    plain = classify_images(pictures, engine, MODEL)[0]
    assert plain == replace(good, vector=None, classified_at=plain.classified_at)
    assert "vector" not in good.as_json()


def test_a_chunk_writes_its_features_beside_its_rows(memory: str) -> None:
    """Both objects have one name, and writing again changes nothing."""
    refs = put_all(memory, {"a.jpg": jpeg(), "b.jpg": jpeg((9, 99, 9)), "c.jpg": b"no"})
    output = parse_location(f"{memory}/out")
    worker = fake_worker(options=WITH_FEATURES)
    for _ in range(2):
        write_chunk(worker.classify(refs), output, "parquet")
    (part,) = list_feature_parts(output, DIGEST)
    assert (
        part_location(output, DIGEST, refs, "parquet").uri.rpartition("/")[2]
        == (part.uri.rpartition("/")[2])
    )
    stored = load_vectors(output, DIGEST)
    assert [refs[0].uri, refs[1].uri] == stored.uris.to_pylist()
    assert (2, 3) == stored.values.shape


def test_each_picture_has_one_vector(memory: str) -> None:
    """Vectors that a killed run left, and those of the Lambda, are read once."""
    output = parse_location(f"{memory}/out")
    for name, rows in {
        "part-1.parquet": [_row("s3://b/1", 1, 2), _row("s3://b/2", 3, 4)],
        "part-2.parquet": [_row("s3://b/2", 3, 4), failed("s3://b/3", "corrupt", "no")],
    }.items():
        write_part_features(output.child(f"results/{name}"), output, DIGEST, rows)
    for _ in range(2):
        write_upload_features(_row("s3://b/4", 5, 6, scale=0.25), output)
    write_upload_features(make_row("s3://b/5"), output)
    stored = load_vectors(output, DIGEST)
    by_uri = dict(zip(stored.uris.to_pylist(), stored.values.tolist(), strict=True))
    assert {"s3://b/1": [1, 2], "s3://b/2": [3, 4], "s3://b/4": [5, 6]} == by_uri
    assert 0.25 in stored.scales.tolist()
    ledger = read_feature_ledger(output, DIGEST)
    assert ledger.has_key(ledger_key("s3://b/4", "e1"))
    assert not ledger.has_key(ledger_key("s3://b/5", "e1"))


def test_what_is_absent_or_damaged_is_told(memory: str) -> None:
    """No features is a usage error with a cure, and foreign content an error that names it."""
    output = parse_location(f"{memory}/out")
    with pytest.raises(UsageError, match="--features"):
        load_vectors(output, DIGEST)
    write(features_folder(output, DIGEST).child("part-1.parquet"), b"junk")
    with pytest.raises(JobError, match=r"part-1\.parquet"):
        load_vectors(output, DIGEST)
