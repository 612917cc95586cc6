"""Which photos train, validate and test: copies are on one side, and what is odd is told."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seefood.imaging.decode import ResizeRule
from seefood_training.data import decode_photos, read_photo_set
from seefood_training.partition import Partition, partition

RULE = ResizeRule(32, 32)


def _photo(file: Path, seed: int, side: int = 64) -> None:
    """Write coarse noise, different for each seed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((side, side), Image.Resampling.NEAREST).save(file)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with ten training photos in each of two classes."""
    for label, start in (("apple", 0), ("pear", 100)):
        for seed in range(start, start + 10):
            _photo(tmp_path / "train" / label / f"{seed}.png", seed)
    return tmp_path


def _partition(data: Path) -> Partition:
    photo_set = read_photo_set(str(data))
    photos = decode_photos(photo_set.train, ResizeRule(40, 40), fingerprints=True)
    return partition(photo_set, photos, RULE, 0.2, 0)


def test_a_share_is_held_out(data: Path) -> None:
    """Without photos to validate with, a share of each class is held out of the training photos."""
    parts = _partition(data)

    assert (16, 4) == (parts.training.sum(), len(parts.validation.photos))
    assert (32, 32) == parts.validation.pixels.shape[1:3]
    assert parts.test is None
    assert 20 == len(parts.known.sha256)
    assert () == parts.notes


def test_given_validation_photos_are_used_without_copies(data: Path) -> None:
    """All training photos train; validation photos that are copies of them are left out, told."""
    for label, seed in (("apple", 50), ("pear", 150)):
        _photo(data / "val" / label / f"{seed}.png", seed)
    _photo(data / "val" / "apple" / "copy.png", 3, side=96)
    parts = _partition(data)

    assert 20 == parts.training.sum()
    assert ["50.png", "150.png"] == [photo.name for photo in parts.validation.photos]
    assert "1 of 3 photos is a copy of photos" in parts.notes[0]


def test_validation_photos_that_are_all_copies(data: Path) -> None:
    """If a class has no other validation photo, a share is held out instead, and that is told."""
    for label, seed in (("apple", 1), ("pear", 150)):
        _photo(data / "val" / label / f"{seed}.png", seed)
    parts = _partition(data)

    assert (16, 4) == (parts.training.sum(), len(parts.validation.photos))
    assert "none of the class 'apple' is left" in parts.notes[0]


def test_copies_among_test_photos_are_counted(data: Path) -> None:
    """Test photos that are copies stay in the test set; each is known as equal or near."""
    _photo(data / "test" / "apple" / "1.png", 1)
    _photo(data / "test" / "apple" / "2.png", 2, side=96)
    _photo(data / "test" / "pear" / "3.png", 199)
    parts = _partition(data)

    assert parts.test is not None
    assert 3 == len(parts.test.photos)
    assert ("equal", "near", None) == parts.test_copies
    assert "2 of 3 photos are copies" in parts.notes[0]


def test_one_photo_with_two_labels(data: Path) -> None:
    """A photo in two classes is told with both files and classes."""
    _photo(data / "train" / "pear" / "again.png", 4)

    assert "1 photos are copies of photos of another class" in _partition(data).notes[0]
    assert "4.png (apple)" in _partition(data).notes[0]
    assert "again.png (pear)" in _partition(data).notes[0]


@pytest.mark.parametrize(("part", "use"), [("val", "for validation"), ("test", "to test with")])
def test_classes_without_a_photo_in_a_part(data: Path, part: str, use: str) -> None:
    """A class that is not validated or tested is told."""
    _photo(data / part / "apple" / "50.png", 50)

    assert f"none of the photos {use} is of 'pear'" in _partition(data).notes[0]
