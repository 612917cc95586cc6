"""Labelled photos in every layout: the class and part of each photo."""

from pathlib import Path
from uuid import uuid4

import pytest

from seefood.storage import write
from seefood.storage.uris import parse_location
from seefood_training.data import read_labelled, read_photo_set
from seefood_training.layouts import LAYOUTS
from tests.training.photo_trees import Files, found, make, photos

FLAT = photos("img/1.jpg", "img/2.jpg", "img/3.JPG")
EXPECTED = {"train": ["apple/1.jpg", "apple/3.JPG", "pear/2.jpg"]}

APPLE, PEAR, THIRD = "img/1.jpg,apple", "img/2.jpg,pear", "img/3.JPG,apple"


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"


TABLES = [
    pytest.param("a.csv", _lines("file_name,label", APPLE, PEAR, THIRD), id="plain"),
    pytest.param("a.csv", _lines("image,label", "1.jpg,apple", "2.jpg,pear", THIRD), id="names"),
    pytest.param(
        "a.csv", _lines("path,class", "/far/img/1.jpg,apple", PEAR, THIRD), id="another folder"
    ),
    pytest.param(
        "a.csv", _lines("filename,class", APPLE, PEAR, THIRD).replace(",", ";"), id="semicolons"
    ),
    pytest.param(
        "a.csv",
        "\ufeffImage ID\tSpecies\r\n1\tapple\r\n2\tpear\r\n3\tapple\r\n",
        id="BOM, tabs, CRLF, names without suffix",
    ),
    pytest.param("a.tsv", _lines("id\tlabel", "1\tapple", "2\tpear", "3\tapple"), id="tsv"),
    pytest.param("a.csv", _lines("photo of,what", APPLE, PEAR, THIRD), id="unknown header"),
    pytest.param("a.csv", _lines(APPLE, PEAR, THIRD), id="no header"),
    pytest.param(
        "a.csv",
        _lines("label,n,file", "apple,1,img\\1.jpg", "pear,2,C:\\x\\2.jpg", "apple,3,IMG\\3.jpg"),
        id="backslashes",
    ),
    pytest.param(
        "a.csv",
        _lines(
            "sep=;", '"image";"label"', '"img/1.jpg";" apple "', "2.jpg;pear", "3.JPG;apple", ""
        ),
        id="Excel",
    ),
    pytest.param("a.csv", _lines("image,label", APPLE, APPLE, PEAR, THIRD), id="a line twice"),
    pytest.param(
        "a.jsonl",
        _lines(
            '{"file_name": "img/1.jpg", "label": "apple", "note": "a\u2028b"}',
            '{"file_name": "img/2.jpg", "label": "pear"}',
            "",
            '{"file_name": "img/3.JPG", "label": "apple"}',
        ),
        id="JSON lines",
    ),
    pytest.param(
        "a.json",
        '[{"file": "img/1.jpg", "class": "apple"}, {"file": "img/2.jpg", "class": "pear"},'
        ' {"file": "img/3.JPG", "class": "apple"}]',
        id="a JSON list",
    ),
    pytest.param(
        "a.json",
        '{"img/1.jpg": "apple", "img/2.jpg": "pear", "img/3.JPG": "apple"}',
        id="a JSON object",
    ),
]


@pytest.mark.parametrize(("name", "text"), TABLES)
@pytest.mark.parametrize("gives_folder", [False, True], ids=["table", "folder"])
def test_tables(tmp_path: Path, name: str, text: str, *, gives_folder: bool) -> None:
    """A table of labels is read in every usual form, whether DATA is the table or its folder."""
    make(tmp_path, {**FLAT, name: text})
    data = tmp_path if gives_folder else tmp_path / name

    assert EXPECTED == found(read_photo_set(str(data)))


