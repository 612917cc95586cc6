"""Labelled photos in a bucket: keys that a folder on a disk cannot have."""

import pytest

from seefood.errors import UsageError
from seefood_training.data import read_photo_set
from tests.conftest import Bucket
from tests.training.photo_trees import found

PLAIN = ["d/apple/1.jpg", "d/pear/2.jpg"]
EXPECTED = ["apple/1.jpg", "pear/2.jpg"]
READ = [
    pytest.param(["d/apple//1.jpg", "d/pear/2.jpg"], EXPECTED, "", id="// in a class"),
    pytest.param(["d//apple/1.jpg", "d//pear/2.jpg"], EXPECTED, "", id="// before the classes"),
    pytest.param([*PLAIN, "d/", "d/apple/"], EXPECTED, "", id="folder markers"),
    pytest.param(
        [*PLAIN, "d/apple//1.jpg"], EXPECTED, "number of slashes are not read: 'apple", id="twice"
    ),
    pytest.param(
        [*PLAIN, "d/apple/.3.jpg"], EXPECTED, "are hidden and not read: 'apple/.3.jpg'", id="dot"
    ),
    pytest.param(
        [*PLAIN, "d/pear /3.jpg"],
        ["apple/1.jpg", "pear/3.jpg", "pear/2.jpg"],
        "'pear ' and 'pear' are one class",
        id="blank after a name",
    ),
    pytest.param(
        ["d/a+b %2F#?/1.jpg", "d/\U0001f32d\u2028'\"/2.jpg"],
        ["a+b %2F#?/1.jpg", "\U0001f32d\u2028'\"/2.jpg"],
        "",
        id="any character",
    ),
]


@pytest.mark.parametrize(("keys", "expected", "told"), READ)
def test_keys(s3: Bucket, keys: list[str], expected: list[str], told: str) -> None:
    """Every object is a photo of its class, or a sentence says why it is not."""
    s3.put_many({key: b"" if key.endswith("/") else b"photo" for key in keys})
    photo_set = read_photo_set(f"{s3.uri}/d")

    assert {"train": expected} == found(photo_set)
    assert told in "".join(photo_set.told)
    assert bool(told) == bool(photo_set.told)


REFUSED = [
    pytest.param(["d/.a/1.jpg", "d/.b/2.jpg"], r"not read: '\.a', '\.b'", id="all hidden"),
    pytest.param(
        ["d/pear/1.jpg", "d/pear /2.jpg"],
        r"only the class 'pear'.*'pear ' and 'pear' are one class",
        id="one class in two folders",
    ),
]


@pytest.mark.parametrize(("keys", "message"), REFUSED)
def test_refused(s3: Bucket, keys: list[str], message: str) -> None:
    """Where too little is left, the error says which keys are not read."""
    s3.put_many({key: b"" if key.endswith("/") else b"photo" for key in keys})

    with pytest.raises(UsageError, match=message):
        read_photo_set(f"{s3.uri}/d")


@pytest.mark.parametrize("folder", ["d/", ""], ids=["a prefix", "the bucket"])
def test_a_table_names_hidden_photos(s3: Bucket, folder: str) -> None:
    """A table may name photos whose names hide them from a listing."""
    text = b"file_name,label\n.a/1.jpg,apple\npear//2.jpg,pear\n"
    objects = {".a/1.jpg": b"photo", "pear//2.jpg": b"photo", "labels.csv": text}
    s3.put_many({f"{folder}{name}": data for name, data in objects.items()})

    assert {"train": EXPECTED} == found(read_photo_set(f"{s3.uri}/{folder}"))
    assert {"train": EXPECTED} == found(read_photo_set(f"{s3.uri}/{folder}labels.csv"))
