"""Which photos a bundle is measured on, and what its engines predict for them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import Bundle
from seefood.engines.base import Engine
from seefood.engines.loading import load_engine
from seefood.errors import PictureError, UsageError
from seefood.imaging.decode import ResizeRule, decode
from seefood.storage import fetch
from seefood_training.data import Photo, decode_photos, read_labelled
from seefood_training.fingerprints import Fingerprint, fingerprint
from seefood_training.training_photos import Copy, TrainingPhotos

Floats = NDArray[np.floating]

_THREADS: Final = 2
_CHUNK: Final = 64


@dataclass(frozen=True, slots=True)
class Predictions:
    """The outputs of one or two engines for the photos that could be decoded."""

    photos: tuple[Photo, ...]
    probabilities: Mapping[str, Floats]
    """By the engine's name, float32 of shape `(n, classes)`, in the order of `photos`."""
    failed: tuple[tuple[str, str], ...] = field(default=())
    """URI and reason of each photo that could not be decoded."""
    copies: tuple[Copy | None, ...] | None = None
    """Of each photo, whether it is a copy of one that the bundle was made from; None if that is
    not known."""

    @property
    def truth(self) -> NDArray[np.int64]:
        """Each photo's class in the bundle's order, of shape `(n,)`."""
        return np.asarray([photo.label for photo in self.photos], np.int64)


def labelled_photos(
    data: str | None,
    labels: Sequence[str],
    *,
    nested: bool = False,
    corrections: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Photo, ...]:
    """Return the photos of `data` with their classes as indices into the bundle's `labels`.

    `corrections` is an output whose corrections count, alone if there is no `data`. `tell` gets a
    sentence about each thing that is not used, or that is read in an unusual way.

    If `data` has photos to test with, only those; otherwise those to validate with, if there are
    any. Raises `UsageError` for a class that the bundle does not have.
    """
    photo_set = read_labelled(data, nested=nested, corrections=corrections, to_measure=True)
    if unknown := sorted(set(photo_set.labels) - set(labels)):
        shown = ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")
        raise UsageError(
            f"{data or corrections} has the class {unknown[0]!r}, which is none of the bundle's "
            f"labels ({shown}); correct that label, or give the bundle that has it"
        )
    for sentence in photo_set.told:
        tell(sentence)
    index = [labels.index(label) for label in photo_set.labels]
    photos = photo_set.test or photo_set.validation or photo_set.train
    return tuple(Photo(photo.ref, index[photo.label]) for photo in photos)


def without_copies(
    photos: Sequence[Photo], known: TrainingPhotos | None, rule: ResizeRule
) -> tuple[Photo, ...]:
    """Return `photos` without copies of `known`, those that a bundle was made from, if known."""
    if known is None:
        return tuple(photos)
    decoded = decode_photos(photos, rule, fingerprints=True)
    pairs = zip(decoded.photos, known.find(decoded.fingerprints), strict=True)
    return tuple(photo for photo, copy in pairs if copy is None)


def choose_engines(bundle: Bundle, wanted: str) -> tuple[list[Engine], str]:
    """Return the engine to measure and, if there is one, another to compare it with.

    The text is the reason why there is no other. Raises as `load_engine` does.
    """
    first = load_engine(bundle, wanted)
    other = "tensorflow" if first.name == "litert" else "litert"
    if other == "tensorflow" and find_spec("tensorflow") is None:
        return [first], "TensorFlow is not installed"
    if not (bundle.has_litert if other == "litert" else bundle.has_saved_model):
        return [first], f"the bundle has no graph for {other}"
    return [first, load_engine(bundle, other)], ""


def classify_photos(
    photos: Sequence[Photo],
    engines: Sequence[Engine],
    rule: ResizeRule,
    observe: Callable[[int], None] = lambda _: None,
    known: TrainingPhotos | None = None,
) -> Predictions:
    """Return what `engines` predict; `observe` is called with the number of photos done.

    `known` are the photos that the bundle was made from: copies of them are recognised. Raises
    `UsageError` if no photo can be decoded.
    """
    prints: list[Fingerprint] = []
    read = partial(_decoded, rule=rule, with_fingerprint=known is not None)
    kept: list[Photo] = []
    failed: list[tuple[str, str]] = []
    parts: dict[str, list[Floats]] = {engine.name: [] for engine in engines}
    done = 0
    with ThreadPoolExecutor(_THREADS) as threads:
        for chunk in _chunks(photos):
            images = []
            for photo, result in zip(chunk, threads.map(read, chunk), strict=True):
                if isinstance(result, str):
                    failed.append((photo.ref.uri, result))
                else:
                    kept.append(photo)
                    images.append(result[0])
                    prints += [result[1]] if result[1] else []
            for engine in engines if images else ():
                batches = np.array_split(np.stack(images), min(_THREADS, len(images)))
                parts[engine.name].extend(threads.map(engine.predict, batches))
            done += len(chunk)
            observe(done)
    if not kept:
        uri, reason = failed[0]
        raise UsageError(
            f"none of the {len(photos)} files can be decoded, the first is {uri} ({reason}); give "
            "a folder of photos"
        )
    probabilities = {name: np.concatenate(each) for name, each in parts.items()}
    copies = None if known is None else tuple(known.find(prints))
    return Predictions(tuple(kept), probabilities, tuple(failed), copies)


def _chunks(photos: Sequence[Photo]) -> Iterator[Sequence[Photo]]:
    for start in range(0, len(photos), _CHUNK):
        yield photos[start : start + _CHUNK]


def _decoded(
    photo: Photo, *, rule: ResizeRule, with_fingerprint: bool
) -> tuple[NDArray[np.uint8], Fingerprint | None] | str:
    try:
        data = fetch(photo.ref)
        return decode(data, rule).pixels, fingerprint(data) if with_fingerprint else None
    except PictureError as error:
        return f"{error.code}: {error}"
