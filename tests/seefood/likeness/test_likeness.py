"""The most similar pictures, by comparing with each, with filters and final labels."""

from datetime import UTC, datetime

import numpy as np
import pytest

from seefood.corrections import Correction, CorrectionLog
from seefood.errors import UsageError
from seefood.features.files import write_part_features
from seefood.features.stored import StoredVectors
from seefood.likeness.found import Filters, SimilarPictures
from seefood.likeness.page import make_like_page
from seefood.likeness.search import Likeness, nearest
from seefood.records import Vector
from seefood.results.files import encode_rows, part_location
from seefood.storage import fetch, write
from seefood.storage.uris import parse_location
from tests.fakes import DIGEST, make_row


def test_similarities_are_cosines_of_centred_features() -> None:
    """Equal to computing them at once in float64."""
    rng = np.random.default_rng(7)
    values = rng.integers(0, 127, (300, 40)).astype(np.int8)
    names = [str(number) for number in range(300)]
    likeness = Likeness(StoredVectors(names, names, values, np.ones(300, np.float32)))
    unit = values / np.linalg.norm(values.astype(float), axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    expected = centred @ centred[5]
    actual = likeness.similarities(values[5].astype(np.float32) * 0.01)
    np.testing.assert_allclose(expected, actual, atol=1e-4)
    assert np.argsort(-expected)[:10].tolist() == nearest(actual, 10).tolist()


def test_similar_pictures_pass_the_filters(memory: str) -> None:
    """By final label and time of exposure; the picture itself is the most similar."""
    rng = np.random.default_rng(7)
    output = parse_location(f"{memory}/out")
    base = rng.integers(20, 100, 24)
    vectors = [base + rng.integers(-at - 1, at + 2, 24) for at in range(8)]
    rows = [
        make_row(
            f"s3://b/{at}",
            etag=f"e{at}",
            label="red" if at % 2 else "green",
            labels=("green", "blue") if at == 6 else None,
            taken_at=datetime(2026, 1, 1 + at, tzinfo=UTC) if at else None,
            vector=Vector(0.5, vectors[at].astype(np.int8).tobytes()),
        )
        for at in range(8)
    ]
    part = part_location(output, DIGEST, [row.ref for row in rows], "parquet")
    write_part_features(part, output, DIGEST, rows)
    write(part, encode_rows(rows, "parquet"))
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    log = CorrectionLog(output)
    log.append([Correction("s3://b/3", "e3", "green", "red", DIGEST, "ann", moment, "")])
    pictures = SimilarPictures(output, DIGEST)
    query = pictures.features_of("s3://b/1")
    assert "s3://b/1" == pictures.find(query, 1)[0].ref.uri
    assert 8 == len(pictures) == len(pictures.find(query, 100))
    green = {match.ref.uri for match in pictures.find(query, 9, Filters(("green",)))}
    assert {f"s3://b/{at}" for at in (0, 2, 3, 4, 6)} == green
    since = Filters(since=datetime(2026, 1, 6, tzinfo=UTC))
    assert {f"s3://b/{at}" for at in (5, 6, 7)} == {
        match.ref.uri for match in pictures.find(query, 9, since)
    }
    assert ["s3://b/6"] == [each.ref.uri for each in pictures.find(query, 9, Filters(("blue",)))]
    with pytest.raises(UsageError, match="no picture has the label 'mauve'; there are blue, green"):
        pictures.find(query, 9, Filters(("mauve",)))
    with pytest.raises(UsageError, match="has no features"):
        pictures.features_of("s3://b/none")
    found = pictures.find(query, 2)
    assert {"uri", "similarity", "label", "score"} == found[0].as_json().keys()
    page = make_like_page(found[0].ref, found, "out", fetch)
    assert "2 pictures like 1" in page
