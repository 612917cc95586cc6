"""What a bundle is told of its training photos, and which pictures it rejects."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from PIL import Image

from seefood.bundle import load_bundle, remove_variants
from seefood.classification import ClassifyOptions, classify_images, load_classifier
from seefood.drift.measures import MEASURES
from seefood.errors import UsageError
from seefood.records import ImageRef, Status
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood_training.data import Photo
from seefood_training.reference import Known, add_reference
from tests.pictures import encoded, noise


def _blots(seed: int) -> Iterator[bytes]:
    """Yield pictures of one kind: coarse random colors."""
    for at in count(seed):
        coarse = noise(6, 6, seed=at).repeat(12, 0).repeat(12, 1)
        yield encoded(Image.fromarray(coarse), "PNG")


def test_few_photos_reject_few_pictures_of_their_kind(
    bundle_path: Path, tmp_path: Path, memory: str
) -> None:
    """Photos are closer to a space that was fitted to them than any others: they are no measure."""
    bundle = load_bundle(Path(shutil.copytree(bundle_path, tmp_path / "bundle")))
    with pytest.raises(UsageError, match="remove them with --drop-variants"):
        add_reference(bundle, Known(("hotdog",), ()), 0.05)
    bundle = remove_variants(bundle)
    photos = []
    for number, data in zip(range(60), _blots(1), strict=False):
        write(parse_location(f"{memory}/{number}.png"), data)
        photos.append(Photo(ImageRef(f"{memory}/{number}.png"), 0))
    known = Known(("hotdog",), photos)
    with pytest.raises(UsageError, match="photos are too few for a share"):
        add_reference(bundle, Known(("hotdog",), photos[:3]), 0.05)
    told = add_reference(bundle, known, 0.05)
    assert bundle.digest != told.digest
    assert told.reference is not None
    counts = told.reference.fingerprint.numbers["novelty"]
    familiar = sum(counts[: MEASURES["novelty"].edges.index(1.0) + 1])
    assert (59, 60) == (familiar, sum(counts))
    engine, model = load_classifier(told, "auto", ClassifyOptions())
    fresh = [(ImageRef(str(n)), data) for n, data in zip(range(40), _blots(1000), strict=False)]
    rows = classify_images(fresh, engine, model)
    assert told.spec.rejection is not None
    rejected = [row for row in rows if (row.novelty or 0) > told.spec.rejection.above]
    assert len(rejected) <= 8
    assert {Status.UNSURE} >= {row.status for row in rejected}
