"""What a refusal tells the author of a Keras model to do is done, and makes a right bundle."""

import re
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seefood.errors import UsageError
from tests.training.model_forms import cast, own_answers, saved
from tests.training.saved_models import SIZE, drawn, linear, pack, predictions

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("uncollected_imports"),
]
KNOWN = {"input_range": "0..1", "filter": "nearest"}


def _model(*first: Any, library: str = "keras") -> Any:
    keras = import_module(library)
    layers = keras.layers
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            *first,
            layers.Conv2D(4, 3, strides=4, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 20, bias])
    return model


def _refusal(source: Path, folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        pack(source, folder / "refused", **KNOWN)
    return str(caught.value)


def _check(source: Path, folder: Path, model: Any) -> None:
    own = np.asarray(model(drawn().astype(np.float32) / 255, training=False))
    packaged = pack(source, folder / f"of {source.stem}", **KNOWN)
    np.testing.assert_allclose(predictions(packaged, "auto"), own, atol=2e-3)


def _commands(message: str) -> list[str]:
    """Return the lines of code in a message."""
    return re.findall(r"`([^`]*\(.*?)`", message)


def test_augmentation(tmp_path: Path) -> None:
    """Keras 3's export is refused; what the sentence says is run as it stands there."""
    import keras  # noqa: PLC0415 (tests are collected without TensorFlow, too)

    model = _model(keras.layers.RandomFlip(), keras.layers.RandomRotation(0.3))
    model.export(str(tmp_path / "export"), verbose=False)
    saving = _commands(_refusal(tmp_path / "export", tmp_path))[0]
    assert "model.save('model.keras')" == saving
    file = tmp_path / "model.keras"
    exec(saving.replace("model.keras", str(file)), {"model": model})  # noqa: S102 (the cure)
    _check(file, tmp_path, model)


def test_the_training_flag(tmp_path: Path) -> None:
    """A module whose only trace is for training is saved anew, with the code in the message."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    class Model(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
        def __init__(self) -> None:
            super().__init__()
            self.w, self.classify = linear(2)

        @tf.function  # type: ignore[untyped-decorator]  # as above
        def __call__(self, x: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 (Keras's)
            noise = tf.random.normal(tf.shape(x)) if training else 0.0
            return tf.nn.softmax(self.classify(x + noise))

    model = Model()
    model(tf.zeros((1, SIZE, SIZE, 3)), training=True)
    tf.saved_model.save(model, str(tmp_path / "m"))
    _, *tracing = _commands(_refusal(tmp_path / "m", tmp_path))
    names = {"model": model, "tf": tf, "folder": str(tmp_path / "again")}
    exec("\n".join(tracing), names)  # noqa: S102 (the cure)
    _check(tmp_path / "again", tmp_path, model)


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_a_lambda_layer(library: str, tmp_path: Path) -> None:
    """The file is refused; the SavedModel that the sentence says is packaged."""
    keras = import_module(library)
    model = _model(keras.layers.Lambda(lambda x: x * 2 - 1, name="twice"), library=library)
    model.save(str(tmp_path / "m.h5"))
    (saving,) = _commands(_refusal(tmp_path / "m.h5", tmp_path))
    exec(saving.replace("folder", str(tmp_path / "made")), {"model": model})  # noqa: S102 (the cure)
    _check(tmp_path / "made", tmp_path, model)


def test_weights_alone(tmp_path: Path) -> None:
    """They are loaded into the model, which is saved whole."""
    model = _model()
    model.save_weights(str(tmp_path / "m.weights.h5"))
    message = _refusal(tmp_path / "m.weights.h5", tmp_path)
    assert "load them into the model and save it whole, with `model.save('model.keras')`" in message
    other = _model()
    other.load_weights(str(tmp_path / "m.weights.h5"))
    other.save(str(tmp_path / "file.keras"))
    _check(tmp_path / "file.keras", tmp_path, model)


def test_missing_variables(tmp_path: Path) -> None:
    """The whole folder is copied."""
    path = saved(cast)(tmp_path)
    (path / "variables").rename(tmp_path / "kept")
    assert "copy the whole SavedModel: saved_model.pb and variables/" in _refusal(path, tmp_path)
    shutil.copytree(tmp_path / "kept", path / "variables")
    packaged = pack(path, tmp_path / "b", input_range="0..1", output_kind="logits")
    np.testing.assert_allclose(predictions(packaged, "auto"), own_answers()(), atol=2e-3)
