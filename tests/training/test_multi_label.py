"""Bundles that give a picture several labels: tables of labels, figures, thresholds."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from seefood.bundle import Adapter, Bundle
from seefood.corrections import Correction, CorrectionLog
from seefood.errors import UsageError
from seefood.imaging.resize_rule import ResizeRule
from seefood.records import utc_now
from seefood.storage.uris import parse_location
from tests.pictures import jpeg

pytest.importorskip("scipy", reason="figures need the extra train")
pytest.importorskip("sklearn", reason="figures need the extra train")
pytest.importorskip("seefood.engines.onnxruntime_library", reason="runs the network")
pytest.importorskip("onnx", reason="makes the network")

from seefood_training.commands.evaluate import evaluate_command
from seefood_training.commands.package import package_command
from seefood_training.layouts.label_sets import read_label_sets, with_corrected_sets
from seefood_training.layouts.listing import list_files
from seefood_training.multi_label import calibration_error, choose_thresholds
from seefood_training.sealing import Draft
from tests.onnx_graphs import SIZE, linear_graph, sealed

LABELS = ("red", "green", "blue")
COLOURS = {
    "red.jpg": (220, 20, 20),
    "yellow.jpg": (220, 220, 20),
    "white.jpg": (230, 230, 230),
    "black.jpg": (10, 10, 10),
    "blue.jpg": (20, 20, 220),
}
TRUTH = [[1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0], [0, 0, 1]]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of plain pictures; each label is one of the primary colours."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in COLOURS.items():
        (folder / name).write_bytes(jpeg(colour))
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """Return a bundle that answers with the mean of each channel."""
    source = linear_graph(tmp_path / "model.onnx", np.eye(3, dtype=np.float32))
    adapter = Adapter("float32", "nchw", scale=(1 / 255,), output="scores", activation="none")
    rule = ResizeRule(SIZE, SIZE)
    draft = Draft("colours", LABELS, rule, (0.5,) * 3, multi_label=True, adapter=adapter)
    return sealed(source, tmp_path / "bundle", draft)


def _csv(header: str, rows: list[str]) -> str:
    return "\n".join([header, *(f"{name},{row}" for name, row in zip(COLOURS, rows, strict=True))])


FORMS = {
    "columns.csv": _csv(
        "file_name,green,red,blue", ["0,1,0", "1,1,0", "1,1,1", "0,0,", "no,no,yes"]
    ),
    "names.csv": _csv("file_name,labels", ["red", "red;green", "blue|red|green", "", "blue"]),
    "lists.jsonl": "\n".join(
        json.dumps(
            {"file_name": name, "labels": [la for la, on in zip(LABELS, row, strict=True) if on]}
        )
        for name, row in zip(COLOURS, TRUTH, strict=True)
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_tables_of_labels(name: str, photos: Path) -> None:
    """A column for each label, names in one column, and lists all say the same."""
    (photos / name).write_text(FORMS[name])
    sets = read_label_sets(str(photos / name), LABELS)
    assert list(COLOURS) == [ref.uri.rpartition("/")[2] for ref in sets.photos]
    np.testing.assert_array_equal(np.asarray(TRUTH, bool), sets.truth)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file_name,labels\nred.jpg,purple\n", "line 2 of t.csv has the label 'purple'"),
        ("file_name,red,green\nred.jpg,1,0\n", "has no column 'blue' and none called labels"),
        ("file_name,red,green,blue\nred.jpg,2,0,0\n", "has '2' in the column 'red'; write 1 or 0"),
        ("file_name,labels\nred.jpg,red\nred.jpg,blue\n", "has 'red.jpg' twice"),
        ("file_name,labels\nnone.jpg,green\n", "none of the photos in t.csv exists"),
    ],
    ids=["unknown label", "missing column", "no truth value", "twice", "no photo"],
)
def test_wrong_tables(text: str, message: str, photos: Path) -> None:
    """Each is one sentence with the line and the cure."""
    (photos / "t.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_label_sets(str(photos / "t.csv"), LABELS)


def test_folders_of_classes_are_refused(photos: Path) -> None:
    """They give a photo one label."""
    with pytest.raises(UsageError, match="has no table of labels, and folders give a photo one"):
        read_label_sets(str(photos), LABELS)


def test_evaluate(bundle: Bundle, photos: Path, tmp_path: Path) -> None:
    """The figures are those of the labels, and the page shows them."""
    rows = ["1,0,0", "1,1,0", "1,1,1", "0,0,0", "1,0,1"]  # says that blue is red too
    (photos / "labels.csv").write_text(_csv("file_name,red,green,blue", rows))
    output = tmp_path / "out"
    arguments = [str(bundle.path), str(photos), "--output", str(output), "--json"]
    result = CliRunner().invoke(evaluate_command, arguments, catch_exceptions=False)
    document = json.loads(result.stdout)
    assert (7, 7) == (document["precision"]["count"], document["precision"]["total"])
    assert (7, 8) == (document["recall"]["count"], document["recall"]["total"])
    assert (4, 5) == (document["all_labels_right"]["count"], document["pictures"])
    assert pytest.approx(14 / 15, abs=1e-6) == document["f1"]
    assert [3 / 4, 1.0, 1.0] == [each["recall"]["value"] for each in document["labels"]]
    assert "finds 87.5% of the labels" in (output / "evaluation.html").read_text()


def test_corrections_are_measured_on(bundle: Bundle, photos: Path, tmp_path: Path) -> None:
    """A corrected photo takes its labels, and other corrected pictures are added."""
    (photos / "t.csv").write_text("file_name,labels\nred.jpg,blue\nyellow.jpg,red;green\n")
    found = read_label_sets(str(photos / "t.csv"), LABELS)
    log = CorrectionLog(parse_location(str(tmp_path / "out")))
    red = found.photos[0]
    white = list_files(str(photos), parse_location(str(photos)), nested=False).files["white.jpg"]
    for ref, labels in ((red, ("red",)), (white, ("red", "green", "blue"))):
        said = Correction(ref.uri, ref.etag, labels[0], None, None, "ada", utc_now(), None, labels)
        log.append([said])
    sets = with_corrected_sets(found, str(tmp_path / "out"), LABELS)
    assert [[1, 0, 0], [1, 1, 0], [1, 1, 1]] == sets.truth.astype(int).tolist()
    arguments = [str(bundle.path), "--output", str(tmp_path / "page"), "--json"]
    arguments += ["--corrections", str(tmp_path / "out")]
    result = CliRunner().invoke(evaluate_command, arguments, catch_exceptions=False)
    assert (2, 1.0) == tuple(
        json.loads(result.stdout)[name][key]
        for name, key in (("all_labels_right", "count"), ("recall", "value"))
    )
    with pytest.raises(UsageError, match=r"have the label 'green', which is none .* \(red, blue\)"):
        with_corrected_sets(None, str(tmp_path / "out"), ("red", "blue"))


def test_thresholds_with_the_highest_f1() -> None:
    """They lie between the scores around them; a rare label keeps its threshold."""
    scores = np.linspace(0.01, 0.99, 50)[:, np.newaxis].repeat(2, axis=1)
    truth = np.stack([scores[:, 0] > 0.3, np.arange(50) == 7], axis=1)
    common, rare = choose_thresholds(truth, scores, (0.5, 0.5))
    assert 0.29 < common < 0.31
    assert 0.5 == rare


def test_calibration_error_of_labels() -> None:
    """Answers as frequent as they say have none; answers that are always too sure have much."""
    truth = np.arange(100)[:, np.newaxis] % 4 == 0
    assert calibration_error(truth, np.full((100, 1), 0.25)) < 1e-9
    assert pytest.approx(0.65) == calibration_error(truth, np.full((100, 1), 0.9))


@pytest.mark.parametrize("multi", [True, False], ids=["several labels", "one label"])
def test_package_chooses_thresholds(multi: bool, tmp_path: Path) -> None:  # noqa: FBT001 (pytest passes it by name)
    """`--calibrate` sets thresholds by labelled photos and says what they reach."""
    graph = linear_graph(
        tmp_path / "model.onnx", np.eye(3, dtype=np.float32), last=None if multi else "Softmax"
    )
    photos = tmp_path / "photos"
    rows = ["file_name,labels"]
    for at in range(30):
        level = 40 + 6 * at
        label = "red" if level > 128 + 30 else ("" if multi else "blue")
        rows.append(f"{at}.jpg,{label}")
        photos.mkdir(exist_ok=True)
        (photos / f"{at}.jpg").write_bytes(jpeg((level, 20, 20 if multi else 158)))
    (photos / "labels.csv").write_text("\n".join(rows))
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    options = ["--labels", str(tmp_path / "labels.txt"), "--input-range", "0..1", "--filter"]
    options += ["bilinear", "--fit", "stretch", "--calibrate", str(photos)]
    options += ["--output", str(tmp_path / "b"), *(["--multi-label"] if multi else [])]
    result = CliRunner().invoke(package_command, [str(graph), *options], catch_exceptions=False)
    thresholds = json.loads((tmp_path / "b" / "assets.extra" / "bundle.json").read_text())[
        "thresholds"
    ]
    if multi:
        assert "chose 1 of 3 thresholds for the highest F1 on 30 photos" in result.stderr
        assert pytest.approx([0.61, 0.5, 0.5], abs=0.02) == thresholds
    else:
        assert "asked: at most 1.0% mistakes among the accepted; NOT shown" in result.stderr
        assert "30% unsure" in result.stderr
        assert all(0 <= each < 1 for each in thresholds)
