import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn import metrics as oracle

from seefood.bundle import Bundle, load_bundle
from seefood.engines.base import Probabilities
from seefood.engines.fake import FakeEngine
from seefood.errors import UsageError
from seefood.imaging.decode import Pixels, ResizeRule
from seefood.synthetic import KINDS, draw_picture
from seefood_training.calibrate import softmax
from seefood_training.commands.evaluate import evaluate_command
from seefood_training.data import Photo
from seefood_training.evaluate import (
    Predictions,
    choose_engines,
    classify_photos,
    labelled_photos,
    measure,
    mistakes,
    undo_temperature,
)
from seefood_training.evaluation_page import render_evaluation
from seefood_training.fingerprints import fingerprint
from seefood_training.training_photos import FILE, TrainingPhotos, read_training_photos
from tests.bundles import LABELS, fake_bundle
from tests.models import SIZE, tiny_model


@pytest.fixture
def tiny(tmp_path: Path) -> Bundle:
    """Return a bundle that both engines can run."""
    from seefood_training.export import export_bundle  # noqa: PLC0415 (needs TensorFlow)

    return export_bundle(
        tiny_model(),
        tmp_path / "tiny",
        name="tiny",
        labels=LABELS,
        rule=ResizeRule(SIZE, SIZE),
        temperature=1.5,
        thresholds=(0.6, 0.6),
        training={},
        metrics={},
    )


