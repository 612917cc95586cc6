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
    Answers,
    choose_engines,
    classify_photos,
    labelled_photos,
    measure,
    mistakes,
    undo_temperature,
)
from seefood_training.evaluation_page import render_evaluation
from tests.bundles import LABELS, fake_bundle
from tests.models import SIZE, tiny_model


@pytest.fixture
def tiny(tmp_path: Path) -> Bundle:
    """A bundle that both engines run."""
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
    """A second engine that is a little off on one picture."""

    name = "other"

    def predict(self, images: Pixels) -> Probabilities:
        """See `seefood.engines.Engine.predict`."""
        answers = super().predict(images)
        answers[:, 0] += np.float32(1e-3) * (images.mean(axis=(1, 2, 3)) > 250)
        return answers


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return fake_bundle(tmp_path / "bundle", training={"temperature": 2.0})


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve drawn pictures of two sources, one white picture, one file that is no picture."""
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


def evaluated(bundle: Bundle, photos: Path) -> dict[str, Any]:
    found = labelled_photos(str(photos), bundle.labels)
    engines = [FakeEngine(), Other()]
    return measure(bundle, classify_photos(found, engines, bundle.spec.rule))


def test_only_the_test_photos_are_measured(bundle: Bundle, photos: Path) -> None:
    """Where the data is divided, what was trained on is not looked at; nothing is dropped."""
    document = evaluated(bundle, photos)
    assert (13, 1) == (document["pictures"], len(document["failed"]))
    assert all("/test/" in each["uri"] for each in document["answers"])
    assert "aa_broken.jpg" in document["failed"][0]["uri"]


def test_every_figure_follows_from_the_answers(bundle: Bundle, photos: Path) -> None:
    """Accuracy, confusion and sources are counted again from the list of answers."""
    document = evaluated(bundle, photos)
    pairs = [(each["truth"], each["answer"]) for each in document["answers"]]
    right = sum(truth == answer for truth, answer in pairs)
    assert right == document["accuracy"]["count"]
    assert document["accuracy"]["low"] < right / 13 < document["accuracy"]["high"]
    assert [[pairs.count((t, a)) for a in LABELS] for t in LABELS] == document["confusion"]
    assert [("aa", 7), ("bb", 6)] == [
        (each["source"], each["accuracy"]["total"]) for each in document["sources"]
    ]
    unsure = sum(each["unsure"] for each in document["answers"])
    assert unsure == document["unsure"]["share"]["count"]
    assert 13 - right == len(mistakes(document))


def test_engines_are_compared_picture_by_picture(bundle: Bundle, photos: Path) -> None:
    """The one picture on which the engines differ is found and named."""
    engines = evaluated(bundle, photos)["engines"]
    assert engines["compared"] == ["fake", "other"]
    assert engines["largest_difference"] == pytest.approx(1e-3, rel=0.01)
    assert engines["largest_at"].endswith("aa_white.png")
    assert engines["same_label"]["value"] == 1.0
    assert engines["median_difference"] == 0.0


def test_the_surest_mistake_comes_first(bundle: Bundle, photos: Path) -> None:
    """Mistakes are sorted by how sure the network was."""
    scores = [each["score"] for each in mistakes(evaluated(bundle, photos))]
    assert scores
    assert sorted(scores, reverse=True) == scores


def test_temperature_can_be_undone() -> None:
    """From calibrated probabilities and the temperature come those before it."""
    logits = np.random.default_rng(0).normal(0, 3, (50, 4))
    np.testing.assert_allclose(
        undo_temperature(softmax(logits / 1.7), 1.7), softmax(logits), atol=1e-9
    )


def many(classes: int, pictures: int) -> tuple[tuple[str, ...], Answers]:
    """Answers of a fair network with very many classes, some of which have no picture."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, classes - 2, pictures)
    logits = rng.normal(0, 1, (pictures, classes))
    logits[np.arange(pictures), truth] += 3
    photos = tuple(Photo(ref(f"file:///nowhere/x_{at}.jpg"), int(t)) for at, t in enumerate(truth))
    labels = tuple(f"class <{at}> & co" for at in range(classes))
    return labels, Answers(photos, {"fake": softmax(logits).astype(np.float32)})