FOLDERS = [
    pytest.param(
        photos("a/1.jpg", "b/2.jpg", "readme.txt"),
        {"train": ["a/1.jpg", "b/2.jpg"]},
        id="a folder per class",
    ),
    pytest.param(
        photos("train/a/1.jpg", "train/b/2.jpg", "val/a/3.jpg", "test/b/4.jpg"),
        {"train": ["a/1.jpg", "b/2.jpg"], "validation": ["a/3.jpg"], "test": ["b/4.jpg"]},
        id="train, val, test",
    ),
    pytest.param(
        photos("Training/a/1.jpg", "Training/b/2.jpg", "valid/b/3.jpg"),
        {"train": ["a/1.jpg", "b/2.jpg"], "validation": ["b/3.jpg"]},
        id="Training, valid",
    ),
    pytest.param(
        photos("train/a/1.jpg", "plane/2.jpg"),
        {"train": ["plane/2.jpg", "train/1.jpg"]},
        id="trains and planes",
    ),
    pytest.param(
        {
            **photos("train/1.jpg", "train/2.jpg", "test/3.jpg"),
            "train/metadata.csv": "file_name,label\n1.jpg,a\n2.jpg,b\n",
            "test/metadata.csv": "file_name,label\n3.jpg,a\n",
        },
        {"train": ["a/1.jpg", "b/2.jpg"], "test": ["a/3.jpg"]},
        id="Hugging Face, a table per part",
    ),
    pytest.param(
        {
            **photos("train/1.jpg", "train/2.jpg", "validation/3.jpg"),
            "metadata.jsonl": '{"file_name": "train/1.jpg", "label": 0}\n'
            '{"file_name": "train/2.jpg", "label": 1}\n'
            '{"file_name": "validation/3.jpg", "label": 1}\n',
        },
        {"train": ["0/1.jpg", "1/2.jpg"], "validation": ["1/3.jpg"]},
        id="Hugging Face, one table",
    ),
    pytest.param(
        {
            **photos("train/a/1.jpg", "train/b/2.jpg"),
            "train/metadata.csv": "file_name,text\na/1.jpg,an apple\nb/2.jpg,a pear\n",
        },
        {"train": ["a/1.jpg", "b/2.jpg"]},
        id="Hugging Face, captions",
    ),
    pytest.param(
        {
            **photos("train/11.jpg", "train/12.jpg", "test/13.jpg"),
            "train.csv": "id,breed\n11,a\n12,b\n",
            "sample_submission.csv": "id,breed\n13,\n",
        },
        {"train": ["a/11.jpg", "b/12.jpg"]},
        id="Kaggle, names without suffix",
    ),
    pytest.param(
        {
            **photos("images/1.jpg", "images/2.jpg", "images/3.jpg"),
            "labels.csv": "image,label,split\n1.jpg,a,train\n2.jpg,b,training\n3.jpg,b,valid\n",
        },
        {"train": ["a/1.jpg", "b/2.jpg"], "validation": ["b/3.jpg"]},
        id="a column with the part",
    ),
    pytest.param(
        {
            **photos("a/1.jpg", "b/2.jpg"),
            "boxes.json": '{"images": [], "annotations": []}',
            "captions.csv": "image,caption\na/1.jpg,one\nb/2.jpg,two\n",
        },
        {"train": ["a/1.jpg", "b/2.jpg"]},
        id="folders beside tables of other things",
    ),
]


@pytest.mark.parametrize(("files", "expected"), FOLDERS)
@pytest.mark.parametrize("is_bucket", [False, True], ids=["local", "bucket"])
def test_folders(
    tmp_path: Path, files: Files, expected: dict[str, list[str]], *, is_bucket: bool
) -> None:
    """Classes and parts are those that the folders or their tables state, also in a bucket."""
    data = str(make(tmp_path, files))
    if is_bucket:
        data = f"memory://{uuid4().hex}/photos"
        for name, text in files.items():
            write(parse_location(f"{data}/{name}"), text.encode())

    assert expected == found(read_photo_set(data))


@pytest.mark.parametrize(
    "label",
    [
        "🌭 hot dog",
        "Äpfel & \"Birnen\" 'x'",
        "a/b",
        "two\nlines",
        "=1+1",
        "|<b>",
        "猫",
        "a,b;c",
        "-x",
    ],
)
def test_any_class_name(tmp_path: Path, label: str) -> None:
    """A class may have any name in a table, and in a folder any that folders can have."""
    import csv  # noqa: PLC0415 (only here)

    make(tmp_path / "table", photos("1.jpg", "2.jpg"))
    with (tmp_path / "table" / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("image", "label"), ("1.jpg", label), ("2.jpg", "other")])

    assert {label, "other"} == set(read_photo_set(str(tmp_path / "table")).labels)
    if "/" not in label:
        folder = make(tmp_path / "folders", photos(f"{label}/1.jpg", "other/2.jpg"))
        assert {label, "other"} == set(read_photo_set(str(folder)).labels)


