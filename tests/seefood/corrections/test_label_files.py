import json
from pathlib import Path

import pytest

from seefood.corrections import By, CorrectionLog
from seefood.corrections.label_files import FinalLabel, label_file, label_file_names
from seefood.corrections.output_labels import common_folder, final_labels, import_labels
from seefood.errors import UsageError
from seefood.results.output_rows import open_rows
from seefood.storage.uris import parse_location
from tests.fakes import failed, make_row
from tests.seefood.corrections.test_correction_log import correct
from tests.seefood.results.test_output_rows import put_part

_LABELS = [
    FinalLabel("s3://b/x/1.jpg", "e1", "=hot, dog", By.PERSON, 0.25, "d"),
    FinalLabel("s3://b/x/ü 2.jpg", "e2", "'a\nb", By.PERSON, None, "d"),
    FinalLabel("s3://b/x/3.jpg", "e3", "a/b", By.PERSON, 0.5, "d"),
]


def test_there_is_a_kind_for_each_name() -> None:
    """The end of a name decides, unless --format does."""
    names = ["l.parquet", "metadata.csv", "l.csv", "l.jsonl", "l.json", "lists/"]
    assert list(label_file_names()) == [label_file(None, name).name for name in names]
    assert "csv" == label_file("csv", "metadata.csv").name
    with pytest.raises(UsageError, match="does not say which kind"):
        label_file(None, "labels.txt")


@pytest.mark.parametrize("name", label_file_names())
def test_what_is_written_reads_back(name: str) -> None:
    """Pictures and labels survive, with every character; relative names are the ends of URIs."""
    kind = label_file(name, "")
    back = list(kind.decode(kind.encode(_LABELS, "s3://b/x/")))
    assert [each.label for each in _LABELS] == [each.label for each in back]
    assert all(old.uri.endswith(new.uri) for old, new in zip(_LABELS, back, strict=True))


def test_label_studio_tells_people_from_models() -> None:
    """Answers of people are annotations, of models predictions; only the former are read."""
    kind = label_file("label-studio", "")
    lines = [
        *_LABELS[:1],
        FinalLabel("s3://b/2", "e", "red", By.MODEL, 0.5, "d"),
        FinalLabel("s3://b/3", "e", None, By.MODEL),
    ]
    files = kind.encode(lines, "")
    tasks = json.loads(files[""])
    assert ["annotations", "predictions", "data"] == [list(task)[-1] for task in tasks]
    assert ["s3://b/x/1.jpg"] == [each.uri for each in kind.decode(files)]
    minimal = [{"image": "a.jpg", "choice": "red", "id": 1}]
    assert [FinalLabel("a.jpg", None, "red")] == list(
        kind.decode({"": json.dumps(minimal).encode()})
    )


def _output(root: Path) -> str:
    rows = [make_row(f"s3://b/x/{n}.jpg") for n in range(5)]
    put_part(str(root), "a", *rows, make_row("s3://b/y/0.jpg"), failed("s3://b/z", "empty", "x"))
    return str(root)


def test_final_labels_of_an_output(tmp_path: Path) -> None:
    """Every picture has one; a failed one has none until a person gives it."""
    output = parse_location(_output(tmp_path))
    log = CorrectionLog(output)
    log.append([correct("s3://b/x/1.jpg"), correct("s3://b/z", "mauve")])
    rows = open_rows(output)
    found = {each.uri: each for each in final_labels(rows, log.corrections)}
    assert 7 == len(found)
    assert ("green", By.PERSON, 0.25) == (
        found["s3://b/x/1.jpg"].label,
        found["s3://b/x/1.jpg"].by,
        found["s3://b/x/1.jpg"].score,
    )
    assert ("mauve", By.PERSON) == (found["s3://b/z"].label, found["s3://b/z"].by)
    assert ("red", By.MODEL) == (found["s3://b/y/0.jpg"].label, found["s3://b/y/0.jpg"].by)
    assert "s3://b/" == common_folder(rows)


def test_labels_of_a_file_become_corrections_once(tmp_path: Path) -> None:
    """Whole URIs and ends of paths are found; a second import adds nothing."""
    rows = open_rows(parse_location(_output(tmp_path)))
    log = CorrectionLog(rows.output)
    lines = [
        FinalLabel("s3://b/x/1.jpg", "e1", "green"),
        FinalLabel("x/2.jpg", None, "red"),
        FinalLabel("s3://b/x/3.jpg", "other", "green"),
        FinalLabel("s3://b/x/4.jpg", "e1", "green", By.MODEL),
        FinalLabel("nowhere.jpg", None, "green"),
    ]
    known = ["red", "green"]
    first = import_labels(rows, log, lines, reviewer="ada", known=known)
    assert {"written": 2, "replaced": 1, "by a model": 1, "absent": 1} == dict(first.counts)
    assert {("s3://b/x/1.jpg", "e1"): "green", ("s3://b/x/2.jpg", "e1"): "red"} == {
        key: each.label for key, each in log.corrections.items()
    }
    again = import_labels(rows, log, lines, reviewer="ada", known=known)
    assert 2 == again.counts["known"]
    assert () == again.written


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (FinalLabel("s3://b/x/1.jpg", None, "blue"), "nobody knows the label 'blue'"),
        (FinalLabel("s3://c/1.jpg", None, "red"), "none of the 1 pictures"),
        (FinalLabel("0.jpg", None, "red"), "the end of several URIs"),
        (FinalLabel("s3://b/x/1.jpg", None, " "), "cannot be a label"),
    ],
)
def test_a_wrong_file_changes_nothing(line: FinalLabel, message: str, tmp_path: Path) -> None:
    """One bad line refuses the whole file."""
    rows = open_rows(parse_location(_output(tmp_path)))
    log = CorrectionLog(rows.output)
    with pytest.raises(UsageError, match=message):
        import_labels(rows, log, [line], reviewer="ada", known=["red"])
    assert not (tmp_path / "corrections").exists()
