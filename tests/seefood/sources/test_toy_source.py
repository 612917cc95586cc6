"""A source that is added through the public registry alone works like a built-in one."""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.sources.filters import Selection
from seefood.sources.listing import check_sources, list_sources
from seefood.sources.registry import parse_source, register_source
from seefood.storage import write
from seefood.storage.uris import parse_location

_NUMBERS = {"none": 0, "three": 3}


@dataclass(frozen=True, slots=True)
class Toy:
    """`toy://three`: as many objects of a store in memory, named without tags and sizes."""

    text: str
    count: int
    is_exact: bool = False

    @property
    def empty_message(self) -> str:
        """See `Source.empty_message`."""
        return f"{self.text} counts to nothing; take toy://three"

    def list(self) -> Iterator[ImageRef]:
        """See `Source.list`."""
        for number in range(self.count):
            yield ImageRef(f"memory://toy/{number}.jpg")


def parse_toy(text: str) -> Toy:
    """Return the source of `toy://three`, or of a file `three.toy`."""
    name = text.removeprefix("toy://").removesuffix(".toy")
    if name not in _NUMBERS:
        raise UsageError(f"{text} is no number; take toy://three")
    return Toy(text, _NUMBERS[name])


@pytest.fixture(scope="session", autouse=True)
def _registered() -> None:
    """Register the source once for this process, and write its objects."""
    register_source(parse_toy, scheme="toy", suffix="toy")
    for number in range(3):
        write(parse_location(f"memory://toy/{number}.jpg"), b"x" * number)


@pytest.mark.parametrize("text", ["toy://three", "three.toy"])
def test_it_is_parsed_by_scheme_or_suffix(text: str) -> None:
    """The registered function makes the source."""
    source = parse_source(text)
    assert Toy(text, 3) == source == pickle.loads(pickle.dumps(source))  # noqa: S301 (our own)


def test_it_is_listed_with_filters_and_completed() -> None:
    """Its objects pass the filters, are listed once, and get their sizes from the store."""
    sources = [parse_source("toy://three"), parse_source("memory://toy/")]
    refs = list(list_sources(sources, selection=Selection(exclude=("1.*",))))
    assert [("memory://toy/0.jpg", 0), ("memory://toy/2.jpg", 2)] == [
        (ref.uri, ref.size_bytes) for ref in refs
    ]
    assert all(ref.etag for ref in refs)


def test_it_is_checked() -> None:
    """A text that names nothing, or a source that lists nothing, is a usage error."""
    check_sources([parse_source("toy://three")])
    with pytest.raises(UsageError, match="toy://none counts to nothing"):
        check_sources([parse_source("toy://none")])
    with pytest.raises(UsageError, match="toy://x is no number"):
        parse_source("toy://x")


def test_a_scheme_is_registered_once() -> None:
    """Registering it twice is an error."""
    with pytest.raises(ValueError, match="'toy' is registered already"):
        register_source(parse_toy, scheme="toy")