def test_composed_and_decomposed_names_are_one_class(tmp_path: Path) -> None:
    """A file system may spell a name with combining characters; it is the same class."""
    folder = make(tmp_path, photos("train/é/1.jpg", "train/b/2.jpg", "test/e\u0301/3.jpg"))
    photo_set = read_photo_set(str(folder))

    assert ("b", "é") == photo_set.labels
    assert {"train": ["b/2.jpg", "é/1.jpg"], "test": ["é/3.jpg"]} == found(photo_set)


def test_linked_classes(tmp_path: Path) -> None:
    """A linked class folder is read; a link back to a parent is not followed for ever."""
    make(tmp_path / "elsewhere", photos("apples/1.jpg", "apples/more/2.jpg"))
    data = make(tmp_path / "data", photos("pear/3.jpg"))
    (data / "apple").symlink_to(tmp_path / "elsewhere" / "apples")
    (data / "pear" / "back").symlink_to(data)
    (data / "pear" / "deeper").symlink_to(tmp_path / "elsewhere" / "apples" / "more")

    expected = {"train": ["apple/1.jpg", "apple/2.jpg", "pear/3.jpg", "pear/2.jpg"]}
    read = found(read_photo_set(str(data)))
    assert sorted(expected["train"]) == sorted(read["train"])


def test_nested_classes(tmp_path: Path) -> None:
    """Folders inside a class belong to it, with a note; with `nested` they are the classes."""
    data = str(make(tmp_path, photos("animal/dog/1.jpg", "animal/cat/2.jpg", "plant/3.jpg")))
    photo_set = read_photo_set(data)

    assert ("animal", "plant") == photo_set.labels
    assert "`--nested`" in photo_set.notes[0]
    nested = read_photo_set(data, nested=True)
    assert ("animal/cat", "animal/dog", "plant") == nested.labels
    assert () == nested.notes


def test_unlabelled_test_photos_are_told(tmp_path: Path) -> None:
    """Photos of a part that are in no class folder are not used, and a note says so."""
    files = photos("train/a/1.jpg", "train/b/2.jpg", "test/3.jpg", "test/4.jpg")
    photo_set = read_photo_set(str(make(tmp_path, files)))

    assert () == photo_set.test
    assert "not used: 'test/3.jpg', 'test/4.jpg'" in photo_set.notes[0]


def test_lines_that_are_left_out(tmp_path: Path) -> None:
    """Up to one line in ten may give no photo; those are listed with their numbers."""
    files = photos(*(f"{number}.jpg" for number in range(10)))
    lines = [f"{number}.jpg,{'ab'[number % 2]}" for number in range(10)]
    table = "\n".join(["image,label", *lines, "gone.jpg,a"])
    photo_set = read_photo_set(str(make(tmp_path, {**files, "labels.csv": table})))

    assert 10 == len(photo_set.train)
    (left_out,) = photo_set.left_out
    assert ("labels.csv, line 12", "gone.jpg: there is no such file") == (
        left_out.uri,
        left_out.reason,
    )


def test_a_table_names_photos_anywhere(tmp_path: Path) -> None:
    """Absolute paths and URIs name photos outside of the table's folder."""
    elsewhere = make(tmp_path / "elsewhere", photos("1.jpg", "2 é.jpg"))
    second = parse_location(str(elsewhere / "2 é.jpg")).uri
    text = f"image,label\n{elsewhere}/1.jpg,a\n{second},b\ns3://bucket/3.jpg,b\n"
    table = make(tmp_path / "table", {"labels.csv": text}) / "labels.csv"

    assert {"train": ["a/1.jpg", "b/2%20%C3%A9.jpg", "b/3.jpg"]} == found(
        read_photo_set(str(table))
    )


def test_a_folder_of_one_class_can_be_measured(tmp_path: Path) -> None:
    """Fewer than two classes are enough to measure a bundle with."""
    assert ("a",) == read_labelled(str(make(tmp_path, photos("a/1.jpg")))).labels


def test_layouts_have_names() -> None:
    """Every layout has a name of its own."""
    assert len(LAYOUTS) == len({layout.name for layout in LAYOUTS})
