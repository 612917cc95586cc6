import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from seefood.bundle import load_bundle
from seefood.cli.inspect import inspect_command
from seefood.engines.loading import load_engine
from seefood.errors import BundleError, UsageError
from tests.training.saved_models import (
    SIZE,
    drawn,
    linear,
    pack,
    package_by_command,
    predictions,
    save,
    softmax,
    two_logits,
)

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("uncollected_imports")]


@pytest.fixture(scope="module")
def keras_application(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Return MobileNet of Keras: random weights, pixels in [-1, 1], ten probabilities."""
    import keras  # noqa: PLC0415 (as above)

    keras.utils.set_random_seed(3)
    model = keras.applications.MobileNet(
        alpha=0.25, weights=None, input_shape=(SIZE, SIZE, 3), classes=10
    )
    last = model.get_layer("conv_preds")
    kernel, bias = last.get_weights()
    last.set_weights([kernel * 4000, bias])
    path = tmp_path_factory.mktemp("models") / "keras"
    model.export(str(path), verbose=False)
    return path, model


@pytest.mark.slow
def test_a_keras_application(keras_application: tuple[Path, Any], tmp_path: Path) -> None:
    """An exported Keras model in [-1, 1]; probabilities are detected and both engines agree."""
    path, model = keras_application
    packaged = pack(
        path, tmp_path / "b", labels=tuple(f"class {at}" for at in range(10)), input_range="-1..1"
    )
    assert (packaged.answers.activation, packaged.litert_error) == ("none", None)
    expected = model.predict(drawn() / np.float32(127.5) - 1, verbose=0)
    for engine in ("litert", "tensorflow"):
        np.testing.assert_allclose(predictions(packaged, engine), expected, atol=1e-4)


def test_a_raw_module_in_zero_to_one(tmp_path: Path) -> None:
    """A `tf.Module` that takes floats in [0, 1] and returns probabilities."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)
    source = save(tmp_path / "m", lambda x: tf.nn.softmax(classify(x)), keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1")
    expected = softmax(classify(drawn().astype(np.float32) / 255))
    for engine in ("litert", "tensorflow"):
        np.testing.assert_allclose(predictions(packaged, engine), expected, atol=1e-5)


def test_logits_and_a_dynamic_size(tmp_path: Path) -> None:
    """Logits become probabilities, and without `--size` the error asks for it."""
    weights, classify = linear(3)
    source = save(
        tmp_path / "m",
        classify,
        shape=(None, None, None, 3),
        name="score",
        keep={"weights": weights},
    )
    labels = ("a", "b", "c")
    with pytest.raises(UsageError, match=r"score takes pictures of any size .*`--size WxH`"):
        pack(source, tmp_path / "b", labels=labels, input_range="0..1")
    sized = {"size": (SIZE, SIZE), "filter": "nearest"}
    packaged = pack(source, tmp_path / "b", labels=labels, input_range="0..1", **sized)
    assert (packaged.answers.activation, packaged.function) == ("softmax", "score")
    expected = softmax(classify(drawn().astype(np.float32) / 255))
    for engine in ("litert", "tensorflow"):
        np.testing.assert_allclose(predictions(packaged, engine), expected, atol=1e-5)


def test_one_sigmoid_is_two_labels(tmp_path: Path) -> None:
    """One sigmoid output is the second label's probability; the graph shows the sigmoid."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(1)
    source = save(tmp_path / "m", lambda x: tf.sigmoid(classify(x)), keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1", filter="nearest")
    expected = tf.sigmoid(classify(drawn().astype(np.float32) / 255)).numpy()[:, 0]
    np.testing.assert_allclose(predictions(packaged, "litert")[:, 1], expected, atol=1e-5)
    np.testing.assert_allclose(predictions(packaged, "litert").sum(axis=1), 1, atol=1e-6)


def test_one_logit_is_two_labels(tmp_path: Path) -> None:
    """One logit goes through a sigmoid."""
    weights, classify = linear(1, scale=30)
    source = save(tmp_path / "m", classify, keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1", filter="nearest")
    assert packaged.answers.activation == "sigmoid"
    expected = 1 / (1 + np.exp(-classify(drawn().astype(np.float32) / 255).numpy()[:, 0]))
    np.testing.assert_allclose(predictions(packaged, "tensorflow")[:, 1], expected, atol=1e-5)


def test_a_model_without_a_signature_is_called(tmp_path: Path) -> None:
    """`__call__` is used if no signature was saved."""
    weights, classify = linear(2)
    source = save(tmp_path / "m", classify, name="", keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1", output_kind="logits")
    assert packaged.function == "__call__"


def test_raw_bytes_need_no_range(tmp_path: Path) -> None:
    """A model that takes uint8 needs no `--input-range`."""
    weights, classify = linear(2, unit=255.0)
    source = save(tmp_path / "m", classify, dtype="uint8", keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", output_kind="logits")
    np.testing.assert_allclose(
        predictions(packaged, "litert"), softmax(classify(drawn())), atol=1e-4
    )


def test_channels_first(tmp_path: Path) -> None:
    """A model that takes channels first gets its axes in that order."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)
    source = save(
        tmp_path / "m",
        lambda x: classify(tf.transpose(x, (0, 2, 3, 1))),
        shape=(None, 3, SIZE, SIZE),
        keep={"weights": weights},
    )
    packaged = pack(source, tmp_path / "b", input_range="0..1", output_kind="logits")
    expected = softmax(classify(drawn().astype(np.float32) / 255))
    np.testing.assert_allclose(predictions(packaged, "litert"), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["imagenet", "caffe"])
def test_named_ranges(name: str, tmp_path: Path) -> None:
    """The ranges `imagenet` and `caffe` equal Keras's preprocessing."""
    import keras  # noqa: PLC0415 (as above)

    weights, classify = linear(2, scale=1.0, unit=100.0 if name == "caffe" else 1.0)
    source = save(tmp_path / "m", classify, keep={"weights": weights})
    options = {"output_kind": "logits", "filter": "nearest"}
    packaged = pack(source, tmp_path / "b", input_range=name, **options)
    mode = "torch" if name == "imagenet" else "caffe"
    prepared = keras.applications.imagenet_utils.preprocess_input(
        drawn().astype(np.float32), data_format="channels_last", mode=mode
    )
    np.testing.assert_allclose(
        predictions(packaged, "litert"), softmax(classify(prepared)), atol=1e-4
    )


def test_graph_that_litert_cannot_run(tmp_path: Path) -> None:
    """The bundle has no LiteRT file, the reason is reported, and TensorFlow runs it."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)

    def function(pixels: Any) -> Any:
        return classify(tf.math.special.bessel_j0(pixels))

    source = save(tmp_path / "m", function, keep={"weights": weights})
    packaged = pack(source, tmp_path / "b", input_range="0..1", output_kind="logits")
    assert packaged.litert_error is not None
    assert "BesselJ0" in packaged.litert_error
    expected = softmax(function(drawn().astype(np.float32) / 255))
    np.testing.assert_allclose(predictions(packaged, "auto"), expected, atol=1e-5)
    with pytest.raises(BundleError, match="use `--engine tensorflow`"):
        load_engine(packaged.bundle, "litert")


def test_graph_that_cannot_be_frozen(tmp_path: Path) -> None:
    """A graph with a hash table is saved unfrozen, and TensorFlow runs it."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant([0, 1], tf.int64), tf.constant([1.0, 1.0])),
        default_value=1.0,
    )

    def function(pixels: Any) -> Any:
        return classify(pixels) * table.lookup(tf.constant([0], tf.int64))

    source = save(tmp_path / "m", function, keep={"weights": weights, "table": table})
    packaged = pack(source, tmp_path / "b", input_range="0..1", output_kind="logits")
    assert packaged.litert_error is not None
    expected = softmax(classify(drawn().astype(np.float32) / 255))
    np.testing.assert_allclose(predictions(packaged, "tensorflow"), expected, atol=1e-5)


def test_a_filter_that_matters_is_asked_for(tmp_path: Path) -> None:
    """Without `--filter` the command shows what another one changes; nothing is written."""
    weights, classify = linear(2, scale=1.0, unit=100.0)
    path = save(tmp_path / "m", classify, keep={"weights": weights})
    result = package_by_command(path, tmp_path, "--input-range", "caffe", "--logits")
    assert isinstance(result.exception, UsageError)
    assert "say which with `--filter`" in str(result.exception)
    assert "Keras's load_img" in result.stderr
    assert not (tmp_path / "b").exists()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of two logits."""
    return two_logits(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "does not state the range of its pixels; say which with `--input-range`"),
        (
            {"input_range": "0..1", "output_kind": "probabilities"},
            "these are not probabilities of one label; use `--logits`",
        ),
        ({"input_range": "0..1", "size": (64, 64)}, "`--size 64x64` contradicts serving_default"),
        ({"input_range": "0..1", "signature": "other"}, "has no signature 'other'; it has serving"),
        (
            {"input_range": "0..1", "labels": ("a", "b", "c")},
            "none has a number for each of the 3 labels",
        ),
    ],
    ids=["range", "probabilities", "size", "signature", "labels"],
)
def test_missing_or_contradicting_option(
    source: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    """A missing or contradicting option is a usage error with its name; nothing is written."""
    with pytest.raises(UsageError, match=message):
        pack(source, tmp_path / "b", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_second_softmax_is_refused(tmp_path: Path) -> None:
    """`--logits` is refused for a model that returns probabilities."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)
    path = save(tmp_path / "m", lambda x: tf.nn.softmax(classify(x)), keep={"weights": weights})
    with pytest.raises(UsageError, match="returns probabilities already; leave `--logits` out"):
        pack(path, tmp_path / "b", input_range="0..1", output_kind="logits")


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ((None,), "string", "takes picture files"),
        ((None, 10), "float32", "none of these is a batch of pictures"),
    ],
    ids=["bytes", "features"],
)
def test_model_without_picture_input(
    tmp_path: Path, shape: tuple[int | None, ...], dtype: str, message: str
) -> None:
    """A signature that takes no pictures is a usage error with its type and shape."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    path = save(tmp_path / "m", lambda x: tf.zeros((tf.shape(x)[0], 2)), shape=shape, dtype=dtype)
    with pytest.raises(UsageError, match=message):
        pack(path, tmp_path / "b", input_range="0..1")


def test_command_output(source: Path, tmp_path: Path) -> None:
    """The folder is on stdout and a summary on stderr; `inspect` certifies both engines."""
    options = ("--filter", "bicubic", "--fit", "pad", "--name", "mine")
    result = package_by_command(source, tmp_path, "--input-range", "-1..1", *options)
    assert f"{tmp_path / 'b'}\n" == result.stdout
    assert (
        "mine: 2 labels, input 32x32, pixels -1..1, bicubic, pad, rgb, logits from serving_default"
        in result.stderr
    )
    assert load_bundle(tmp_path / "b").spec.rule.fit == "pad"
    shown = CliRunner().invoke(inspect_command, [str(tmp_path / "b"), "--json"])
    document = json.loads(shown.stdout)
    engines = {engine["name"]: engine for engine in document["engines"]}
    for name in ("litert", "tensorflow"):
        assert "certified" == engines[name]["state"]
        assert engines[name]["difference"] < 1e-4
    assert document["training"]["packaged_from"] == "m"


def test_malformed_size(source: Path, tmp_path: Path) -> None:
    """A malformed `--size` is a usage error with an example."""
    result = package_by_command(source, tmp_path, "--input-range", "0..1", "--size", "large")
    assert isinstance(result.exception, UsageError)
    assert "write width x height, such as 224x224" in str(result.exception)


def test_a_bundle_is_not_packaged_again(source: Path, tmp_path: Path) -> None:
    """A bundle is refused with the option that uses it."""
    bundle = pack(source, tmp_path / "b", input_range="0..1", filter="nearest").bundle
    with pytest.raises(UsageError, match="is a bundle already; use it with `--model`"):
        pack(bundle.path, tmp_path / "c")


def test_folder_without_saved_model(tmp_path: Path) -> None:
    """The message has the calls that write a SavedModel."""
    with pytest.raises(UsageError, match=r"no saved_model\.pb, .*write a SavedModel with"):
        pack(tmp_path, tmp_path / "b")
