import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from seefood.bundle import load_bundle
from seefood.cli.inspect import inspect_command
from seefood.engines.loading import load_engine
from seefood.errors import BundleError, UsageError
from seefood_training import package
from seefood_training.commands.package import FITS, RANGES, package_command
from seefood_training.package import read_labels
from tests.training.saved_models import SIZE, answers, drawn, linear, pack, save, softmax

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def keras_application(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """MobileNetV2 as Keras has it, random weights, pixels in [-1, 1], ten probabilities."""
    import keras  # noqa: PLC0415 (as above)

    keras.utils.set_random_seed(3)
    model = keras.applications.MobileNetV2(
        alpha=0.35, weights=None, input_shape=(SIZE, SIZE, 3), classes=10
    )
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 4000, bias])
    path = tmp_path_factory.mktemp("models") / "keras"
    model.export(str(path), verbose=False)
    return path, model


@pytest.mark.slow
def test_a_keras_application(keras_application: tuple[Path, Any], tmp_path: Path) -> None:
    """Exported by Keras, [-1, 1], probabilities that are found out: both engines say the same."""
    path, model = keras_application
    packaged = pack(
        path, tmp_path / "b", labels=tuple(f"class {at}" for at in range(10)), input_range="-1..1"
    )
    assert (packaged.answers, packaged.not_litert) == ("probabilities", None)
    due = model.predict(drawn() / np.float32(127.5) - 1, verbose=0)
    for engine in ("litert", "tensorflow"):
        np.testing.assert_allclose(answers(packaged, engine), due, atol=1e-4)


