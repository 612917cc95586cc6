"""The photos that a training run measures faster variants on."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

from seefood.records import ImageRef
from seefood_training.data import DecodedPhotos, Photo, PhotoSet
from seefood_training.partition import Partition
from seefood_training.request_checks import check_photos
from seefood_training.run_release import photos_to_describe, variant_data
from seefood_training.run_types import Inputs, Request
from seefood_training.training_photos import Copy, TrainingPhotos


def _photos(part: str, count: int) -> tuple[Photo, ...]:
    return tuple(Photo(ImageRef(f"file:///{part}/{at}.jpg"), at % 2) for at in range(count))


def _decoded(photos: tuple[Photo, ...]) -> DecodedPhotos:
    pixels = np.zeros((len(photos), 1, 1, 3), np.uint8)
    return DecodedPhotos(photos, pixels, ("",) * len(photos), ())


def _inputs(
    test: tuple[Photo, ...] = (),
    copies: tuple[Copy | None, ...] = (),
    reject: float | None = None,
    count: int = 40,
) -> Inputs:
    """Return `count` photos to train on, of which the first 10 are held out, and `test`."""
    photos = _photos("train", count)
    parts = Partition(
        np.arange(count) >= 10,
        _decoded(photos[:10]),
        _decoded(test) if test else None,
        TrainingPhotos.of((), knows_near=True),
        copies,
        (),
    )
    request = Request("photos", Path("bundle"), reject_unknown=reject)
    photo_set = PhotoSet(("a", "b"), photos, test)
    return Inputs(request, photo_set, _decoded(photos), parts, Path("folder"))


def test_ranges_come_from_other_photos() -> None:
    """No photo that the loss is measured on sets the ranges of the integers."""
    unseen = _photos("train", 10)
    data = variant_data(_inputs(), unseen)
    assert unseen == data.measured
    assert _photos("train", 40)[10:] == tuple(data.calibration)


def test_photos_to_validate_with_that_were_trained_on_measure_nothing() -> None:
    """A mean of runs has seen every photo: only those that no part has seen are measured on."""
    assert () == variant_data(_inputs(), ()).measured


def test_copies_among_test_photos_measure_nothing() -> None:
    """Photos to test with are measured on, except copies of those that were trained on."""
    test = _photos("test", 3)
    data = variant_data(_inputs(test, (None, "near", None)), _photos("train", 10))
    assert (test[0], test[2]) == data.measured
    assert "the test photos" == data.name


@pytest.mark.parametrize(
    ("count", "tested", "reject"), [(40, 0, 1 / 40), (40, 60, 1 / 40), (4_000, 300, 1 / 3_500)]
)
def test_a_share_that_the_photos_can_tell_is_told(count: int, tested: int, reject: float) -> None:
    """What is accepted before training is never refused after it: enough photos are described."""
    inputs = _inputs(_photos("test", tested), (None,) * tested, reject, count)
    check_photos(inputs.request, count)
    training, held_out = photos_to_describe(inputs, _photos("train", 10))
    assert len(held_out or training) >= 1 / reject


def test_many_photos_that_were_not_trained_on_are_described_apart() -> None:
    """They say how long residuals are; no photo is on both sides."""
    training, held_out = photos_to_describe(_inputs(count=500), _photos("train", 200))
    assert (300, 200) == (len(training), len(held_out))
    assert (500, 0) == tuple(map(len, photos_to_describe(_inputs(count=500), _photos("train", 9))))
