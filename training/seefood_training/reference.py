"""Writes into a bundle what its training pictures are like, for `seefood.drift`."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from seefood.bundle import Bundle, set_knowledge
from seefood.classification import ClassifyOptions, Model, classify_images
from seefood.drift.fingerprint import fingerprint_rows
from seefood.drift.measures import MEASURES
from seefood.drift.novelty import Floats, NoveltySpace, fit_space
from seefood.drift.reference import Answer, reference_of
from seefood.engines.base import Engine
from seefood.engines.loading import gives_features, load_engine
from seefood.errors import PictureError, UsageError
from seefood.records import ImageRef, Row
from seefood.storage import fetch
from seefood.vectors import Features, real
from seefood_training.data import Photo

_BATCH: Final = 16
_THREADS: Final = 2
_MAX_VECTORS: Final = 6000
"""Photos of which the features are kept: 30 MB for 1,280 features."""
MIN_HELD_OUT: Final = 200
"""Photos without which held-out figures are too uncertain to be used."""


@dataclass(frozen=True, slots=True)
class Known:
    """Labelled photos by what the model has seen of them."""

    labels: tuple[str, ...]
    """The names of the photos' classes."""
    training: Sequence[Photo]
    held_out: Sequence[Photo] = ()
    """Not used for training."""
    answers: Sequence[Answer] = ()
    """Of training photos, each by a network that was not trained on it; used where `held_out` has
    too few."""


def add_reference(
    bundle: Bundle,
    known: Known,
    reject_share: float | None = None,
    observe: Callable[[int], None] = lambda _: None,
) -> Bundle:
    """Write what the photos of `known` are like into `bundle.json` and return the bundle.

    The digest stays, unless `reject_share` is given: then pictures that resemble the training
    photos less than all but this share of held-out photos are `unsure`. Raises `UsageError` if that
    is wanted of a bundle without features, of one with faster variants, or of too few photos.
    """
    if reject_share is not None and bundle.variants:
        raise UsageError(
            f"{bundle.path} cannot reject unknown pictures: its faster variants would not; "
            "remove them with --drop-variants"
        )
    has_features = gives_features(bundle)
    engine = load_engine(bundle, features=has_features)
    model = replace(Model.of(bundle), novelty=None, reject_above=None)
    options = ClassifyOptions(top_k=1, features=has_features)
    done = 0

    def rows_of(photos: Sequence[Photo]) -> list[tuple[Row, str]]:
        nonlocal done
        result = []
        for row, photo in _classified(photos, engine, model, options):
            result.append((row, known.labels[photo.label]))
            done += 1
            observe(done)
        return result

    training, held_out = rows_of(known.training), rows_of(known.held_out)
    enough = len(held_out) >= MIN_HELD_OUT
    space, novelty = _space(
        [row for row, _ in training], [row for row, _ in held_out] if enough else []
    )
    answers = [
        Answer(row.label, row.score, truth)
        for row, truth in (held_out if enough else [])
        if row.label is not None and row.score is not None
    ] or known.answers
    edges = MEASURES["novelty"].edges
    bins = np.bincount(np.searchsorted(edges, novelty, side="right"), minlength=len(edges) + 1)
    pictures = fingerprint_rows(row for row, _ in training or held_out)
    reference = reference_of(pictures, tuple(bins.tolist()), answers)
    above = None if reject_share is None else novelty_limit(novelty, reject_share, bundle)
    return set_knowledge(bundle, reference, space, above)


def _classified(
    photos: Sequence[Photo], engine: Engine, model: Model, options: ClassifyOptions
) -> Iterator[tuple[Row, Photo]]:
    def rows(batch: tuple[Photo, ...]) -> list[tuple[Row, Photo]]:
        fetched = [(photo.ref, _fetched(photo.ref)) for photo in batch]
        sized = [
            (replace(ref, size_bytes=len(data)) if isinstance(data, bytes) else ref, data)
            for ref, data in fetched
        ]
        return list(zip(classify_images(sized, engine, model, options), batch, strict=True))

    batches = [tuple(photos[at : at + _BATCH]) for at in range(0, len(photos), _BATCH)]
    with ThreadPoolExecutor(_THREADS) as threads:
        for result in threads.map(rows, batches):
            yield from result


def _fetched(ref: ImageRef) -> bytes | PictureError:
    try:
        return fetch(ref)
    except PictureError as error:
        return error


def _vectors(rows: Sequence[Row]) -> Features | None:
    vectors = [row.vector for row in rows if row.vector is not None]
    if not vectors:
        return None
    step = -(-len(vectors) // _MAX_VECTORS)
    return real(vectors[::step])


def _space(training: Sequence[Row], held_out: Sequence[Row]) -> tuple[NoveltySpace | None, Floats]:
    """Return the space of the training photos, and the novelty of photos it was not fitted to."""
    features = _vectors(training)
    found = None if features is None else space_of(features, _vectors(held_out))
    return found or (None, np.empty(0, np.float32))


def space_of(
    features: Features, held_out: Features | None = None
) -> tuple[NoveltySpace, Floats] | None:
    """Return what `fit_space` returns; `features` may be sorted by class."""
    order = np.random.default_rng(0).permutation(len(features))
    return fit_space(features[order], held_out)


def novelty_limit(novelty: Floats, share: float, bundle: Bundle) -> float:
    """Return the novelty that the `share` of pictures that resemble the others least is above.

    Raises `UsageError` for too few pictures of `bundle`.
    """
    if len(novelty) < 1 / share:
        raise UsageError(
            f"{bundle.path} cannot reject unknown pictures: "
            + (
                f"{len(novelty):,} photos are too few for a share of {share:.1%}; give more photos"
                if bundle.features is not None
                else "it states no features; run `seefood features` on it first"
            )
        )
    return float(np.float32(np.quantile(novelty, 1 - share)))
