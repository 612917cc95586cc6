"""A new last layer on stored features: fitted, written into the graph, and rows that follow it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import LITERT_MODEL, load_bundle
from seefood.classification import ClassifyOptions, Model, classify_images
from seefood.cli.options import model_path
from seefood.corrections import Correction, CorrectionLog
from seefood.engines.base import FeatureEngine
from seefood.engines.loading import load_engine
from seefood.errors import BundleError, UsageError
from seefood.features.files import write_part_features
from seefood.features.stored import load_vectors
from seefood.records import Row, Status, Vector
from seefood.results.files import encode_rows, part_location, read_rows
from seefood.storage import write
from seefood.storage.uris import Location, parse_location
from seefood_training.calibrate import softmax
from seefood_training.linear_probe import Floats, Probe
from seefood_training.teaching.bundle import check_teachable, unknown_limit, write_taught_bundle
from seefood_training.teaching.examples import Taught, correction_examples, folder_examples, joined
from seefood_training.teaching.graph import read_head
from seefood_training.teaching.head import fit_head
from seefood_training.teaching.relabel import check_sample, relabel
from tests.fakes import DIGEST, MODEL, failed, make_row, put_all
from tests.pictures import encoded, gradient, jpeg

RNG = np.random.default_rng(11)
NAMES = ("a", "b")


def _clusters(count: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return features of two classes that a line separates, and their classes."""
    labels = np.arange(2 * count) % 2
    features = RNG.uniform(0, 1, (2 * count, 12)).astype(np.float32)
    features[:, 0] += 3 * labels
    return features, labels


def _noise(count: int, size: int) -> Floats:
    return RNG.uniform(0, 1, (count, size)).astype(np.float32)


def _output(memory: str, rows: list[Row], digest: str) -> Location:
    output = parse_location(f"{memory}/out")
    part = part_location(output, digest, [row.ref for row in rows], "parquet")
    write_part_features(part, output, digest, rows)
    write(part, encode_rows(rows, "parquet"))
    return output


def test_a_head_is_measured_on_what_it_has_not_seen() -> None:
    """Separable classes are learned; shuffled ones are not, and the figure says so."""
    features, labels = _clusters()
    head = fit_head(Taught.of(features, labels, NAMES))
    assert head.right.value >= 0.95
    assert (softmax(head.probe.logits(features)).argmax(axis=1) == labels).mean() >= 0.95
    noise = fit_head(Taught.of(_noise(60, 12), np.arange(60) % 2, NAMES))
    assert noise.right.value < 0.75
    assert () == head.verdicts
    assert "is not shown to be better than always answering" in noise.verdicts[-1]
    assert {"cross_validated_accuracy", "strength", "temperature"} == head.as_json().keys()


def test_too_few_examples_are_refused() -> None:
    """The message names the class and how many it has."""
    features, labels = _clusters(10)
    labels[labels == 1] = 0
    labels[:3] = 1
    with pytest.raises(UsageError, match=r"too few of b \(3\)"):
        fit_head(Taught.of(features, labels, NAMES))


