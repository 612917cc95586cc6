"""Labels files of every usual form are read; what is wrong with one is named."""

from pathlib import Path

import pytest

from seefood.errors import UsageError
from seefood_training.packaging.labels import read_labels


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "has no label"), ("same\nsame\n", "has 'same' twice"), ("a\0", "is not text")],
)
def test_labels_file_names_what_is_wrong(tmp_path: Path, content: str, message: str) -> None:
    """A labels file without labels, or with equal labels, is a usage error."""
    file = tmp_path / "labels.txt"
    file.write_text(content)
    with pytest.raises(UsageError, match=message):
        read_labels(file)


def test_labels_are_trimmed(tmp_path: Path) -> None:
    """Blank lines, spaces at the ends and a byte-order mark are removed."""
    file = tmp_path / "labels.txt"
    file.write_bytes("\ufeffhot dog\r\n\r\nkein Würstchen  \r\n".encode())
    assert read_labels(file) == ("hot dog", "kein Würstchen")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.csv", "name,index\nb c,1\na,0\nd,2\n"),
        ("l.csv", "id,label,description\n0,a,x\n1,b c,y\n2,d,z\n"),
        ("l.csv", "label\na\nb c\nd\n"),
        ("l.csv", '"a"\n"b c"\n"d"\n'),
        ("l.csv", "label,count\na,120\nb c,7\nd,3\n"),
        ("l.csv", "idx;breed\n0;a\n1;b c\n2;d\n"),
        ("l.tsv", "0\ta\n1\tb c\n2\td\n"),
        ("l.txt", "a, b c, d\n"),
        ("l.txt", "0 - a\n1 - b c\n2 - d\n"),
        ("l.txt", "0) a\n1) b c\n2) d\n"),
        ("l.txt", "1. a\n2. b c\n3. d\n"),
        ("l.txt", "['a', 'b c', 'd']"),
        ("l.yaml", "- a\n- b c\n- d\n"),
        ("l.yaml", "names:\n  0: a\n  1: b c\n  2: d\n"),
        ("l.json", '[{"id": 2, "name": "d"}, {"id": 0, "name": "a"}, {"id": 1, "name": "b c"}]'),
        ("l.json", '{"categories": [{"name": "a"}, {"name": "b c"}, {"name": "d"}]}'),
        ("l.yaml", "names: [a, b c, d]\n"),
        ("l.json", '{"label_names": ["a", "b c", "d"]}'),
        ("l.json", '{"d": 2, "a": 0, "b c": 1}'),
    ],
)
def test_forms_of_labels_files(tmp_path: Path, name: str, content: str) -> None:
    """Each is read in the order of the numbers, without these and without headers."""
    file = tmp_path / name
    file.write_text(content)
    assert ("a", "b c", "d") == read_labels(file)
