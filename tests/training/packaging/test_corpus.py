"""Forms of models beside those of `tests/training/test_package.py`: each works or is refused."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from seefood.errors import UsageError
from tests.training.saved_models import (
    LABELS,
    SIZE,
    drawn,
    linear,
    pack,
    predictions,
    save,
    softmax,
)

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("uncollected_imports"),
]

GREY = np.array([0.299, 0.587, 0.114])


class Works(NamedTuple):
    """A form that is packaged, and its author's own answers."""

    make: Callable[[Path], Path]
    expected: Callable[[], np.ndarray]
    options: dict[str, Any]


def _classify(columns: int = 2) -> Callable[[Any], Any]:
    return linear(columns)[1]


def _own(columns: int = 2) -> Callable[[], np.ndarray]:
    """Return the answers of `linear` to the drawings in [0, 1]."""
    return lambda: softmax(_classify(columns)(drawn().astype(np.float32) / 255))


def _saved(adapt: Callable[[Any], Any], **how: Any) -> Callable[[Path], Path]:
    """Return a maker of a SavedModel that takes its input through `adapt`."""

    def make(folder: Path) -> Path:
        weights, classify = linear(2)
        return save(folder / "m", lambda x: classify(adapt(x)), keep={"w": weights}, **how)

    return make


