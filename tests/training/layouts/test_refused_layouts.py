"""Labelled photos that cannot be read without a guess are refused with the value and a cure."""

from pathlib import Path

import pytest

from seefood.errors import UsageError
from seefood_training.data import read_photo_set
from tests.training.photo_trees import Files, make, photos

REFUSED = [
    pytest.param({}, "no file and no class folder", id="empty"),
    pytest.param(photos("1.jpg", "2.jpg"), "has 2 files and no class folder", id="files only"),
    pytest.param(photos("a/1.jpg"), "only the class 'a'", id="one class"),
    pytest.param(
        {
            **photos("all/1.jpg", "all/2.jpg"),
            "labels.csv": "file,label\nold/1x.jpg,a\nold/2x.jpg,b\n",
        },
        r"labels\.csv in .* has no labels for the photos in all/.*such as all/1\.jpg",
        id="table with wrong paths",
    ),
    pytest.param(
        photos("all/a/1.jpg", "all/b/1.jpg"),
        r"only the class 'all'.*if the classes are the folders inside it, give .*/all",
        id="one folder too high",
    ),
    pytest.param(
        photos("train/1.jpg", "test/2.jpg"),
        r"1 files directly in train/, such as '1\.jpg'",
        id="parts without classes",
    ),
    pytest.param(
        photos("train/a/1.jpg", "train/b/1.jpg", "test/a/2.jpg", "more/3.jpg"),
        "also the folder 'more'",
        id="parts and another folder",
    ),
    pytest.param(
        photos("train/a/1.jpg", "train/b/1.jpg", "val/c/2.jpg"),
        "the class 'c' to test or validate with",
        id="class that is not trained",
    ),
    pytest.param(
        photos("test/a/1.jpg", "test/b/2.jpg"), "no class with a photo to train on", id="test only"
    ),
    pytest.param(
        {**photos("1.jpg"), "labels.csv": "image,label\n1.jpg,a\n1.jpg,b\n"},
        r"'1\.jpg' two labels, 'a' \(line 2\) and 'b' \(line 3\)",
        id="two labels",
    ),
    pytest.param(
        {
            **photos("1.jpg", "2.jpg", "3.jpg"),
            "labels.csv": "image,label\n1.jpg,a\n2.jpg,b\n3.jpg,b; a\n",
        },
        r"labels\.csv gives .*/3\.jpg several labels, 'b; a'.*one label for each photo",
        id="labels in one cell",
    ),
    pytest.param(
        {**photos("1.jpg", "2.jpg"), "labels.csv": "image,label\n1.jpg,a\n2.jpg,b\n3.jpg,b\n"},
        r"1 of 3 lines .*labels\.csv, line 4 \(3\.jpg: there is no such file",
        id="missing file",
    ),
    pytest.param(
        {**photos("x/1.jpg", "y/1.jpg"), "labels.csv": "image,label\nx/1.jpg,a\n1.jpg,b\n"},
        r"1\.jpg: 2 files have this name, such as x/1\.jpg and y/1\.jpg",
        id="a name that two files have",
    ),
    pytest.param(
        {**photos("1.jpg", "2.jpg"), "labels.csv": "image,label\n1.jpg,a\n2.jpg,\n"},
        r"line 3 \(2\.jpg has no label\)",
        id="no label",
    ),
    pytest.param(
        {**photos("1.jpg"), "labels.csv": "image,label\n1.jpg,a,b\n"},
        "line 2 of labels.csv has 3 cells and the first line 2",
        id="too many cells",
    ),
    pytest.param(
        {**photos("1.jpg"), "labels.jsonl": '{"image": "1.jpg", "label": ["a", "b"]}\n'},
        r"line 1 of labels\.jsonl has \['a', 'b'\]",
        id="a list of labels",
    ),
    pytest.param(
        {**photos("1.jpg"), "labels.csv": "image,label,split\n1.jpg,a,train\n1.jpg,a,7\n"},
        "line 3 of labels.csv has '7' in the column 'split'",
        id="unknown part",
    ),
    pytest.param(
        {
            **photos("1.jpg", "2.jpg"),
            "a.csv": "image,label\n1.jpg,a\n2.jpg,b\n",
            "b.csv": "image,label\n1.jpg,b\n",
        },
        r"the tables a\.csv, b\.csv; give the right one",
        id="two tables",
    ),
    pytest.param(
        {**photos("1.jpg"), "labels.jsonl": '{"image": '},
        r"labels\.jsonl cannot be read",
        id="damaged table",
    ),
    pytest.param(
        {**photos("1.jpg", "2.jpg"), "labels.csv": "what,where,n\nap,1.jpg,1\nb,2.jpg,2\n"},
        r"no labels in labels\.csv; name the column of the photos file_name",
        id="unknown columns",
    ),
    pytest.param({"a/1.jpg": "", " /2.jpg": ""}, "a class with an empty name", id="empty name"),
]


@pytest.mark.parametrize(("files", "message"), REFUSED)
def test_refused(tmp_path: Path, files: Files, message: str) -> None:
    """What cannot be read without a guess is a usage error with the value and a cure."""
    with pytest.raises(UsageError, match=message):
        read_photo_set(str(make(tmp_path, files)))


def test_a_name_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """A folder whose name is not UTF-8 cannot be a label of a bundle."""
    make(tmp_path, photos("b/1.jpg", "caf\udce9/1.jpg"))

    with pytest.raises(UsageError, match=r"class 'caf\\udce9', whose name is not UTF-8"):
        read_photo_set(str(tmp_path))


def test_a_broken_link_is_named(tmp_path: Path) -> None:
    """A class folder that is a link to nothing is a usage error with its name."""
    data = make(tmp_path, photos("a/1.jpg", "b/2.jpg"))
    (data / "c").symlink_to(tmp_path / "nothing")

    with pytest.raises(UsageError, match="c is a link to nothing"):
        read_photo_set(str(data))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("photos.zip", b"PK", "is an archive; unpack it", id="archive"),
        pytest.param("photo.jpg", b"\xff\xd8", "is a file; DATA is a folder", id="picture"),
        pytest.param("labels.csv", b"image,label\n\xc4.jpg,a\n", "not UTF-8", id="Latin-1"),
    ],
)
def test_files_that_are_no_data(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """A file that is no table of labels is a usage error that says what DATA is."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(UsageError, match=message):
        read_photo_set(str(tmp_path / name))
