"""Recognises copies of a photo: by its bytes, and by a hash of what it shows.

The hash depends on the file alone and not on a network's input, so it can be compared between data
sets and years. It is an 8 x 8 difference hash in eight orientations (mirrored or not, rotated by
multiples of 90 degrees).
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seefood.imaging.decode import DEFAULT_LIMITS, Pixels, ResizeRule, decode

NEAR_BITS: Final = 4
"""Hashes that differ in at most so many of 64 bits are of nearly equal photos."""
_ALIKE: Final = 0.95
"""Correlation of two thumbnails. Recompressed, resized or mirrored photos had at least 0.99, of a
set of digits 95 % of the pairs with near hashes less than 0.97."""
_HALF: Final = 32
_RULE: Final = ResizeRule(64, 64)
Hashes = NDArray[np.uint64]
Thumbnail = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What copies of a photo are recognised by."""

    sha256: str
    """Of the file's bytes, hexadecimal."""
    hashes: Hashes
    """Difference hashes in 8 orientations, of shape `(8,)`, the original first."""
    thumbnail: Thumbnail
    """Grey, of shape `(32, 32)`."""


def fingerprint(data: bytes) -> Fingerprint:
    """Return the fingerprint of a photo's file. Raises `PictureError` as `decode` does."""
    thumbnail = grey_thumbnail(decode(data, _RULE, DEFAULT_LIMITS, exact=True).pixels)
    return Fingerprint(hashlib.sha256(data).hexdigest(), _hashes(thumbnail), thumbnail)


def grey_thumbnail(image: Pixels) -> Thumbnail:
    """Return a picture of shape `(h, w, 3)` in grey, of shape `(32, 32)`."""
    grey = Image.fromarray(image).convert("L").resize((_HALF, _HALF), Image.Resampling.BOX)
    return np.asarray(grey)


def difference_hashes(image: Pixels) -> Hashes:
    """Return the hashes of a picture of shape `(h, w, 3)` in 8 orientations, the original first.

    A bit is set where a pixel of the 9 x 8 grey thumbnail is darker than its right neighbour.
    """
    return _hashes(grey_thumbnail(image))


def orientations(square: Thumbnail) -> list[Thumbnail]:
    """Return a square picture in 8 orientations, the original first."""
    return [
        np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)
        for turn in range(4)
        for turned in (np.rot90(square, turn),)
        for mirrored in (False, True)
    ]


def look_alike(one: Thumbnail, other: Thumbnail) -> bool:
    """Whether two thumbnails are of nearly equal photos, in any orientation."""
    return max(_correlation(one, view) for view in orientations(other)) >= _ALIKE


def _correlation(one: Thumbnail, other: Thumbnail) -> float:
    first, second = (it.astype(np.float64) - it.mean() for it in (one, other))
    norm = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float((first * second).sum()) / norm if norm else float(not (first - second).any())


def _hashes(square: Thumbnail) -> Hashes:
    hashes = np.empty(8, np.uint64)
    for index, view in enumerate(orientations(square)):
        small = np.asarray(Image.fromarray(view).resize((9, 8), Image.Resampling.BOX))
        bits = np.packbits(small[:, 1:] > small[:, :-1])
        hashes[index] = bits.view(np.uint64)[0]
    return hashes


def differing_bits(one: Hashes, other: "Hashes | np.uint64") -> NDArray[np.int64]:
    """Return in how many bits the hashes of `one`, of shape `(n,)`, differ from `other`."""
    values = np.ascontiguousarray(one ^ other)
    bits = np.unpackbits(values.view(np.uint8).reshape(len(values), 8), axis=1)
    return np.asarray(bits.sum(axis=1), np.int64)
