"""Parts, tables and names as people write them: what is read, and what is told of the rest."""

from pathlib import Path

import pytest

from seefood.errors import UsageError
from seefood_training.data import read_photo_set
from tests.training.photo_trees import Files, found, make, photos

SPLIT = {
    "train": ["x/1.jpg", "y/2.jpg"],
    "validation": ["x/3.jpg", "y/4.jpg"],
    "test": ["x/5.jpg", "y/6.jpg"],
}


@pytest.mark.parametrize(
    "names",
    [
        ("TRAIN", "VAL", "TEST"),
        ("trainset", "valset", "testset"),
        ("train_set", "val_set", "test_set"),
        ("01_train", "02_val", "03_test"),
        ("train2017", "val2017", "test2017"),
        ("Training Images", "Validation Images", "Test Images"),
        ("seg_train", "seg_val", "seg_test"),
        ("flowersTrain", "flowersDev", "flowersTest"),
        ("train", "validate", "tests"),
        ("entrenamiento", "validación", "prueba"),
        ("Trainingsdaten", "Validierungsdaten", "Testdaten"),
    ],
)
@pytest.mark.parametrize("between", ["", "images/"])
def test_names_of_parts(tmp_path: Path, names: tuple[str, str, str], between: str) -> None:
    """Parts with the same classes inside are parts, whatever words stand beside theirs."""
    number = iter(range(1, 7))
    files = photos(*(f"{it}/{between}{label}/{next(number)}.jpg" for it in names for label in "xy"))

    assert found(read_photo_set(str(make(tmp_path, files)))) == SPLIT


PARTS = [
    pytest.param(
        photos("train/train/x/1.jpg", "train/train/y/2.jpg", "test/test/x/3.jpg"),
        {"train": ["x/1.jpg", "y/2.jpg"], "test": ["x/3.jpg"]},
        id="a part inside its own name",
    ),
    pytest.param(
        photos("x/train/1.jpg", "x/test/2.jpg", "y/train/3.jpg", "y/test/4.jpg"),
        {"train": ["x/1.jpg", "y/3.jpg"], "test": ["x/2.jpg", "y/4.jpg"]},
        id="parts inside classes",
    ),
    pytest.param(
        photos("test tube/a/1.jpg", "train/b/2.jpg"),
        {"train": ["test tube/1.jpg", "train/2.jpg"]},
        id="classes that sound like parts",
    ),
    pytest.param(
        {
            **photos("train/1.jpg", "train/2.jpg", "test/1.jpg", "test/2.jpg"),
            "train.csv": "file,label\n1.jpg,x\n2.jpg,y\n",
            "test.csv": "file,label\n1.jpg,y\n2.jpg,x\n",
        },
        {"train": ["x/1.jpg", "y/2.jpg"], "test": ["x/2.jpg", "y/1.jpg"]},
        id="a table for each part, equal names",
    ),
    pytest.param(
        {
            **photos("train/x/1.jpg", "train/y/2.jpg", "test/3.jpg"),
            "test.csv": "file,label\n3.jpg,y\n",
        },
        {"train": ["x/1.jpg", "y/2.jpg"], "test": ["y/3.jpg"]},
        id="classes to train on, a table to test with",
    ),
    pytest.param(
        {
            **photos("train/1.jpg", "train/2.jpg", "valid/3.jpg"),
            "train/_classes.csv": "filename, cat, dog\n1.jpg, 1, 0\n2.jpg, 0, 1\n",
            "valid/_classes.csv": "filename, cat, dog\n3.jpg, 1, 0\n",
        },
        {"train": ["cat/1.jpg", "dog/2.jpg"], "validation": ["cat/3.jpg"]},
        id="Roboflow: a column for each label",
    ),
    pytest.param(
        {
            **photos("train/1.jpg", "train/2.jpg"),
            "train/metadata.csv": "file_name,fruit\n1.jpg,a\n2.jpg,b\n",
        },
        {"train": ["a/1.jpg", "b/2.jpg"]},
        id="Hugging Face, another name for the label",
    ),
    pytest.param(
        {
            **photos("train/a/1.jpg", "train/b/2.jpg", "test/1.jpg"),
            "train/metadata.csv": "file_name,text\na/1.jpg,one\nb/2.jpg,two\n",
            "test/metadata.csv": "file_name,label\n1.jpg,a\n",
        },
        {"train": ["a/1.jpg", "b/2.jpg"], "test": ["a/1.jpg"]},
        id="Hugging Face, labels in one part alone",
    ),
    pytest.param(
        {
            **photos("images/1.jpg", "images/2.jpg"),
            "annotations/train.csv": "file,label\n1.jpg,x\n2.jpg,y\n",
        },
        {"train": ["x/1.jpg", "y/2.jpg"]},
        id="tables in a folder of their own",
    ),
    pytest.param(
        photos(
            "train/x/1.jpg",
            "train/y/2.jpg",
            "test/x/3.jpg",
            "train/x/._1.jpg",
            "train/x/THUMBS.DB",
            "__MACOSX/train/x/._1.jpg",
            "@eaDir/x/1.jpg",
            "$RECYCLE.BIN/1.jpg",
            "System Volume Information/a",
            ".ipynb_checkpoints/1.jpg",
        ),
        {"train": ["x/1.jpg", "y/2.jpg"], "test": ["x/3.jpg"]},
        id="what systems leave behind",
    ),
]