class Other(FakeEngine):
    """An engine whose probabilities differ slightly for one picture."""

    name = "other"

    def predict(self, images: Pixels) -> Probabilities:
        """See `seefood.engines.base.Engine.predict`."""
        probabilities = super().predict(images)
        probabilities[:, 0] += np.float32(1e-3) * (images.mean(axis=(1, 2, 3)) > 250)
        return probabilities


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return fake_bundle(tmp_path / "bundle", training={"temperature": 2.0})


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with drawings of two sources, a white picture and a broken file."""
    root = tmp_path / "photos"
    for split in ("train", "test"):
        for label in LABELS:
            (root / split / label).mkdir(parents=True)
            for at, kind in enumerate(KINDS[:3]):
                for source in ("aa", "bb"):
                    image = draw_picture(kind, at, (40, 30))
                    image.save(root / split / label / f"{source}_{kind}.png")
    white = draw_picture("house", 1, (40, 30)).point(lambda _: 255)
    white.save(root / "test" / "hotdog" / "aa_white.png")
    (root / "test" / "hotdog" / "aa_broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much")
    return root


def evaluated(bundle: Bundle, photos: Path, source_from: str | None = None) -> dict[str, Any]:
    test_photos = labelled_photos(str(photos), bundle.labels)
    engines = [FakeEngine(), Other()]
    predictions = classify_photos(
        test_photos, engines, bundle.spec.rule, known=read_training_photos(bundle.path)
    )
    return measure(
        bundle, predictions, source_from=re.compile(source_from) if source_from else None
    )


def test_only_the_test_photos_are_measured(bundle: Bundle, photos: Path) -> None:
    """If the data has `test/`, only its photos are measured; a broken file is listed."""
    document = evaluated(bundle, photos)
    assert (13, 1) == (document["pictures"], len(document["failed"]))
    assert all("/test/" in each["uri"] for each in document["answers"])
    assert "aa_broken.jpg" in document["failed"][0]["uri"]


def test_figures_equal_counts_of_the_predictions(bundle: Bundle, photos: Path) -> None:
    """Accuracy, confusion and unsure equal counts of the listed predictions."""
    document = evaluated(bundle, photos)
    pairs = [(each["truth"], each["answer"]) for each in document["answers"]]
    right = sum(truth == answer for truth, answer in pairs)
    assert right == document["accuracy"]["count"]
    assert document["accuracy"]["low"] < right / 13 < document["accuracy"]["high"]
    assert [[pairs.count((t, a)) for a in LABELS] for t in LABELS] == document["confusion"]
    unsure = sum(each["unsure"] for each in document["answers"])
    assert unsure == document["unsure"]["share"]["count"]
    assert 13 - right == len(mistakes(document))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(None, [], id="not asked for"),
        pytest.param("^([^_]+)_", [("aa", 7), ("bb", 6)], id="a group"),
        pytest.param("white", [("", 12), ("white", 1)], id="the whole match"),
        pytest.param("/test/([a-z]+)", [("hotdog", 7), ("not", 6)], id="in the folder"),
        pytest.param("_(x)?", [("", 13)], id="a group that matches nothing"),
    ],
)
def test_sources(
    bundle: Bundle, photos: Path, pattern: str | None, expected: list[tuple[str, int]]
) -> None:
    """There are figures by source only if a pattern finds the sources in names or URIs."""
    document = evaluated(bundle, photos, pattern)
    found = [(each["source"], each["accuracy"]["total"]) for each in document["sources"]]
    assert expected == found
    assert bool(expected) == ("By source" in render_evaluation(document))


def test_photos_that_the_bundle_was_made_from_are_told(bundle: Bundle, photos: Path) -> None:
    """The document, the page and the answers tell copies of training photos, and the rest."""
    assert evaluated(bundle, photos)["copies_of_training_photos"] is None
    used = [fingerprint(file.read_bytes()) for file in (photos / "test").rglob("aa_*.png")]
    (bundle.path / "assets.extra" / FILE).write_bytes(TrainingPhotos.of(used[:5]).encode())
    document = evaluated(bundle, photos)
    copies = document["copies_of_training_photos"]
    assert copies["equal"] >= 5
    assert copies["accuracy_without"]["total"] == 13 - copies["equal"] - copies["near"]
    assert "copies of photos that the model was made from" in document["warnings"][0]
    assert document["warnings"][0] in render_evaluation(document)
    assert copies["equal"] == sum(each["copy"] == "equal" for each in document["answers"])


def test_another_share_of_unsure_pictures(bundle: Bundle, photos: Path) -> None:
    """The threshold that leaves at most the share unsure, and the mistakes among the others."""
    predictions = classify_photos(
        labelled_photos(str(photos), bundle.labels), [FakeEngine()], bundle.spec.rule
    )
    probabilities = predictions.probabilities["fake"]
    document = measure(bundle, predictions, unsure_share=0.4)
    found = document["unsure"]["if_at_most"]
    accepted = probabilities.max(axis=1) >= found["threshold"]
    wrong = probabilities.argmax(axis=1) != predictions.truth

    assert 0 < found["share"]["count"] <= 0.4 * len(predictions.photos)
    assert found["share"]["count"] == (~accepted).sum()
    assert found["wrong_among_accepted"]["count"] == (wrong & accepted).sum()
    assert (0.0, pytest.approx(wrong.mean(), abs=1e-4)) == document["unsure"]["by_share"][0]
    assert "wrong if at most 40% unsure" in render_evaluation(document)
    assert measure(bundle, predictions)["unsure"]["if_at_most"] is None


def test_engines_are_compared_picture_by_picture(bundle: Bundle, photos: Path) -> None:
    """The document has the picture with the largest difference between the engines."""
    engines = evaluated(bundle, photos)["engines"]
    assert engines["compared"] == ["fake", "other"]
    assert engines["largest_difference"] == pytest.approx(1e-3, rel=0.01)
    assert engines["largest_at"].endswith("aa_white.png")
    assert engines["same_label"]["value"] == 1.0
    assert engines["median_difference"] == 0.0


def test_mistakes_are_sorted_by_score(bundle: Bundle, photos: Path) -> None:
    """The mistake with the highest score comes first."""
    scores = [each["score"] for each in mistakes(evaluated(bundle, photos))]
    assert scores
    assert sorted(scores, reverse=True) == scores


def test_temperature_can_be_undone() -> None:
    """The temperature and calibrated probabilities give the uncalibrated ones."""
    logits = np.random.default_rng(0).normal(0, 3, (50, 4))
    np.testing.assert_allclose(
        undo_temperature(softmax(logits / 1.7), 1.7), softmax(logits), atol=1e-9
    )


def many(classes: int, pictures: int) -> tuple[tuple[str, ...], Predictions]:
    """Return labels and predictions of many classes, the last two without pictures."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, classes - 2, pictures)
    logits = rng.normal(0, 1, (pictures, classes))
    logits[np.arange(pictures), truth] += 3
    photos = tuple(Photo(ref(f"file:///nowhere/x_{at}.jpg"), int(t)) for at, t in enumerate(truth))
    labels = tuple(f"class <{at}> & co" for at in range(classes))
    return labels, Predictions(photos, {"fake": softmax(logits).astype(np.float32)})


def ref(uri: str) -> Any:
    from seefood.records import ImageRef  # noqa: PLC0415 (only here)

    return ImageRef(uri)


