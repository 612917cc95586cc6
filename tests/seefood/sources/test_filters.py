from datetime import UTC, datetime

import pytest

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.sources.filters import Selection, parse_since

_NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("include", "exclude", "key", "kept"),
    [
        ((), (), "a/b.jpg", True),
        (("*.jpg",), (), "a/b.jpg", True),
        (("*.jpg", "*.png"), (), "a/b.png", True),
        (("*.jpg",), (), "a/b.gif", False),
        ((), ("*.gif",), "a/b.gif", False),
        (("*.jpg",), ("thumb_*",), "a/thumb_b.jpg", False),
        (("raw/*.jpg",), (), "2026/raw/b.jpg", True),
        (("raw/*.jpg",), (), "2026/raw/deep/b.jpg", False),
        ((), ("raw/**",), "2026/raw/deep/b.jpg", False),
        (("[ab].jpg",), (), "x/c.jpg", False),
    ],
)
def test_names_are_chosen_by_patterns(
    include: tuple[str, ...], exclude: tuple[str, ...], key: str, *, kept: bool
) -> None:
    """A name is kept if it matches an include (if there are any) and no exclude."""
    assert kept == Selection(include, exclude).has_name(f"s3://b/{key}")


def test_a_sample_is_the_same_every_time_and_grows() -> None:
    """A sample has about its share of the names, the same each time; a larger one contains it."""
    names = [f"s3://b/{n}.jpg" for n in range(5000)]
    small = {name for name in names if Selection(sample=0.1).has_name(name)}
    large = {name for name in names if Selection(sample=0.3).has_name(name)}
    assert 400 < len(small) < 600
    assert small < large
    assert small == {name for name in reversed(names) if Selection(sample=0.1).has_name(name)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23", "2026-11-23T00:00:00+00:00"),
        ("2026-11-23T10:00", "2026-11-23T10:00:00+00:00"),
        ("2026-11-23T10:00+02:00", "2026-11-23T08:00:00+00:00"),
        ("36h", "2026-11-22T04:00:00+00:00"),
        ("7d", "2026-11-16T16:00:00+00:00"),
    ],
)
def test_since_takes_times_and_ages(text: str, expected: str) -> None:
    """A time without a zone is UTC; an age counts back from now."""
    assert datetime.fromisoformat(expected).timestamp() == parse_since(text, _NOW)


def test_since_refuses_other_text() -> None:
    """The message gives examples of times."""
    with pytest.raises(UsageError, match="'yesterday' is not a time"):
        parse_since("yesterday", _NOW)


def test_objects_without_a_time_are_kept() -> None:
    """`since` keeps objects for which the store gives no time."""
    selection = Selection(since=100.0)
    refs = [ImageRef("s3://b/a", modified=moment) for moment in (99.0, 100.0, None)]
    assert [False, True, True] == [selection.has_age(ref) for ref in refs]
