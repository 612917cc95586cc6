from collections import Counter

import pytest

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.runs.sharding import Shard, parse_shard

_REFS = [ImageRef(f"s3://photos/2026/{number:05d}.jpg", etag="a") for number in range(2000)]


def test_every_picture_belongs_to_exactly_one_shard() -> None:
    """The shards of one job together hold every reference once."""
    shards = [Shard(index, 7) for index in range(7)]

    assert {1} == {sum(ref in shard for shard in shards) for ref in _REFS}


def test_shards_are_about_equally_large() -> None:
    """No machine gets more than a fifth above its share of 2,000 pictures."""
    sizes = Counter(index for ref in _REFS for index in range(4) if ref in Shard(index, 4))

    assert max(sizes.values()) <= 600


def test_a_changed_picture_stays_in_its_shard() -> None:
    """A shard depends on the URI alone, so that the next run of a shard has its own rows."""
    before, after = ImageRef("s3://a/b.jpg", etag="1"), ImageRef("s3://a/b.jpg", etag="2")

    assert [before in Shard(index, 5) for index in range(5)] == [
        after in Shard(index, 5) for index in range(5)
    ]


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("0/4", {}, Shard(0, 4)),
        ("11/12", {}, Shard(11, 12)),
        ("batch", {}, None),
        (
            "batch",
            {"AWS_BATCH_JOB_ARRAY_INDEX": "3", "AWS_BATCH_JOB_ARRAY_SIZE": "8"},
            Shard(3, 8),
        ),
    ],
    ids=["first", "last", "a job that is no array", "child of an array"],
)
def test_a_shard_is_read_from_the_option_or_from_batch(
    text: str, environment: dict[str, str], expected: Shard | None
) -> None:
    """`I/N` names a shard; `batch` reads the environment, and outside an array is everything."""
    assert expected == parse_shard(text, environment)


@pytest.mark.parametrize("text", ["4/4", "0/0", "-1/4", "1", "", "a/b", "1/4/2"])
def test_an_impossible_shard_is_refused(text: str) -> None:
    """A wrong shard would leave pictures out silently, so it is a usage error."""
    with pytest.raises(UsageError, match="names no shard"):
        parse_shard(text, {})


def test_an_array_index_without_its_size_is_refused() -> None:
    """An index alone does not name a part."""
    with pytest.raises(UsageError, match="names no shard"):
        parse_shard("batch", {"AWS_BATCH_JOB_ARRAY_INDEX": "3"})