def test_a_raw_module_in_zero_to_one(tmp_path: Path) -> None:
    """A `tf.Module` that takes floats in [0, 1] and ends in a softmax."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, answer = linear(2)
    source = save(tmp_path / "m", lambda x: tf.nn.softmax(answer(x)), keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1")
    due = softmax(answer(drawn().astype(np.float32) / 255))
    for engine in ("litert", "tensorflow"):
        np.testing.assert_allclose(answers(packaged, engine), due, atol=1e-5)


def test_logits_and_a_dynamic_size(tmp_path: Path) -> None:
    """Scores of any size become probabilities, and the size is asked for."""
    weights, answer = linear(3)
    source = save(
        tmp_path / "m", answer, shape=(None, None, None, 3), name="score", keep={"weights": weights}
    )
    labels = ("a", "b", "c")
    with pytest.raises(
        UsageError, match=r"signature score takes pictures of any size; .*`--size H"
    ):
        pack(source, tmp_path / "b", labels=labels, input_range="0..1")
    packaged = pack(source, tmp_path / "b", labels=labels, input_range="0..1", size=(SIZE, SIZE))
    assert (packaged.answers, packaged.signature) == ("logits", "score")
    due = softmax(answer(drawn().astype(np.float32) / 255))
    for engine in ("litert", "tensorflow"):
        np.testing.assert_allclose(answers(packaged, engine), due, atol=1e-5)


def test_one_sigmoid_is_two_labels(tmp_path: Path) -> None:
    """A single probability is the second label's, found out from the graph's last step."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, answer = linear(1)
    source = save(tmp_path / "m", lambda x: tf.sigmoid(answer(x)), keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1")
    due = tf.sigmoid(answer(drawn().astype(np.float32) / 255)).numpy()[:, 0]
    np.testing.assert_allclose(answers(packaged, "litert")[:, 1], due, atol=1e-5)
    np.testing.assert_allclose(answers(packaged, "litert").sum(axis=1), 1, atol=1e-6)


def test_one_logit_is_two_labels(tmp_path: Path) -> None:
    """A single score of any size goes through a sigmoid."""
    weights, answer = linear(1, scale=30)
    source = save(tmp_path / "m", answer, keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1")
    assert packaged.answers == "logits"
    due = 1 / (1 + np.exp(-answer(drawn().astype(np.float32) / 255).numpy()[:, 0]))
    np.testing.assert_allclose(answers(packaged, "tensorflow")[:, 1], due, atol=1e-5)


def test_a_model_without_a_signature_is_called(tmp_path: Path) -> None:
    """What the model does when it is called is taken where no signature was saved."""
    weights, answer = linear(2)
    source = save(tmp_path / "m", answer, name="", keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1", answers="logits")
    assert packaged.signature == "__call__"


def test_raw_bytes_need_no_range(tmp_path: Path) -> None:
    """A model that takes uint8 scales by itself."""
    weights, answer = linear(2, unit=255.0)
    source = save(tmp_path / "m", answer, dtype="uint8", keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", answers="logits")
    np.testing.assert_allclose(answers(packaged, "litert"), softmax(answer(drawn())), atol=1e-4)


def test_channels_first_is_turned(tmp_path: Path) -> None:
    """A model from the other framework's world gets its axes as it wants them."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, answer = linear(2)
    source = save(
        tmp_path / "m",
        lambda x: answer(tf.transpose(x, (0, 2, 3, 1))),
        shape=(None, 3, SIZE, SIZE),
        keep={"weights": weights},
    )
    packaged = pack(source, tmp_path / "b", input_range="0..1", answers="logits")
    due = softmax(answer(drawn().astype(np.float32) / 255))
    np.testing.assert_allclose(answers(packaged, "litert"), due, atol=1e-5)


@pytest.mark.parametrize("name", ["imagenet", "caffe"])
def test_named_ranges(name: str, tmp_path: Path) -> None:
    """The two customs of ImageNet's networks, as Keras computes them."""
    import keras  # noqa: PLC0415 (as above)

    weights, answer = linear(2, scale=1.0, unit=100.0 if name == "caffe" else 1.0)
    source = save(tmp_path / "m", answer, keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range=name, answers="logits")
    mode = "torch" if name == "imagenet" else "caffe"
    prepared = keras.applications.imagenet_utils.preprocess_input(
        drawn().astype(np.float32), data_format="channels_last", mode=mode
    )
    np.testing.assert_allclose(answers(packaged, "litert"), softmax(answer(prepared)), atol=1e-4)


def test_a_graph_that_litert_cannot_have_runs_in_tensorflow(tmp_path: Path) -> None:
    """The bundle comes without a flat file, says why, and works."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, answer = linear(2)

    def function(pixels: Any) -> Any:
        return answer(tf.math.special.bessel_j0(pixels))

    source = save(tmp_path / "m", function, keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1", answers="logits")
    assert packaged.not_litert is not None
    assert "BesselJ0" in packaged.not_litert
    due = softmax(function(drawn().astype(np.float32) / 255))
    np.testing.assert_allclose(answers(packaged, "auto"), due, atol=1e-5)
    with pytest.raises(BundleError, match="use `--engine tensorflow`"):
        load_engine(packaged.bundle, "litert")


def test_a_graph_that_cannot_be_frozen_runs_in_tensorflow(tmp_path: Path) -> None:
    """A hash table stays a hash table: the SavedModel is wrapped as it is."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, answer = linear(2)
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant([0, 1], tf.int64), tf.constant([1.0, 1.0])),
        default_value=1.0,
    )

    def function(pixels: Any) -> Any:
        return answer(pixels) * table.lookup(tf.constant([0], tf.int64))

    source = save(tmp_path / "m", function, keep={"weights": weights, "table": table})
    packaged = pack(source, tmp_path / "b", input_range="0..1", answers="logits")
    assert packaged.not_litert is not None
    due = softmax(answer(drawn().astype(np.float32) / 255))
    np.testing.assert_allclose(answers(packaged, "tensorflow"), due, atol=1e-5)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two logits."""
    weights, answer = linear(2, scale=30)
    return save(tmp_path_factory.mktemp("plain") / "m", answer, keep={"weights": weights})


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({}, "takes float32 pixels and nothing says in which range; say `--input-range`"),
        (
            {"input_range": "0..1", "answers": "probabilities"},
            "these are no probabilities of one label; use `--logits`",
        ),
        ({"input_range": "0..1", "size": (64, 64)}, "`--size 64x64` contradicts the signature"),
        ({"input_range": "0..1", "signature": "other"}, "has no signature 'other'; it has serving"),
        (
            {"input_range": "0..1", "labels": ("a", "b", "c")},
            "0 of these have one number for each of the 3 labels; check the labels file",
        ),
    ],
    ids=["range", "probabilities", "size", "signature", "labels"],
)
def test_what_cannot_be_known_is_asked_for(
    source: Path, tmp_path: Path, wishes: dict[str, Any], sentence: str
) -> None:
    """Each gap or contradiction is one sentence that names the option; nothing is written."""
    with pytest.raises(UsageError, match=sentence):
        pack(source, tmp_path / "b", **wishes)
    assert list(tmp_path.iterdir()) == []


def test_a_second_softmax_is_refused(tmp_path: Path) -> None:
    """Probabilities that are called logits would be flattened by another softmax."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, answer = linear(2)
    path = save(tmp_path / "m", lambda x: tf.nn.softmax(answer(x)), keep={"weights": weights})
    with pytest.raises(UsageError, match="answers probabilities already; leave `--logits` out"):
        pack(path, tmp_path / "b", input_range="0..1", answers="logits")


@pytest.mark.parametrize(
    ("shape", "dtype", "sentence"),
    [
        ((None,), "string", "takes string .* not a batch of pictures"),
        ((None, 10), "float32", r"takes float32 \(None, 10\), not a batch of pictures"),
        ((1, SIZE, SIZE, 3), "float32", "takes exactly 1 pictures at a time"),
        ((None, SIZE, SIZE, 1), "float32", "not a batch of pictures such as float32"),
    ],
    ids=["bytes", "features", "fixed", "grey"],
)
def test_a_model_that_takes_no_pictures_is_refused(
    tmp_path: Path, shape: tuple[int | None, ...], dtype: str, sentence: str
) -> None:
    """What a signature takes is named in the sentence that refuses it."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    path = save(tmp_path / "m", lambda x: tf.zeros((tf.shape(x)[0], 2)), shape=shape, dtype=dtype)
    with pytest.raises(UsageError, match=sentence):
        pack(path, tmp_path / "b", input_range="0..1")


@pytest.mark.parametrize("content", ["", "one\n", "same\nsame\n"])
def test_labels_have_to_be_two_and_differ(tmp_path: Path, content: str) -> None:
    """A labels file is one label a line."""
    file = tmp_path / "labels.txt"
    file.write_text(content)
    with pytest.raises(UsageError, match="write at least two different ones"):
        read_labels(file)


def test_labels_are_trimmed_and_may_be_anything(tmp_path: Path) -> None:
    """Blank lines and a byte-order mark do not count; words and umlauts do."""
    file = tmp_path / "labels.txt"
    file.write_bytes("\ufeffhot dog\r\n\r\nkein Würstchen  \r\n".encode())
    assert read_labels(file) == ("hot dog", "kein Würstchen")


def test_the_command_line_offers_what_there_is() -> None:
    """The names are written out there, so that `--help` stays instant."""
    assert tuple(package.RANGES) == RANGES
    assert FITS == ("stretch", "crop", "pad")


def run(source: Path, tmp_path: Path, *options: str) -> Result:
    (tmp_path / "labels.txt").write_text("hotdog\nnot_hotdog\n")
    arguments = [str(source), "--labels", str(tmp_path / "labels.txt")]
    arguments += ["--output", str(tmp_path / "b"), *options]
    return CliRunner().invoke(package_command, arguments)


def test_the_command_prints_the_bundle_s_folder(source: Path, tmp_path: Path) -> None:
    """Data on stdout, what was found out on stderr; `inspect` then certifies its engines."""
    result = run(source, tmp_path, "--input-range", "-1..1", "--fit", "pad", "--name", "mine")
    assert f"{tmp_path / 'b'}\n" == result.stdout
    assert "mine: 2 labels, input 32x32, -1..1, logits from serving_default" in result.stderr
    assert load_bundle(tmp_path / "b").spec.rule.fit == "pad"
    shown = CliRunner().invoke(inspect_command, [str(tmp_path / "b"), "--json"])
    document = json.loads(shown.stdout)
    states = {engine["name"]: engine["state"] for engine in document["engines"]}
    assert ("certified", "certified") == (states["litert"], states["tensorflow"])
    assert max(engine["difference"] for engine in document["engines"]) < 1e-4
    assert document["training"]["packaged_from"] == "m"


def test_a_size_that_is_none_is_refused(source: Path, tmp_path: Path) -> None:
    """The option's form is shown."""
    result = run(source, tmp_path, "--input-range", "0..1", "--size", "large")
    assert isinstance(result.exception, UsageError)
    assert "write height x width, such as 224x224" in str(result.exception)


def test_a_bundle_is_not_packaged_again(source: Path, tmp_path: Path) -> None:
    """Who packages a bundle learns that it is one."""
    bundle = pack(source, tmp_path / "b", input_range="0..1").bundle
    with pytest.raises(UsageError, match="is a bundle already; use it with `--model`"):
        pack(bundle.path, tmp_path / "c")


def test_a_folder_that_is_no_saved_model(tmp_path: Path) -> None:
    """The sentence says how to write one."""
    with pytest.raises(UsageError, match=r"it has no saved_model\.pb; write one with"):
        pack(tmp_path, tmp_path / "b")
