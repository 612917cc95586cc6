"""Labelled folders: reading, files that are left out, and folders that are refused."""

from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from seefood.errors import UsageError
from seefood.imaging.decode import ResizeRule
from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood_training.data import decode_photos, read_photo_set

RULE = ResizeRule(16, 16)


def _photo(file: Path, colour: str = "red") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 12), colour).save(file)


def _two_classes(folder: Path, count: int = 2) -> Path:
    for index in range(count):
        _photo(folder / "apple" / f"{index}.png", "red")
        _photo(folder / "pear" / f"{index}.png", "green")
    return folder


def test_one_folder_per_class(tmp_path: Path) -> None:
    """Each folder is a class, in alphabetical order; without `test/` there is no test set."""
    photo_set = read_photo_set(str(_two_classes(tmp_path)))

    assert ("apple", "pear") == photo_set.labels
    assert [0, 0, 1, 1] == [photo.label for photo in photo_set.train]
    assert () == photo_set.test


def test_train_and_test(tmp_path: Path) -> None:
    """If `train/` and `test/` have the classes, the training photos are those of `train/`."""
    _two_classes(tmp_path / "train", 3)
    _two_classes(tmp_path / "test", 1)
    photo_set = read_photo_set(str(tmp_path))

    assert (6, 2) == (len(photo_set.train), len(photo_set.test))
    assert all("/train/" in photo.ref.uri for photo in photo_set.train)


def test_bucket(tmp_path: Path) -> None:
    """A URI of a bucket is read like a folder."""
    root = f"memory://{uuid4().hex}"
    for file in _two_classes(tmp_path).rglob("*.png"):
        key = file.relative_to(tmp_path).as_posix()
        write(parse_location(f"{root}/photos/{key}"), file.read_bytes())
    photo_set = read_photo_set(f"{root}/photos")

    assert ("apple", "pear") == photo_set.labels
    assert (4, 16, 16, 3) == decode_photos(photo_set.train, RULE).pixels.shape


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        pytest.param((), "no class folder", id="no class"),
        pytest.param(("apple",), "only the class 'apple'", id="one class"),
    ],
)
def test_too_few_classes(tmp_path: Path, folders: tuple[str, ...], message: str) -> None:
    """Fewer than two classes are a usage error that lists the classes."""
    for folder in folders:
        _photo(tmp_path / folder / "0.png")

    with pytest.raises(UsageError, match=message):
        read_photo_set(str(tmp_path))


def test_empty_class(tmp_path: Path) -> None:
    """A class folder without files is a usage error with its name."""
    _two_classes(tmp_path)
    (tmp_path / "quince").mkdir()
    (tmp_path / "quince" / ".DS_Store").touch()

    with pytest.raises(UsageError, match="quince is empty"):
        read_photo_set(str(tmp_path))


def test_absent_folder(tmp_path: Path) -> None:
    """A folder that does not exist is a usage error with its name."""
    with pytest.raises(UsageError, match=r"there is no folder .*nowhere"):
        read_photo_set(str(tmp_path / "nowhere"))


def test_class_of_the_test_set_alone(tmp_path: Path) -> None:
    """A class that only `test/` has is a usage error with its name."""
    _two_classes(tmp_path / "train")
    _photo(tmp_path / "test" / "quince" / "0.png")

    with pytest.raises(UsageError, match="'quince'"):
        read_photo_set(str(tmp_path))


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that cannot be decoded is left out and reported; the others keep their order."""
    _two_classes(tmp_path, 8)
    (tmp_path / "apple" / "00notes.jpg").write_text("no picture")
    decoded = decode_photos(read_photo_set(str(tmp_path)).train, RULE)

    assert 16 == len(decoded.photos) == len(decoded.pixels)
    (left_out,) = decoded.unreadable
    assert left_out.uri.endswith("00notes.jpg")
    np.testing.assert_array_equal([255, 0, 0], decoded.pixels[0, 8, 8])


def test_mostly_unreadable(tmp_path: Path) -> None:
    """If more than a tenth cannot be decoded, the set is refused with the first file's name."""
    _two_classes(tmp_path, 2)
    (tmp_path / "apple" / "broken.jpg").write_bytes(b"\xff\xd8\xff")

    with pytest.raises(UsageError, match=r"1 of 5 files cannot be decoded.*broken\.jpg"):
        decode_photos(read_photo_set(str(tmp_path)).train, RULE)