def _cast(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (tests are collected without TensorFlow, too)

    return tf.cast(x, tf.float32)


def _unflattened(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return tf.reshape(x, (-1, SIZE, SIZE, 3))


def _unknown(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return tf.ensure_shape(x, (None, None, None, 3))


def _below(make: Callable[[Path], Path], name: str) -> Callable[[Path], Path]:
    """Return a maker of a folder that has the model in the subfolder `name`."""

    def inner(folder: Path) -> Path:
        (folder / "export").mkdir()
        make(folder).rename(folder / "export" / name)
        return folder / "export"

    return inner


def _zipped(folder: Path) -> Path:
    path = _saved(_cast)(folder)
    with zipfile.ZipFile(folder / "model.zip", "w") as archive:
        for file in path.rglob("*"):
            archive.write(file, file.relative_to(folder))
    return folder / "model.zip"


def _tarred(folder: Path) -> Path:
    _saved(_cast)(folder)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / "m", "m")
    return folder / "model.tar.gz"


def _keras_model(library: Any) -> Any:
    layers = library.layers
    library.utils.set_random_seed(1)
    model = library.Sequential(
        [
            library.Input((SIZE, SIZE, 3)),
            layers.RandomFlip("horizontal"),
            layers.Conv2D(4, 3, strides=4, activation="relu"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax"),
        ]
    )
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 20, bias])
    return model


def _keras(name: str, library: str) -> Works:
    def model() -> Any:
        import keras  # noqa: PLC0415 (as above)
        import tf_keras  # noqa: PLC0415 (as above)

        return _keras_model(keras if library == "keras" else tf_keras)

    def make(folder: Path) -> Path:
        model().save(str(folder / name))
        return folder / name

    def expected() -> np.ndarray:
        return np.asarray(model()(drawn().astype(np.float32) / 255, training=False))

    return Works(make, expected, {"input_range": "0..1", "filter": "nearest"})


def _litert(**how: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import tensorflow as tf  # noqa: PLC0415 (as above)

        path = _saved(_cast, shape=(1, SIZE, SIZE, 3))(folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(path))
        if how.get("half"):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        if how.get("whole"):
            pictures = drawn().astype(np.float32) / 255
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([each[None]] for each in pictures)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        (folder / "m.tflite").write_bytes(converter.convert())
        return folder / "m.tflite"

    return make


def _with_flag(dtype: str, name: str) -> Callable[[Path], Path]:
    """Return a maker of a model with a second input that is no picture."""

    def make(folder: Path) -> Path:
        import tensorflow as tf  # noqa: PLC0415 (as above)

        weights, classify = linear(2)
        module = tf.Module()
        module.w = weights

        def call(image: Any, other: Any) -> Any:
            wrong = tf.equal(tf.cast(other, tf.float32), 0.0 if "keep" in name else 1.0)
            return classify(image) * tf.where(wrong, 0.0, 1.0)

        specs = [
            tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32, name="image"),
            tf.TensorSpec((), dtype, name=name),
        ]
        module.f = tf.function(call, input_signature=specs)
        tf.saved_model.save(module, str(folder / "m"), signatures=module.f)
        return folder / "m"

    return make


def _outputs(structure: Callable[[Any], Any]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        weights, classify = linear(2)
        return save(folder / "m", lambda x: structure(classify(x)), keep={"w": weights})

    return make


def _files(decode: str, folder: Path) -> Path:
    """Save a model that takes JPEG or PNG files, as TF Serving has it."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)

    def one(data: Any) -> Any:
        pixels = getattr(tf.io, decode)(data, channels=3)
        return tf.image.resize(tf.cast(pixels, tf.float32) / 255, (SIZE, SIZE))

    def many(data: Any) -> Any:
        spec = tf.TensorSpec((SIZE, SIZE, 3), tf.float32)
        return classify(tf.map_fn(one, data, fn_output_signature=spec))

    return save(folder / "m", many, shape=(None,), dtype="string", keep={"w": weights})


def _tensorflow_1(folder: Path) -> Path:
    """Save as TensorFlow 1 did, with names of capitals, dots and slashes, and a string table."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    tf1 = tf.compat.v1
    weights = linear(2)[0].numpy()
    with tf.Graph().as_default(), tf1.Session() as session:
        image = tf1.placeholder(tf.float32, (None, SIZE, SIZE, 3), "Image")
        means, squares = tf.reduce_mean(image, (1, 2)), tf.reduce_mean(image**2, (1, 2))
        features = tf.concat([means, squares, means * squares, means - squares], 1)
        scores = features @ tf1.get_variable("w", initializer=weights)
        names = tf.gather(tf.constant(LABELS), tf.argmax(scores, 1))
        session.run(tf1.global_variables_initializer())
        outputs = {"Scores.of/Classes": scores, "Prediction": names}
        tf1.saved_model.simple_save(session, str(folder / "m"), {"Image/Input.1": image}, outputs)
    return folder / "m"


def _training_first(folder: Path) -> Path:
    """Save a module whose first trace has batch statistics, as TensorFlow Hub's have it."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)

    class Module(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
        def __init__(self) -> None:
            super().__init__()
            self.w = weights

        @tf.function  # type: ignore[untyped-decorator]  # as above
        def __call__(self, x: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 (Keras's)
            return classify(x - tf.reduce_mean(x, 0, keepdims=True)) if training else classify(x)

    module, spec = Module(), tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32)
    for training in (True, False):
        module.__call__.get_concrete_function(spec, training=training)
    tf.saved_model.save(module, str(folder / "m"))
    return folder / "m"


LOGITS = {"input_range": "0..1", "output_kind": "logits"}
SIZED = {**LOGITS, "size": (SIZE, SIZE)}


def _grey() -> np.ndarray:
    grey = np.rint(drawn() @ GREY)[..., np.newaxis].repeat(3, -1).astype(np.float32)
    return softmax(_classify()(grey / 255))


def _three(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return tf.repeat(tf.reshape(x, (-1, SIZE, SIZE, 1)), 3, axis=3)


WORKS = {
    "no batch": Works(_saved(lambda x: x[None], shape=(SIZE, SIZE, 3)), _own(), LOGITS),
    "a batch of one": Works(_saved(_cast, shape=(1, SIZE, SIZE, 3)), _own(), LOGITS),
    "flat": Works(_saved(_unflattened, shape=(None, SIZE * SIZE * 3)), _own(), LOGITS),
    "any size": Works(_saved(_cast, shape=(None, None, None, 3)), _own(), SIZED),
    "all sizes unknown": Works(_saved(_cast, shape=(None, None, None, None)), _own(), SIZED),
    "float64": Works(_saved(_cast, dtype="float64"), _own(), LOGITS),
    "float16": Works(_saved(_cast, dtype="float16"), _own(), LOGITS),
    "int32": Works(
        _saved(lambda x: _cast(x) / 255, dtype="int32"), _own(), {"output_kind": "logits"}
    ),
    "int64": Works(
        _saved(lambda x: _cast(x) / 255, dtype="int64"), _own(), {"output_kind": "logits"}
    ),
    "uint8": Works(
        _saved(lambda x: _cast(x) / 255, dtype="uint8"), _own(), {"output_kind": "logits"}
    ),
    "bgr": Works(_saved(lambda x: x[..., ::-1]), _own(), {**LOGITS, "channels": "bgr"}),
    "own mean": Works(
        _saved(lambda x: x * 0.5 + 0.25), _own(), {**LOGITS, "input_range": "0.25/0.5"}
    ),
    "a training flag": Works(_with_flag("bool", "training"), _own(), LOGITS),
    "a share to keep": Works(_with_flag("float32", "keep_prob"), _own(), LOGITS),
    "a version folder": Works(_below(_saved(_cast), "1"), _own(), LOGITS),
    "below the folder": Works(_below(_saved(_cast), "model.savedmodel"), _own(), LOGITS),
    "saved_model.pb": Works(lambda f: _saved(_cast)(f) / "saved_model.pb", _own(), LOGITS),
    "zip": Works(_zipped, _own(), LOGITS),
    "tar": Works(_tarred, _own(), LOGITS),
    "several outputs": Works(
        _outputs(lambda y: {"a": y, "features": y[:, :1] * 3}), _own(), LOGITS
    ),
    "an output by name": Works(
        _outputs(lambda y: {"a": y, "b": -y}), _own(), {**LOGITS, "output_name": "a"}
    ),
    "JPEG files": Works(lambda f: _files("decode_jpeg", f), _own(), {"output_kind": "logits"}),
    "PNG files": Works(lambda f: _files("decode_png", f), _own(), {"output_kind": "logits"}),
    "TensorFlow 1": Works(_tensorflow_1, _own(), LOGITS),
    "training traced first": Works(_training_first, _own(), LOGITS),
    "Keras 3 file": _keras("m.keras", "keras"),
    "Keras 3 HDF5": _keras("m.h5", "keras"),
    "Keras 2 HDF5": _keras("m.h5", "tf_keras"),
    "Keras 2 file": _keras("m.keras", "tf_keras"),
    "LiteRT": Works(_litert(), _own(), LOGITS),
    "LiteRT float16": Works(_litert(half=True), _own(), LOGITS),
}


def test_whole_numbers(tmp_path: Path) -> None:
    """A LiteRT file of 8-bit numbers runs with its own scales, which tell the pixels' range."""
    made = _litert(whole=True)(tmp_path)
    packaged = pack(made, tmp_path / "b", output_kind="logits", filter="nearest")
    assert "0..1" == packaged.pixels.range
    difference = np.abs(predictions(packaged, "auto") - _own()())
    assert difference.max() < 0.1  # what rounding to 8 bits costs this network
    assert difference.mean() < 0.03


def test_an_unknown_rank_needs_the_size(tmp_path: Path) -> None:
    """The message names the option, and with it the model is packaged."""
    path = _saved(_unknown, shape=None)(tmp_path)
    with pytest.raises(UsageError, match=r"give its size with `--size WxH`|`--size WxH`"):
        pack(path, tmp_path / "b", **LOGITS)
    packaged = pack(path, tmp_path / "b", **SIZED)
    np.testing.assert_allclose(predictions(packaged, "auto"), _own()(), atol=2e-3)


@pytest.mark.parametrize("case", WORKS.values(), ids=WORKS)
def test_form_works(case: Works, tmp_path: Path) -> None:
    """The bundle gives the answers of the model's own code."""
    packaged = pack(case.make(tmp_path), tmp_path / "b", **case.options)
    np.testing.assert_allclose(predictions(packaged, "auto"), case.expected(), atol=2e-3)


def test_grey_without_channel_axis(tmp_path: Path) -> None:
    """A network of `(n, height, width)` gets grey pixels; they are the author's."""
    path = _saved(_three, shape=(None, SIZE, SIZE))(tmp_path)
    packaged = pack(path, tmp_path / "b", **LOGITS)
    assert (SIZE, SIZE, 1) == packaged.bundle.spec.rule.shape


def _random(folder: Path, function: Callable[[Any], Any]) -> Path:
    return _saved(function)(folder)


def _noise(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return x + tf.random.normal(tf.shape(x), stddev=1e-4)


def _batch(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return x - tf.reduce_mean(x, axis=0, keepdims=True)


def _counter(folder: Path) -> Path:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)
    count = tf.Variable(0.0)
    return save(
        folder / "m", lambda x: classify(x) * count.assign_add(1.0), keep={"w": weights, "c": count}
    )


def _lambda(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import keras  # noqa: PLC0415 (as above)

        layers = keras.layers
        model = keras.Sequential(
            [keras.Input((SIZE, SIZE, 3)), layers.Lambda(lambda x: x / 2, name="half")]
        )
        model.save(str(folder / name))
        return folder / name

    return make


def _weights_only(folder: Path) -> Path:
    import keras  # noqa: PLC0415 (as above)

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save_weights(str(folder / "m.weights.h5"))
    return folder / "m.weights.h5"


def _two_pictures(folder: Path) -> Path:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    module = tf.Module()
    spec = (None, SIZE, SIZE, 3)
    specs = [tf.TensorSpec(spec, tf.float32, name=name) for name in ("left", "right")]
    module.f = tf.function(lambda a, b: tf.reduce_mean(a - b, (1, 2)), input_signature=specs)
    tf.saved_model.save(module, str(folder / "m"), signatures=module.f)
    return folder / "m"


def _written(name: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def _without_variables(folder: Path) -> Path:
    import shutil  # noqa: PLC0415 (of this case only)

    path = _saved(_cast)(folder)
    shutil.rmtree(path / "variables")
    return path


def _escaping(folder: Path) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../outside/saved_model.pb", b"x")
    return _written("m.zip", out.getvalue())(folder)


def _bomb(folder: Path) -> Path:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("saved_model.pb", bytes(100 * 1024**2))
    return _written("m.zip", out.getvalue())(folder)


REFUSED = {
    "noise": (lambda f: _random(f, _noise), "draws random numbers; .*training"),
    "the batch's mean": (lambda f: _random(f, _batch), "depends on the pictures beside it"),
    "a counter": (_counter, "the same picture gets another answer each time"),
    "Lambda in HDF5": (_lambda("m.h5"), "holds a Lambda layer .*, which is not run"),
    "Lambda in .keras": (_lambda("m.keras"), "holds a Lambda layer .*, which is not run"),
    "weights alone": (_weights_only, "holds weights without the model .*`model.save"),
    "two pictures": (_two_pictures, "2 of these are batches of pictures"),
    "a batch of eight": (_saved(_cast, shape=(8, SIZE, SIZE, 3)), "exactly 8 pictures at a time"),
    "four channels": (_saved(lambda x: x[..., :3], shape=(None, SIZE, SIZE, 4)), "4 channels"),
    "NaN": (_saved(lambda x: x * np.nan), "returns NaN or infinity|check `--labels`"),
    "PyTorch": (_written("m.pt", b"PK"), "export the model with `torch.onnx.export`"),
    "pickle": (_written("m.pkl", b"\x80"), "a pickle runs code"),
    "an empty file": (_written("m.keras", b""), "m.keras is not a whole HDF5 file|is empty"),
    "text": (_written("saved_model.pb", b"not a graph"), "not a SavedModel"),
    "no variables": (_without_variables, "has no variables folder|weights .* are damaged"),
    "an archive that escapes": (_escaping, "outside its folder; nothing was kept"),
    "an archive that explodes": (_bomb, "far more than its size explains"),
    "no such path": (lambda f: f / "absent", "there is no model at .*absent"),
    "an empty folder": (lambda f: f, "has no model in it"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_form_is_refused(
    make: Callable[[Path], Path], message: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What cannot be right is refused in one sentence, and nothing is written."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    with pytest.raises(UsageError, match=message):
        pack(make(source), target / "b", input_range="0..1")
    assert [] == list(target.iterdir())
