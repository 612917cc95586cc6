"""Makers of models in the forms that people have them in; each returns the path to give."""

import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.training.saved_models import LABELS, SIZE, drawn, linear, save, softmax


class Works(NamedTuple):
    """A form that is packaged, and its author's own answers."""

    make: Callable[[Path], Path]
    expected: Callable[[], np.ndarray]
    options: dict[str, Any]


def classifier(columns: int = 2) -> Callable[[Any], Any]:
    """Return the linear network of `saved_models`."""
    return linear(columns)[1]


def own_answers(columns: int = 2) -> Callable[[], np.ndarray]:
    """Return the answers of `linear` to the drawings in [0, 1]."""
    return lambda: softmax(classifier(columns)(drawn().astype(np.float32) / 255))


def saved(adapt: Callable[[Any], Any], **how: Any) -> Callable[[Path], Path]:
    """Return a maker of a SavedModel that takes its input through `adapt`."""

    def make(folder: Path) -> Path:
        weights, classify = linear(2)
        return save(folder / "m", lambda x: classify(adapt(x)), keep={"w": weights}, **how)

    return make


def cast(x: Any) -> Any:
    """Return `x` as float32."""
    import tensorflow as tf  # noqa: PLC0415 (tests are collected without TensorFlow, too)

    return tf.cast(x, tf.float32)


def unflattened(x: Any) -> Any:
    """Return flat pictures as `(n, SIZE, SIZE, 3)`."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return tf.reshape(x, (-1, SIZE, SIZE, 3))


def unknown(x: Any) -> Any:
    """Return `x`, whose rank is unknown until here."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return tf.ensure_shape(x, (None, None, None, 3))


def below(make: Callable[[Path], Path], name: str) -> Callable[[Path], Path]:
    """Return a maker of a folder that has the model in the subfolder `name`."""

    def inner(folder: Path) -> Path:
        (folder / "export").mkdir()
        make(folder).rename(folder / "export" / name)
        return folder / "export"

    return inner


def zipped(folder: Path) -> Path:
    """Save a zip archive of a SavedModel."""
    path = saved(cast)(folder)
    with zipfile.ZipFile(folder / "model.zip", "w") as archive:
        for file in path.rglob("*"):
            archive.write(file, file.relative_to(folder))
    return folder / "model.zip"


def tarred(folder: Path) -> Path:
    """Save a compressed tar archive of a SavedModel."""
    saved(cast)(folder)
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


def keras_file(name: str, library: str) -> Works:
    """Return the form of a file of Keras 3 or `tf_keras`."""

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


def litert(**how: Any) -> Callable[[Path], Path]:
    """Return a maker of a LiteRT file: `half` in float16, `whole` in 8-bit integers."""

    def make(folder: Path) -> Path:
        import tensorflow as tf  # noqa: PLC0415 (as above)

        path = saved(cast, shape=(1, SIZE, SIZE, 3))(folder)
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


def with_flag(dtype: str, name: str) -> Callable[[Path], Path]:
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


def with_outputs(structure: Callable[[Any], Any]) -> Callable[[Path], Path]:
    """Return a maker of a SavedModel whose outputs are `structure(scores)`."""

    def make(folder: Path) -> Path:
        weights, classify = linear(2)
        return save(folder / "m", lambda x: structure(classify(x)), keep={"w": weights})

    return make


def picture_files(
    decode: str, folder: Path, *, shape: tuple[int | None, ...] = (None,), is_base64: bool = False
) -> Path:
    """Save a model that takes JPEG or PNG files, as TF Serving has it."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)

    def one(data: Any) -> Any:
        file = tf.io.decode_base64(data) if is_base64 else data
        pixels = getattr(tf.io, decode)(file, channels=3)
        return tf.image.resize(tf.cast(pixels, tf.float32) / 255, (SIZE, SIZE))

    def many(data: Any) -> Any:
        spec = tf.TensorSpec((SIZE, SIZE, 3), tf.float32)
        return classify(
            tf.map_fn(one, data, fn_output_signature=spec) if shape else one(data)[tf.newaxis]
        )

    return save(folder / "m", many, shape=shape, dtype="string", keep={"w": weights})


def two_signatures(folder: Path) -> Path:
    """Save a module with two signatures, neither the default, that say different things."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    weights, classify = linear(2)
    module = tf.Module()
    module.w = weights
    spec = [tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32, name="pixels")]
    module.first = tf.function(lambda x: -classify(x), input_signature=spec)
    module.second = tf.function(classify, input_signature=spec)
    signatures = {"first": module.first, "second": module.second}
    tf.saved_model.save(module, str(folder / "m"), signatures=signatures)
    return folder / "m"


def tensorflow_1(folder: Path) -> Path:
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


def training_first(folder: Path) -> Path:
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
