"""The fingerprints of the photos that a bundle was made from, in the bundle.

They show whether photos that a bundle is measured on were used to make it: 16 bytes a photo, from
which no photo can be seen. A bundle without them loads as before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import EXTRA
from seefood_training.fingerprints import NEAR_BITS, Fingerprint, differing_bits

FILE: Final = "training-photos.bin"
_MAGIC: Final = {b"seefood photos 1": False, b"seefood photos 2": True}
"""The first bytes of the file; whether near copies are told apart by their hashes."""
_PHOTO: Final = np.dtype([("sha256", ">u8"), ("hash", ">u8")])

Copy = Literal["equal", "near"]


@dataclass(frozen=True, slots=True)
class TrainingPhotos:
    """What the photos of a bundle are recognised by."""

    sha256: NDArray[np.uint64]
    """The first 8 bytes of each file's SHA-256, ascending, of shape `(n,)`."""
    hashes: NDArray[np.uint64]
    """The difference hash of each, of shape `(n,)`."""
    knows_near: bool = True
    """Whether the hashes tell photos apart. Among drawn digits, for example, they do not."""

    @classmethod
    def of(cls, fingerprints: Sequence[Fingerprint], *, knows_near: bool = True) -> Self:
        """Return what is recognised of photos with these fingerprints, each once."""
        photos = sorted({_digest(it): int(it.hashes[0]) for it in fingerprints}.items())
        table = np.asarray(photos, np.uint64).reshape(-1, 2)
        return cls(table[:, 0], table[:, 1], knows_near)

    def encode(self) -> bytes:
        """Return the content of the bundle's file; the same for the same photos in any order."""
        magic = next(key for key, value in _MAGIC.items() if value == self.knows_near)
        table = np.empty(len(self.sha256), _PHOTO)
        table["sha256"], table["hash"] = self.sha256, self.hashes
        return magic + table.tobytes()

    def find(self, fingerprints: Sequence[Fingerprint]) -> list[Copy | None]:
        """Return for each photo whether it is a copy of one of these photos."""
        known = set(self.sha256.tolist())
        return [
            "equal" if _digest(it) in known else "near" if self._is_near(it) else None
            for it in fingerprints
        ]

    def _is_near(self, fingerprint: Fingerprint) -> bool:
        return self.knows_near and any(
            bool((differing_bits(self.hashes, view) <= NEAR_BITS).any())
            for view in fingerprint.hashes
        )


def describe_copies(copies: Sequence[Copy | None]) -> str:
    """Return `3 of 20 photos are copies of training photos (2 equal files, 1 nearly equal)`."""
    equal, near = copies.count("equal"), copies.count("near")
    verb = "is a copy" if equal + near == 1 else "are copies"
    kinds = [
        f"{count:,} {kind}" for count, kind in ((equal, "equal"), (near, "nearly equal")) if count
    ]
    return (
        f"{equal + near:,} of {len(copies):,} photos {verb} of photos that the model was made from "
        f"({', '.join(kinds)})"
    )


def copy_figures(copies: Sequence[Copy | None], right: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how many photos are copies, and how many of the others are right, as JSON values.

    `right` says of each photo whether its label is, of shape `(n,)`.
    """
    other = np.asarray([copy is None for copy in copies], bool)
    return {
        "equal": copies.count("equal"),
        "near": copies.count("near"),
        "others": int(other.sum()),
        "others_right": int((other & right).sum()),
    }


def seen_by(bundle: Path | None, fingerprints: Sequence[Fingerprint]) -> tuple[str, ...]:
    """Return a sentence if the bundle in the folder was made from some of the photos, or none.

    None too if that is not known, or there is no bundle.
    """
    known = None if bundle is None else read_training_photos(bundle)
    copies = [] if known is None else known.find(fingerprints)
    if bundle is None or not any(copies):
        return ()
    sentence = (
        f"{describe_copies(copies)}: {bundle.name} is surer of them than of new photos; give "
        "photos that it was not made from"
    )
    return (sentence,)


def _digest(fingerprint: Fingerprint) -> int:
    return int(fingerprint.sha256[:16], 16)


def read_training_photos(bundle: Path) -> TrainingPhotos | None:
    """Return the photos that the bundle in the folder `bundle` was made from; None if unknown."""
    file = bundle / EXTRA / FILE
    if not file.is_file():
        return None
    data = file.read_bytes()
    knows_near = _MAGIC.get(data[:16])
    if knows_near is None or (len(data) - 16) % _PHOTO.itemsize:
        return None
    table = np.frombuffer(data, _PHOTO, offset=16)
    sha256, hashes = (table[name].astype(np.uint64) for name in ("sha256", "hash"))
    return TrainingPhotos(sha256, hashes, knows_near)