def test_copies_are_in_one_fold() -> None:
    """Noise that was learned from a copy would look like knowledge; one picture cannot be shown."""
    features, labels = _noise(120, 300), np.arange(120) // 2 % 2
    features[1::2] = features[::2] + _noise(60, 300) / 100
    as_if_different = fit_head(Taught.of(features, labels, NAMES))
    with_copies = fit_head(Taught.of(features, labels, NAMES, groups=np.arange(120) // 2))
    assert as_if_different.right.value > 0.8
    assert with_copies.right.value < 0.7
    with pytest.raises(UsageError, match="copies of one picture"):
        fit_head(Taught.of(features, labels, NAMES, groups=labels))


def test_a_taught_bundle_equals_its_rows(bundle_path: Path, tmp_path: Path, memory: str) -> None:
    """The new graph computes the head on the old features; relabelled rows are those of classify.

    The bundle has features again, and another digest.
    """
    source = load_bundle(bundle_path)
    engine = load_engine(source, features=True)
    assert isinstance(engine, FeatureEngine)
    pictures = {
        "red.jpg": jpeg((200, 30, 30)),
        "gradient.png": encoded(gradient((90, 60)), "PNG"),
        "broken.jpg": b"no picture",
    }
    refs = put_all(memory, pictures)
    fetched = [(ref, pictures[ref.uri.rpartition("/")[2]]) for ref in refs]
    rows = classify_images(fetched, engine, Model.of(source), ClassifyOptions(features=True))
    output = _output(memory, rows, source.digest)
    vectors = load_vectors(output, source.digest)
    dimension = vectors.values.shape[1]
    features = _noise(40, dimension)
    head = fit_head(Taught.of(features, np.arange(40) % 2, ("x", "y")))
    bundle = write_taught_bundle(
        source, tmp_path / "taught", head, labels=("x", "y"), record={"source": "test"}
    )
    assert source.digest != bundle.digest
    assert source.digest == bundle.spec.training["taught_on"]
    assert bundle.features is not None
    assert dimension == bundle.features.dimension
    assert bundle.file(LITERT_MODEL).stat().st_size < source.file(LITERT_MODEL).stat().st_size * 1.1
    agreement = check_sample(output, source.digest, vectors, head.probe, bundle)
    assert (2, 2) == (agreement.pictures, agreement.same_label)
    assert agreement.largest < 0.02
    for _ in range(2):  # the same objects
        written = relabel(output, source.digest, vectors, head.probe, Model.of(bundle))
    assert (3, 0) == (written.rows, written.without_features)
    taught = {row.uri: row for row in read_rows(output, bundle.digest)}
    direct = classify_images(fetched, load_engine(bundle), Model.of(bundle))
    assert len(direct) == len(taught)
    for row in direct:
        other = taught[row.uri]
        assert (row.label, row.status, row.error_code, row.phash, row.model_digest) == (
            other.label, other.status, other.error_code, other.phash, other.model_digest,
        )  # fmt: skip
        assert row.score == pytest.approx(other.score, abs=0.02)
        assert other.engine == "features"
    with pytest.raises(BundleError, match="exists"):
        write_taught_bundle(source, tmp_path / "taught", head, labels=("x", "y"), record={})
    with pytest.raises(UsageError, match="seefood features"):
        check_teachable(replace(source, features=None))


def test_rows_without_features_are_counted(memory: str) -> None:
    """They are left to `classify`; a score below its threshold is unsure, failed rows stay.

    A salvaged picture is unsure whatever its score; the old model's novelty is not the new one's.
    """
    sure = Vector(1.0, np.array([10, 0], np.int8).tobytes())
    torn = Vector(1.0, np.array([1, 1], np.int8).tobytes())
    rows = [
        make_row("s3://b/sure", vector=sure),
        make_row("s3://b/torn", vector=torn),
        make_row("s3://b/none"),
        make_row("s3://b/half", vector=sure, error_code="truncated", novelty=2.0),
        failed("s3://b/broken", "corrupt", "no"),
    ]
    output = _output(memory, rows, DIGEST)
    vectors = load_vectors(output, DIGEST)
    model = replace(MODEL, digest="f" * 64, labels=NAMES, thresholds=(0.9, 0.9))
    probe = Probe(np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
    written = relabel(output, DIGEST, vectors, probe, model)
    assert (4, 1) == (written.rows, written.without_features)
    found = {row.uri.rpartition("/")[2]: row for row in read_rows(output, model.digest)}
    assert {"sure", "torn", "half", "broken"} == found.keys()
    assert ("a", Status.OK) == (found["sure"].label, found["sure"].status)
    assert ("a", Status.UNSURE, 0.5) == (
        found["torn"].label, found["torn"].status, found["torn"].score,
    )  # fmt: skip
    assert ("a", Status.UNSURE, "truncated", None) == (
        found["half"].label, found["half"].status, found["half"].error_code, found["half"].novelty,
    )  # fmt: skip
    assert (None, None, "corrupt") == (
        found["broken"].label, found["broken"].top, found["broken"].error_code,
    )  # fmt: skip


def test_unknown_pictures_are_rejected(bundle_path: Path, tmp_path: Path, memory: str) -> None:
    """With a limit, rows of pictures unlike all examples are `unsure`; few examples are refused."""
    source = load_bundle(bundle_path)
    assert source.features is not None
    size = source.features.dimension
    features = _noise(40, size)
    head = fit_head(Taught.of(features, np.arange(40) % 2, NAMES))
    limit = unknown_limit(features, 0.05, source)
    bundle = write_taught_bundle(
        source, tmp_path / "taught", head, labels=NAMES, record={}, rejection=limit
    )
    known, other = np.full(size, 1, np.int8), np.where(np.arange(size) % 2, 127, -127)
    rows = [
        make_row("s3://b/known", vector=Vector(0.5, known.tobytes())),
        make_row("s3://b/other", vector=Vector(1.0, other.astype(np.int8).tobytes())),
    ]
    output = _output(memory, rows, DIGEST)
    model = replace(Model.of(bundle), thresholds=(0.0, 0.0))
    relabel(output, DIGEST, load_vectors(output, DIGEST), head.probe, model)
    found = {row.uri.rpartition("/")[2]: row for row in read_rows(output, bundle.digest)}
    assert (Status.OK, Status.UNSURE) == (found["known"].status, found["other"].status)
    assert (found["known"].novelty or 9) < 1 < (found["other"].novelty or 0)
    with pytest.raises(UsageError, match="40 photos are too few for a share"):
        unknown_limit(features, 0.01, source)
    assert unknown_limit(features, None, source) is None


def test_corrections_are_examples(memory: str) -> None:
    """Those with stored features; without any, the message says what to do."""
    rows = [make_row(f"s3://b/{at}", vector=Vector(1.0, bytes([at, 1]))) for at in range(4)]
    output = _output(memory, rows, DIGEST)
    vectors = load_vectors(output, DIGEST)
    with pytest.raises(UsageError, match="seefood review"):
        correction_examples(output, vectors)
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    CorrectionLog(output).append(
        [
            Correction("s3://b/1", "e1", "cat", "red", DIGEST, "ann", moment, ""),
            Correction("s3://b/3", "e1", "dog", "red", DIGEST, "ann", moment, ""),
            Correction("s3://b/9", "e1", "dog", "red", DIGEST, "ann", moment, ""),
        ]
    )
    taught = correction_examples(output, vectors)
    assert ("cat", "dog") == taught.names
    by_label = dict(zip(taught.labels.tolist(), taught.features.tolist(), strict=True))
    assert {0: [1.0, 1.0], 1: [3.0, 1.0]} == by_label
    both = joined([taught, replace(taught, names=("bird", "dog"))])
    assert [0, 1, 0, 1] == both.groups.tolist()
    assert ("bird", "cat", "dog") == both.names
    assert {"bird": 1, "cat": 1, "dog": 2} == both.record["examples"]


def test_a_new_layer_keeps_what_the_old_one_knew() -> None:
    """Twenty examples in 200 dimensions say little; with the old layer's logits they are enough."""
    rng = np.random.default_rng(5)
    old = Probe(rng.normal(0, 1, (200, 2)).astype(np.float32), np.array([0.5, -0.5], np.float32))
    features = rng.uniform(-1, 1, (400, 200)).astype(np.float32)
    labels = old.logits(features).argmax(axis=1)
    few = np.concatenate([np.flatnonzero(labels == each)[:10] for each in (0, 1)])
    with_old, without = (
        (fit_head(Taught.of(features[few], labels[few], NAMES), old=each).probe.logits(features))
        for each in (old, None)
    )
    assert (with_old.argmax(axis=1) == labels).mean() > 0.9
    assert (without.argmax(axis=1) == labels).mean() < 0.75


def test_the_old_layer_is_read_from_the_graph(bundle_path: Path) -> None:
    """Its softmax of the features gives the bundle's probabilities."""
    source = load_bundle(bundle_path)
    engine = load_engine(source, "litert", features=True)
    assert isinstance(engine, FeatureEngine)
    images = RNG.integers(0, 256, (2, *source.spec.rule.shape), np.uint8)
    probabilities, features = engine.predict_with_features(images)
    old = read_head(source.file(LITERT_MODEL).read_bytes(), check_teachable(source))
    assert old is not None
    np.testing.assert_allclose(probabilities, softmax(old.logits(features)), atol=1e-3)


def test_damaged_examples_are_left_out_and_told(tmp_path: Path) -> None:
    """A folder of examples is read as `train` reads photos: one damaged file stops nothing."""
    for number in range(20):
        file = tmp_path / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(encoded(gradient((40, 30)), "PNG"))
    (tmp_path / "a" / "damaged.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "loose.jpg").touch()
    taught = folder_examples(str(tmp_path), load_bundle(Path(model_path("hotdog-lite"))))

    assert {"a": 10, "b": 10} == taught.record["examples"]
    assert "files in no class folder are not used: 'loose.jpg'" == taught.notes[0]
    assert "damaged.jpg" in taught.notes[1]
