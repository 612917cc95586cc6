from pathlib import Path

import pytest

from seefood.corrections import Correction, CorrectionLog
from seefood.errors import UsageError
from seefood.imaging.decode import ResizeRule
from seefood.records import utc_now
from seefood.storage.uris import parse_location
from seefood_training.data import decode_photos, read_labelled, read_photo_set
from seefood_training.predictions import labelled_photos
from tests.fakes import put_all
from tests.pictures import jpeg


def _correct(root: str, said: dict[str, str]) -> dict[str, str]:
    """Write corrections of new pictures, label by key; return their URIs."""
    refs = put_all(root, {key: jpeg((40 * at, 0, 0)) for at, key in enumerate(said)})
    log = CorrectionLog(parse_location(f"{root}/out"))
    uris = {}
    for ref in refs:
        key = ref.uri.removeprefix(f"{root}/")
        uris[key] = ref.uri
        log.append([Correction(ref.uri, ref.etag, said[key], "x", None, "ada", utc_now())])
    return uris


def test_corrected_pictures_are_photos_of_their_labels(memory: str) -> None:
    """They are read from where they lie, with the label that a person gave."""
    _correct(memory, {"a.jpg": "red", "b.jpg": "green", "c.jpg": "red"})
    photo_set = read_labelled(None, corrections=f"{memory}/out")
    assert ("green", "red") == photo_set.labels
    assert ["b.jpg", "a.jpg", "c.jpg"] == [photo.name for photo in photo_set.train]
    decoded = decode_photos(photo_set.train, ResizeRule(8, 8))
    assert 3 == len(decoded.photos)


def test_a_person_counts_more_than_a_folder(tmp_path: Path, memory: str) -> None:
    """A photo in the wrong folder takes the label of its correction; others are added."""
    for name in ("red/1.jpg", "red/2.jpg", "green/3.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jpeg())
    _correct(memory, {"a.jpg": "green"})
    wrong = next(
        photo.ref
        for photo in read_photo_set(str(tmp_path)).train
        if photo.ref.uri.endswith("2.jpg")
    )
    log = CorrectionLog(parse_location(f"{memory}/out"))
    log.append([Correction(wrong.uri, wrong.etag, "green", "red", None, "ada", utc_now())])
    photo_set = read_photo_set(str(tmp_path), corrections=f"{memory}/out")
    found = {photo.name: photo_set.labels[photo.label] for photo in photo_set.train}
    assert {"1.jpg": "red", "2.jpg": "green", "3.jpg": "green", "a.jpg": "green"} == found
    assert "1 pictures are added" in photo_set.notes[-1]
    assert "1 labels of photos are changed" in photo_set.notes[-1]


@pytest.mark.parametrize("part", ["test", "val"])
def test_corrections_are_learned_from_and_measured_on(
    tmp_path: Path, memory: str, part: str
) -> None:
    """Training learns from them; measuring uses them beside the photos that are for it."""
    for name in ("train/red/1.jpg", "train/green/2.jpg", f"{part}/red/3.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(jpeg())
    _correct(memory, {"a.jpg": "green"})
    learned = read_photo_set(str(tmp_path), corrections=f"{memory}/out").train
    assert ["2.jpg", "a.jpg", "1.jpg"] == [photo.name for photo in learned]
    labels = ("green", "red")
    measured = labelled_photos(str(tmp_path), labels, corrections=f"{memory}/out")
    assert ["a.jpg", "3.jpg"] == [photo.name for photo in measured]


def test_an_output_without_corrections_is_refused(memory: str) -> None:
    """The message says how to make some; so does one without anything."""
    with pytest.raises(UsageError, match=r"there are no corrections below .*seefood review"):
        read_labelled(None, corrections=memory)
    with pytest.raises(UsageError, match="neither labelled photos nor corrections"):
        read_labelled(None)