@pytest.mark.parametrize(("files", "expected"), PARTS)
def test_parts(tmp_path: Path, files: Files, expected: dict[str, list[str]]) -> None:
    """Parts and their labels are those that folders and tables state, each in its own way."""
    assert expected == found(read_photo_set(str(make(tmp_path, files))))


FLAT = photos("img/1.jpg", "img/2.jpg", "img/3.jpg")
BOTH = {"train": ["a/1.jpg", "a/3.jpg", "b/2.jpg"]}
TESTED = {"train": ["a/1.jpg", "b/2.jpg"], "test": ["a/3.jpg"]}
TABLES = [
    pytest.param("l.csv", "# of 2020\nimage,label\n1.jpg,a\n2.jpg,b\n3.jpg,a\n", BOTH, id="#"),
    pytest.param("l.csv", "image,label\r1.jpg,a\r2.jpg,b\r3.jpg,a\r", BOTH, id="CR alone"),
    pytest.param("l.csv", "image,label\n1.jpg,a,\n2.jpg,b,\n3.jpg,a,,\n", BOTH, id="commas"),
    pytest.param(
        "l.csv", ",image,,label,\n0,1.jpg,,a,\n1,2.jpg,,b,\n2,3.jpg,,a,\n", BOTH, id="no names"
    ),
    pytest.param(
        "l.csv",
        "ImageID,ClassName\nimg/1.jpg,a\nimg/2.jpg,b\nimg/3.jpg,a\n",
        BOTH,
        id="camel case",
    ),
    pytest.param(
        "l.csv",
        "image,label\n1.jpg,0.0\n2.jpg,1.0\n3.jpg,0\n",
        {"train": ["0/1.jpg", "0/3.jpg", "1/2.jpg"]},
        id="whole numbers with a point",
    ),
    pytest.param(
        "l.csv", "image,a,b\n1.jpg,1.0,0.0\n2.jpg,0.0,1.0\n3.jpg,1.0,0.0\n", BOTH, id="one-hot"
    ),
    pytest.param(
        "l.csv",
        "image,label,is_test\n1.jpg,a,False\n2.jpg,b,False\n3.jpg,a,True\n",
        TESTED,
        id="a column of yes and no",
    ),
    pytest.param(
        "l.csv",
        "image,emotion,Usage\n1.jpg,a,Training\n2.jpg,b,Training\n3.jpg,a,PublicTest\n",
        TESTED,
        id="words of parts",
    ),
    pytest.param(
        "l.csv", "TRAIN,1.jpg,a\nUNASSIGNED,2.jpg,b\nTEST,3.jpg,a\n", TESTED, id="Vertex AI"
    ),
    pytest.param(
        "l.json",
        '{"image": "1.jpg", "label": "a"}\n{"image": "2.jpg", "label": ["b"]}\n'
        '{"image": "3.jpg", "label": "a"}\n',
        BOTH,
        id="JSON lines called json",
    ),
    pytest.param(
        "l.jsonl",
        '[{"image": "1.jpg", "label": "a"}, {"image": "2.jpg", "label": "b"},\n'
        '{"image": "3.jpg", "label": "a"}]',
        BOTH,
        id="a list called jsonl",
    ),
]


@pytest.mark.parametrize(("name", "text", "expected"), TABLES)
def test_tables(tmp_path: Path, name: str, text: str, expected: dict[str, list[str]]) -> None:
    """Tables are read as people's programs write them."""
    data = make(tmp_path, {**FLAT, name: text})

    assert expected == found(read_photo_set(str(data / name)))