def described(bundle: Bundle, labels: Sequence[str]) -> Bundle:
    from dataclasses import replace  # noqa: PLC0415 (only here)

    spec = replace(bundle.spec, labels=tuple(labels), thresholds=(0.5,) * len(labels))
    return replace(bundle, spec=spec)


def test_many_classes(bundle: Bundle) -> None:
    """With 60 classes areas are those of scikit-learn; a class without pictures has none."""
    labels, predictions = many(60, 600)
    document = measure(described(bundle, labels), predictions, "it is alone")
    probabilities = predictions.probabilities["fake"]
    for at in (0, 30):
        assert document["classes"][at]["roc_area"] == pytest.approx(
            oracle.roc_auc_score(predictions.truth == at, probabilities[:, at])
        )
    assert document["classes"][59]["roc_area"] is None
    assert document["classes"][59]["recall"]["value"] is None
    assert document["engines"] == {"compared": ["fake"], "why_not": "it is alone"}
    json.dumps(document, allow_nan=False)
    html = render_evaluation(document)
    assert "Most frequent confusions" in html
    assert "class &lt;3&gt; &amp; co" in html
    assert 60 == html.count('role="rowheader"')
    assert "#classes:has(#by-name:checked) tbody tr:nth-child(60){order:" in html


def test_the_page_is_one_file_without_scripts_or_requests(bundle: Bundle, photos: Path) -> None:
    """Pictures are data URIs, curves are SVG, and the policy has the hash of the style."""
    html = render_evaluation(evaluated(bundle, photos))
    assert "<script" not in html
    assert not re.findall(r'(?:src|href)="(?!data:|#)', html)
    assert html.count("data:image/jpeg") == len(mistakes(evaluated(bundle, photos)))
    assert html.count("<polyline") >= 4
    assert "default-src &#39;none&#39;" in html
    assert "aa_broken.jpg" in html


def test_a_class_that_the_bundle_does_not_know_is_refused(bundle: Bundle, photos: Path) -> None:
    """The message has the folder and the labels of the bundle."""
    for split in ("train", "test"):
        (photos / split / "hotdog").rename(photos / split / "Hot Dogs")
    with pytest.raises(UsageError, match=r"class 'Hot Dogs', which is none .* \(hotdog, not_hotd"):
        labelled_photos(str(photos), bundle.labels)


def test_files_that_are_all_broken_are_refused(tmp_path: Path, bundle: Bundle) -> None:
    """If no file can be decoded, there is a usage error."""
    for label in LABELS:
        (tmp_path / "data" / label).mkdir(parents=True)
        (tmp_path / "data" / label / "a.jpg").write_bytes(b"no picture")
    files = labelled_photos(str(tmp_path / "data"), bundle.labels)
    with pytest.raises(UsageError, match="none of the 2 files can be decoded"):
        classify_photos(files, [FakeEngine()], bundle.spec.rule)


@pytest.mark.tensorflow
def test_the_command_writes_a_page_and_a_document(
    tiny: Bundle, tmp_path: Path, photos: Path
) -> None:
    """`seefood evaluate` compares both engines and prints the figures and the path of the page."""
    output = tmp_path / "out"
    (photos / "loose.jpg").touch()
    arguments = [str(tiny.path), str(photos), "--output", str(output)]
    result = CliRunner().invoke(evaluate_command, arguments, catch_exceptions=False)
    assert "same label on 13 of 13" in result.stdout
    assert str(output / "evaluation.html") in result.stdout
    document = json.loads((output / "evaluation.json").read_text())
    assert document["engines"]["compared"] == ["litert", "tensorflow"]
    assert document["engines"]["largest_difference"] < 1e-5
    assert document["calibration"]["temperature"] == 1.5
    assert "warning: files in no class folder are not used: 'loose.jpg'" in result.stderr
    assert "loose.jpg" in (output / "evaluation.html").read_text()
    assert "</html>" in (output / "evaluation.html").read_text()


@pytest.mark.tensorflow
def test_a_bundle_without_its_saved_model_is_measured_alone(tiny: Bundle) -> None:
    """If there is no second engine, the reason is returned."""
    engines, why = choose_engines(tiny, "auto")
    assert (["litert", "tensorflow"], "") == ([engine.name for engine in engines], why)
    tiny.file("saved_model.pb").unlink()
    engines, why = choose_engines(load_bundle(tiny.path), "auto")
    assert ["litert"] == [engine.name for engine in engines]
    assert why == "the bundle has no graph for tensorflow"
