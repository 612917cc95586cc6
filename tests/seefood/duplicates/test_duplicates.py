"""Copies are found by tag, by perceptual hash and by features; groups say what they cost."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from seefood.duplicates.components import Components
from seefood.duplicates.feature_pairs import Similarity, find_feature_pairs
from seefood.duplicates.groups import find_groups, summary
from seefood.duplicates.hash_pairs import find_hash_pairs
from seefood.duplicates.page import make_duplicates_page
from seefood.duplicates.pictures import Pictures, load_picture_vectors, load_pictures
from seefood.errors import UsageError
from seefood.features.files import write_part_features
from seefood.features.places import key_hashes
from seefood.features.stored import StoredVectors, load_vectors
from seefood.records import ImageRef, Row, Vector
from seefood.results.files import encode_rows, part_location
from seefood.storage import fetch, write
from seefood.storage.uris import Location, parse_location
from tests.fakes import DIGEST, failed, make_row


def _output(uri: str, rows: list[Row]) -> Location:
    """Write rows, and their features, as a run does."""
    output = parse_location(uri)
    part = part_location(output, DIGEST, [row.ref for row in rows], "parquet")
    write_part_features(part, output, DIGEST, rows)
    write(part, encode_rows(rows, "parquet"))
    return output


def _spread(number: int) -> str:
    """Return a hash that is far from that of every other small number."""
    return f"{(number + 1) * 0x9E37_79B9_7F4A_7C15 % (1 << 64):016x}"


def _vector(values: np.ndarray) -> Vector:
    return Vector(0.1, values.astype(np.int8).tobytes())


@pytest.mark.parametrize("distance", [0, 1, 6, 7, 9, 15])
def test_hash_pairs_are_those_of_comparing_each_with_each(distance: int) -> None:
    """Multi-index hashing misses none and invents none."""
    rng = np.random.default_rng(5)
    hashes = rng.integers(0, 1 << 62, 60, dtype=np.uint64)
    copies = hashes.repeat(3)
    for bit in rng.integers(0, 64, (12, copies.size)).astype(np.uint64)[: distance + 1]:
        copies ^= np.uint64(1) << bit
    every = np.concatenate([hashes, copies])
    bits = np.bitwise_count(every[:, None] ^ every)
    expected = {(a, b) for a, b in np.argwhere(bits <= distance).tolist() if a < b}
    found = set(zip(*(side.tolist() for side in find_hash_pairs(every, distance)), strict=True))
    assert found <= expected
    differing = {pair for pair in expected if bits[pair] > 0}
    unique = {tuple(sorted((int(every[a]), int(every[b])))) for a, b in differing}
    assert unique == {
        tuple(sorted((int(every[a]), int(every[b])))) for a, b in found if bits[a, b] > 0
    }


def test_a_distance_that_is_of_no_use_is_refused() -> None:
    """More than 15 bits of 64 would pair half of all pictures."""
    with pytest.raises(UsageError, match="0 to 15"):
        find_hash_pairs(np.zeros(2, np.uint64), 16)


def test_feature_pairs_are_found_in_cells() -> None:
    """Among 4,000 vectors in 4 cells every near copy is found and nothing else."""
    rng = np.random.default_rng(5)
    mixed = rng.normal(size=(4000, 30)) @ rng.normal(size=(30, 96))
    values = np.maximum(mixed, 0) * 5
    values[3900:] = np.maximum(values[:100] + rng.normal(size=(100, 96)) * 2, 0)
    names = [str(number) for number in range(4000)]
    stored = StoredVectors(names, names, values.astype(np.int8), np.ones(4000, np.float32))
    similarity = Similarity.of(stored)
    every = find_feature_pairs(similarity, 0.9, lambda one, _: np.ones(one.size, np.bool_))
    pairs = {pair for one, two in every for pair in zip(one.tolist(), two.tolist(), strict=True)}
    assert {(number, 3900 + number) for number in range(100)} == pairs
    some = find_feature_pairs(similarity, 0.9, lambda one, _: one < 10)
    assert {*range(10)} == {number for one, _ in some for number in one.tolist()}


def test_groups_say_what_they_cost_and_reveal(memory: str) -> None:
    """Equal by tag and size, near by features; the best has the most pixels."""
    rng = np.random.default_rng(5)
    vector = rng.integers(0, 100, 32)
    others = [_vector(rng.integers(0, 100, 32)) for _ in range(30)]
    rows = [
        make_row("s3://b/1", etag="a", phash="00ff00ff00ff00ff", vector=_vector(vector)),
        make_row("s3://b/2", etag="a", phash="00ff00ff00ff00ff", vector=_vector(vector)),
        make_row("s3://b/big", etag="c", width=400, size_bytes=9999, label="green",
                 phash="00ff00ff00ff0fff", vector=_vector(vector + 1)),
        make_row("s3://b/alone", etag="d", phash="00ff00ff00ff00fe", vector=others.pop()),
        failed("s3://b/broken", "corrupt", "no"),
        *(make_row(f"s3://b/x{at}", etag=f"x{at}", phash=_spread(at), vector=each)
          for at, each in enumerate(others)),
    ]  # fmt: skip
    output = _output(f"{memory}/out", rows)
    pictures = load_pictures([output])
    vectors = load_picture_vectors([output])
    assert vectors is not None
    (group,) = find_groups(pictures, vectors, distance=1)
    assert ["s3://b/big", "s3://b/1", "s3://b/2"] == [each.uri for each in group.members]
    assert 2 * 1234 == group.bytes_saved
    assert ("green", "red") == group.labels
    assert ["equal", "near", "near"] == [each.kind for each in group.members]
    assert 4 == group.members[1].distance
    (exact,) = find_groups(pictures, None, distance=None)
    assert {"s3://b/1", "s3://b/2"} == {each.uri for each in exact.members}
    assert "equal" == exact.members[1].kind
    page = make_duplicates_page([group], pictures, "out", fetch)
    assert "Labels differ, so one is wrong: green, red." in page
    assert "alone" not in page


def test_leaks_are_groups_in_both_outputs(memory: str) -> None:
    """With rows alone, by perceptual hash."""
    train = _output(f"{memory}/train", [make_row("s3://b/1", etag="a", phash="00ff00ff00ff00ff")])
    test = _output(f"{memory}/test", [make_row("s3://b/2", etag="b", phash="00ff00ff00ff00fe")])
    assert load_picture_vectors([train, test]) is None
    (group,) = find_groups(load_pictures([train, test]), None)
    assert group.is_leak
    assert {"groups": 1, "copies": 1, "bytes_saved": 1234, "straddling": 0, "leaks": 1} == (
        summary([group])
    )


def test_local_copies_are_told_equal_by_their_bytes(tmp_path: Path) -> None:
    """A local file's tag is not its content's; a file that is gone is near."""
    rows = []
    for name, data in {"a": b"same", "b": b"same", "c": b"diff"}.items():
        (tmp_path / name).write_bytes(data)
        uri = (tmp_path / name).as_uri()
        rows.append(make_row(uri, etag=name, size_bytes=4, phash="00ff00ff00ff00ff"))
    pictures = load_pictures([_output(str(tmp_path / "out"), rows)])
    (group,) = find_groups(pictures, None, fetch=lambda ref: fetch(ImageRef(ref.uri)))
    assert ["equal", "equal", "near"] == [each.kind for each in group.members]


@pytest.mark.parametrize("distance", [None, 6])
def test_a_tag_of_time_and_size_makes_no_copies(tmp_path: Path, distance: int | None) -> None:
    """Local files of one time and size differ; equal ones of other times are found all the same."""
    rows = []
    for name, etag, phash in (("a", "1", 1), ("b", "1", 2), ("c", "2", 2), ("d", "1", None)):
        (tmp_path / name).write_bytes(b"same" if phash == 2 else f"{name}---".encode())
        uri = (tmp_path / name).as_uri()
        text = None if phash is None else _spread(phash)
        rows.append(make_row(uri, etag=etag, size_bytes=4, phash=text))
    rows += [make_row(f"s3://b/{name}", etag="", phash=_spread(ord(name))) for name in "xy"]
    pictures = load_pictures([_output(str(tmp_path / "out"), rows)])
    (group,) = find_groups(
        pictures, None, distance=distance, fetch=lambda ref: fetch(ImageRef(ref.uri))
    )
    assert ["b", "c"] == [each.uri[-1] for each in group.members]
    assert ["equal", "equal"] == [each.kind for each in group.members]


def test_vectors_of_one_output_join_its_rows(memory: str) -> None:
    """A row without features stays comparable by hash."""
    rng = np.random.default_rng(5)
    vector = _vector(rng.integers(1, 100, 16))
    rows = [
        make_row("s3://b/1", etag="a", phash="00ff00ff00ff00ff", vector=vector),
        make_row("s3://b/2", etag="b", phash="00ff00ff00ff00ff"),
    ]
    output = _output(f"{memory}/out", rows)
    assert 1 == len(load_vectors(output, DIGEST))
    (group,) = find_groups(load_pictures([output]), load_picture_vectors([output]))
    assert 2 == len(group.members)


def test_many_pictures_that_are_all_alike_are_one_group() -> None:
    """Pairs that are joined already are not compared: of two scenes there are two million."""
    rng = np.random.default_rng(5)
    count = 3000
    scene = np.arange(count) % 2
    values = np.where(np.arange(32) // 16 == scene[:, None], 90, 0)
    values += rng.integers(0, 4, values.shape)
    hashes = rng.integers(0, 256, count, dtype=np.uint64)  # far apart for `distance`
    uris = [f"s3://b/{number}" for number in range(count)]
    ones = np.ones(count, np.int64)
    pictures = Pictures(
        uris=pa.array(uris, pa.large_string()),
        contents=np.arange(count),
        keys=key_hashes(uris, uris),
        sizes=ones,
        pixels=ones,
        taken=ones,
        hashes=hashes,
        is_hashed=np.ones(count, np.bool_),
        labels=np.zeros(count, np.int32),
        names=("a",),
        side=np.zeros(count, np.int8),
    )
    names = pa.array(uris, pa.large_string())
    stored = StoredVectors(names, names, values.astype(np.int8), np.ones(count, np.float32))
    groups = find_groups(pictures, stored, distance=0)
    assert [count // 2] * 2 == [len(group.members) for group in groups]


def test_sets_are_united_by_pairs() -> None:
    """Chains and cycles are one set; what is in no pair is in no group."""
    sets = Components(8)
    sets.join(np.array([6, 1, 3]), np.array([3, 6, 1]))
    sets.join(np.array([4]), np.array([7]))
    assert [[1, 3, 6], [4, 7]] == [members.tolist() for members in sets.groups()]
    assert [False, True] == sets.are_apart(np.array([1, 3]), np.array([6, 4])).tolist()