@pytest.mark.parametrize(
    "names",
    [
        ("C:\\d\\cat\\1.jpg", "C:\\d\\dog\\1.jpg"),
        ("/home/x/cat/1.jpg", "/home/x/dog/1.jpg"),
        ("data/cat/1", "data/dog/1"),
    ],
)
def test_equal_names_are_told_apart_by_their_folders(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    """Of files with one name, the one in folders of the names in the table is meant."""
    text = f"image,label\n{names[0]},c\n{names[1]},d\n"
    data = make(tmp_path, {**photos("cat/1.jpg", "cat/1.xml", "dog/1.jpg"), "labels.csv": text})

    assert {"train": ["c/1.jpg", "d/1.jpg"]} == found(read_photo_set(str(data)))


def test_coded_and_decomposed_names(tmp_path: Path) -> None:
    """Names with %20 and with combining characters are found."""
    text = "image,label\na%20b.jpg,x\ne\u0301.jpg,y\n"
    data = make(tmp_path, {**photos("a b.jpg", "é.jpg"), "labels.csv": text})

    assert 2 == len(read_photo_set(str(data)).train)


TWO = photos("x/1.jpg", "x/2.jpg", "y/3.jpg", "y/4.jpg")
TOLD = [
    pytest.param(
        {**TWO, **photos("5.jpg")}, "files in no class folder are not used: '5.jpg'", id="loose"
    ),
    pytest.param(
        {**TWO, "x/1.txt": ""}, "no pictures by their names are not used: 'x/1.txt'", id="text"
    ),
    pytest.param(
        {**TWO, "docs/a.pdf": ""}, "folders without a picture are no classes: 'docs'", id="no class"
    ),
    pytest.param({**TWO, **photos(".NET/1.jpg")}, "hidden and not read: '.NET'; rename", id="dot"),
    pytest.param(
        {**TWO, **photos("x/.5.jpg", "x/.gitkeep", "x/._6.jpg")},
        "hidden and not read: 'x/.5.jpg'; rename",
        id="photo with a dot",
    ),
    pytest.param(
        {**TWO, **photos("cafe\u0301/5.jpg", "caf\u00e9/6.jpg")},
        r"'cafe\u0301' and 'caf\xe9' are one class",
        id="one name in two ways",
    ),
    pytest.param({**TWO, **photos("X/5.jpg")}, "classes 'X' and 'x' differ only in case", id="X"),
    pytest.param(
        {**TWO, "labels.csv": "image,label\nx/1.jpg,a\ny/3.jpg,b\n"},
        "pictures that are not in labels.csv are not used: 'x/2.jpg', 'y/4.jpg'",
        id="not in the table",
    ),
    pytest.param(
        {**photos("cat/1.jpg", "cat/2.jpg"), "labels.csv": "image,label\ndog/1.jpg,d\n2.jpg,c\n"},
        "counts (1, such as 'dog/1.jpg', which is 'cat/1.jpg')",
        id="another folder",
    ),
    pytest.param(
        {**TWO, "labels.csv": "image,label,fold\nx/1.jpg,a,1\ny/3.jpg,b,2\n"},
        "the column 'fold' of labels.csv is not used",
        id="numbers of parts",
    ),
    pytest.param(
        photos("one/a/1.jpg", "one/b/2.jpg", "two/a/1.jpg", "two/b/2.jpg"),
        "'one', 'two' has the same folders inside, 'a', 'b'",
        id="unknown names of parts",
    ),
]


@pytest.mark.parametrize(("files", "sentence"), TOLD)
def test_what_is_not_used_is_told(tmp_path: Path, files: Files, sentence: str) -> None:
    """Nothing is left out, or read in an unusual way, without a sentence."""
    notes = read_photo_set(str(make(tmp_path, files))).notes

    assert any(sentence in note for note in notes), notes


REFUSED = [
    pytest.param(
        {**TWO, "exif.csv": "file,tag\nx/1.jpg,canon\nx/2.jpg,nikon\ny/3.jpg,canon\n"},
        r"folders 'x', 'y', and exif\.csv gives .* 'canon', 'nikon'; give .*/exif\.csv if",
        id="folders or a table",
    ),
    pytest.param(
        photos("train/x/1.jpg", "train/y/2.jpg", "extra/x/3.jpg"),
        "also the folder 'extra'.*if 'train' is a class itself, rename it",
        id="a part and a folder with its classes",
    ),
    pytest.param(
        {**TWO, "labels.csv": "file,label\nx/1.jpg,a\0\n"}, "bytes that are zero", id="zero bytes"
    ),
    pytest.param(
        {**TWO, "labels.csv": "image,label\nx/1.jpg,a\nx/2.jpg,nan\n"}, "has no label", id="nan"
    ),
    pytest.param(
        {**FLAT, "labels.csv": "image,a,b\n1.jpg,1,0\n2.jpg,0,1\n3.jpg,1,1\n"},
        "line 4 of labels.csv has 1 for 'a' and for 'b'",
        id="two labels of one-hot",
    ),
    pytest.param(
        {
            **FLAT,
            "labels.csv": "ImageID,Source,LabelName,Confidence\n1,verification,/m/a,1\n"
            "2,verification,/m/a,0\n",
        },
        "line 3 of labels.csv has 0 in the column 'Confidence'",
        id="Open Images: a label that does not hold",
    ),
]


@pytest.mark.parametrize(("files", "message"), REFUSED)
def test_refused(tmp_path: Path, files: Files, message: str) -> None:
    """What may mean two things is a usage error that says how to decide."""
    with pytest.raises(UsageError, match=message):
        read_photo_set(str(make(tmp_path, files)))