def ref(uri: str) -> Any:
    from seefood.records import ImageRef  # noqa: PLC0415 (only here)

    return ImageRef(uri)


def described(bundle: Bundle, labels: Sequence[str]) -> Bundle:
    from dataclasses import replace  # noqa: PLC0415 (only here)

    spec = replace(bundle.spec, labels=tuple(labels), thresholds=(0.5,) * len(labels))
    return replace(bundle, spec=spec)


def test_many_classes(bundle: Bundle) -> None:
    """Sixty classes: areas equal scikit-learn's, and a class without pictures has none."""
    labels, answers = many(60, 600)
    document = measure(described(bundle, labels), answers, "it is alone")
    probabilities = answers.probabilities["fake"]
    for at in (0, 30):
        assert document["classes"][at]["roc_area"] == pytest.approx(
            oracle.roc_auc_score(answers.truth == at, probabilities[:, at])
        )
    assert document["classes"][59]["roc_area"] is None
    assert document["classes"][59]["recall"]["value"] is None
    assert document["engines"] == {"compared": ["fake"], "why_not": "it is alone"}
    json.dumps(document, allow_nan=False)
    html = render_evaluation(document)
    assert "Mixed up most" in html
    assert "class &lt;3&gt; &amp; co" in html


def test_the_page_is_one_file_without_scripts_or_requests(bundle: Bundle, photos: Path) -> None:
    """All it shows lies in it: pictures as data, curves as SVG, the style named by its hash."""
    html = render_evaluation(evaluated(bundle, photos))
    assert "<script" not in html
    assert not re.findall(r'(?:src|href)="(?!data:|#)', html)
    assert html.count("data:image/webp") == len(mistakes(evaluated(bundle, photos)))
    assert html.count("<polyline") >= 4
    assert "default-src &#39;none&#39;" in html
    assert "aa_broken.jpg" in html


def test_a_class_that_the_bundle_does_not_know_is_refused(bundle: Bundle, photos: Path) -> None:
    """The sentence names the folder and the labels there are."""
    for split in ("train", "test"):
        (photos / split / "hotdog").rename(photos / split / "Hot Dogs")
    with pytest.raises(UsageError, match=r"class 'Hot Dogs', which is none .* \(hotdog, not_hotd"):
        labelled_photos(str(photos), bundle.labels)


def test_files_that_are_all_broken_are_refused(tmp_path: Path, bundle: Bundle) -> None:
    """Nothing is divided by nothing."""
    for label in LABELS:
        (tmp_path / "data" / label).mkdir(parents=True)
        (tmp_path / "data" / label / "a.jpg").write_bytes(b"no picture")
    found = labelled_photos(str(tmp_path / "data"), bundle.labels)
    with pytest.raises(UsageError, match="none of the 2 files can be decoded"):
        classify_photos(found, [FakeEngine()], bundle.spec.rule)


@pytest.mark.tensorflow
def test_the_command_writes_a_page_and_a_document(
    tiny: Bundle, tmp_path: Path, photos: Path
) -> None:
    """`seefood evaluate` compares both engines, prints the figures and says where the page is."""
    output = tmp_path / "out"
    arguments = [str(tiny.path), str(photos), "--output", str(output)]
    result = CliRunner().invoke(evaluate_command, arguments, catch_exceptions=False)
    assert "same label on 13 of 13" in result.stdout
    assert str(output / "evaluation.html") in result.stdout
    document = json.loads((output / "evaluation.json").read_text())
    assert document["engines"]["compared"] == ["litert", "tensorflow"]
    assert document["engines"]["largest_difference"] < 1e-5
    assert document["calibration"]["temperature"] == 1.5
    assert "</html>" in (output / "evaluation.html").read_text()


@pytest.mark.tensorflow
def test_a_bundle_without_its_saved_model_is_measured_alone(tiny: Bundle) -> None:
    """What cannot be compared says why."""
    engines, why = choose_engines(tiny, "auto")
    assert (["litert", "tensorflow"], "") == ([engine.name for engine in engines], why)
    tiny.file("saved_model.pb").unlink()
    engines, why = choose_engines(load_bundle(tiny.path), "auto")
    assert ["litert"] == [engine.name for engine in engines]
    assert why == "the bundle has no graph for tensorflow"
