"""Groups of equal and nearly equal pictures: the best of each, its cost, and what it reveals."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from seefood.duplicates.components import Components
from seefood.duplicates.feature_pairs import Similarity, find_feature_pairs
from seefood.duplicates.hash_pairs import find_hash_pairs
from seefood.duplicates.pictures import LOCAL, Pictures, find_vectors
from seefood.errors import PictureError, SeefoodError
from seefood.records import ImageRef

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seefood.features.stored import StoredVectors

    Indices = NDArray[np.int64]

Kind = Literal["equal", "near"]
Fetch = Callable[[ImageRef], bytes]
DEFAULT_DISTANCE: Final = 6
"""Bits of the perceptual hash in which copies without features may differ."""
WEAK_COSINE: Final = 0.5
"""Of the centred features of two pictures whose hashes make them copies: below it, they are not."""
LEAST_COSINE: Final = 0.8
"""Of the centred features of copies whose hashes differ more, as those of a cropped copy do."""
MAX_CONFIRMED: Final = 16
"""Bits in which their hashes may differ at most; unrelated ones differ in 32 +- 4."""


@dataclass(frozen=True, slots=True)
class Member:
    """A picture of a group."""

    index: int
    """In the `Pictures`."""
    uri: str
    kind: Kind
    """`equal`: its bytes are those of the best picture."""
    distance: int | None
    """Bits in which its perceptual hash differs from the best picture's; None without a hash."""


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that are copies of one another; the first member is the best."""

    members: tuple[Member, ...]
    bytes_saved: int
    """The bytes of all but the best."""
    labels: tuple[str, ...]
    """All labels of its members, sorted; with two, one is wrong."""
    is_leak: bool = False
    """Whether it has members in both outputs."""

    def as_json(self) -> dict[str, Any]:
        """Return the group as `duplicates --json` prints it."""
        members = [
            {"uri": each.uri, "kind": each.kind, "distance": each.distance} for each in self.members
        ]
        return {
            "best": self.members[0].uri,
            "members": members,
            "bytes": self.bytes_saved,
            "labels": list(self.labels),
            "leak": self.is_leak,
        }


def find_groups(
    pictures: Pictures,
    vectors: "StoredVectors | None",
    *,
    distance: int | None = DEFAULT_DISTANCE,
    fetch: Fetch | None = None,
) -> list[Group]:
    """Return the groups, those that cost most first.

    Pictures are copies if their entity tags and sizes are equal; with a `distance` also if their
    features are nearly equal, and without features if their perceptual hashes differ in at most
    `distance` bits. With `fetch`, local files of one size and hash are read, and are equal if their
    bytes are. Raises `UsageError` for a distance that is of no use.
    """
    if fetch is not None:
        pictures = replace(pictures, contents=_read_contents(pictures, fetch))
    components = Components(len(pictures))
    components.join(*_equal_pairs(pictures.contents))
    if distance is not None:
        _join_near(pictures, vectors, distance, components)
    groups = [_group(pictures, members) for members in components.groups()]
    return sorted(groups, key=lambda group: (-group.bytes_saved, group.members[0].uri))


def _read_contents(pictures: Pictures, fetch: Fetch) -> "Indices":
    """Return `pictures.contents` with hashes of the bytes of local files that may be equal."""
    import pyarrow.compute as pc  # noqa: PLC0415

    local = np.flatnonzero(pc.starts_with(pictures.uris, LOCAL))
    looks = np.stack([pictures.sizes[local], pictures.hashes[local].view(np.int64)], axis=1)
    _, which, counts = np.unique(looks, axis=0, return_inverse=True, return_counts=True)
    contents = pictures.contents.copy()
    for index in local[counts[which.ravel()] > 1].tolist():
        try:
            data = fetch(ImageRef(pictures.uris[index].as_py()))
        except (PictureError, SeefoodError, OSError):  # gone or changed: it cannot be said
            continue
        contents[index] = hash(hashlib.sha256(data).digest())
    return contents


def _equal_pairs(contents: "Indices") -> "tuple[Indices, Indices]":
    _, first, inverse = np.unique(contents, return_index=True, return_inverse=True)
    others = np.flatnonzero(first[inverse] != np.arange(contents.size))
    return first[inverse[others]], others


def _join_near(
    pictures: Pictures, vectors: "StoredVectors | None", distance: int, components: Components
) -> None:
    """Join the pictures that look alike."""
    hashed = np.flatnonzero(pictures.is_hashed)
    pairs = find_hash_pairs(pictures.hashes[hashed], distance)
    first, second = hashed[pairs[0]], hashed[pairs[1]]
    if vectors is None:
        components.join(first, second)
        return
    places = find_vectors(pictures, vectors)
    similarity = Similarity.of(vectors)
    known = (places[first] >= 0) & (places[second] >= 0)
    kept = ~known
    cosines = similarity.cosines(places[first[known]], places[second[known]])
    kept[known] = cosines >= WEAK_COSINE
    components.join(first[kept], second[kept])
    owners = np.full(len(vectors), -1)
    owners[places[places >= 0]] = np.flatnonzero(places >= 0)

    def wanted(one: "Indices", two: "Indices") -> "NDArray[np.bool_]":
        one, two = owners[one], owners[two]
        bits = np.bitwise_count(pictures.hashes[one] ^ pictures.hashes[two])
        may_be = (one >= 0) & (two >= 0) & (bits <= MAX_CONFIRMED)
        may_be &= pictures.is_hashed[one] & pictures.is_hashed[two]
        return np.asarray(may_be & components.are_apart(one, two))

    for one, two in find_feature_pairs(similarity, LEAST_COSINE, wanted):
        components.join(owners[one], owners[two])


def _group(pictures: Pictures, members: "Indices") -> Group:
    uris = {index: pictures.uris[index].as_py() for index in members.tolist()}

    def rank(index: int) -> tuple[int, int, int, str]:
        pixels, size = int(pictures.pixels[index]), int(pictures.sizes[index])
        return -pixels, -size, int(pictures.taken[index]), uris[index]

    best, *others = sorted(members.tolist(), key=rank)
    kinds: dict[int, Kind] = {
        index: "equal" if pictures.contents[index] == pictures.contents[best] else "near"
        for index in others
    }
    labels = {int(label) for label in pictures.labels[members]} - {-1}
    return Group(
        members=(
            Member(best, uris[best], "equal", 0),
            *(Member(at, uris[at], kinds[at], _distance(pictures, best, at)) for at in others),
        ),
        bytes_saved=int(pictures.sizes[members].sum() - pictures.sizes[best]),
        labels=tuple(sorted(pictures.names[label] for label in labels)),
        is_leak=np.unique(pictures.side[members]).size > 1,
    )


def _distance(pictures: Pictures, one: int, two: int) -> int | None:
    if not (pictures.is_hashed[one] and pictures.is_hashed[two]):
        return None
    return int(np.bitwise_count(pictures.hashes[one] ^ pictures.hashes[two]))


def summary(groups: Sequence[Group]) -> dict[str, int]:
    """Return the numbers of groups, copies, bytes, label conflicts and leaks."""
    return {
        "groups": len(groups),
        "copies": sum(len(group.members) - 1 for group in groups),
        "bytes_saved": sum(group.bytes_saved for group in groups),
        "straddling": sum(len(group.labels) > 1 for group in groups),
        "leaks": sum(group.is_leak for group in groups),
    }
