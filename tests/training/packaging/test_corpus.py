"""Forms of models beside those of `tests/training/test_package.py` that are packaged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from tests.training.model_forms import (
    Works,
    below,
    cast,
    classifier,
    keras_file,
    litert,
    own_answers,
    picture_files,
    saved,
    tarred,
    tensorflow_1,
    training_first,
    two_signatures,
    unflattened,
    unknown,
    with_flag,
    with_outputs,
    zipped,
)
from tests.training.saved_models import SIZE, drawn, pack, predictions, softmax

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("uncollected_imports"),
]

GREY = np.array([0.299, 0.587, 0.114])


LOGITS = {"input_range": "0..1", "output_kind": "logits"}
SIZED = {**LOGITS, "size": (SIZE, SIZE)}


def _three(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return tf.repeat(tf.reshape(x, (-1, SIZE, SIZE, 1)), 3, axis=3)


WORKS = {
    "no batch": Works(saved(lambda x: x[None], shape=(SIZE, SIZE, 3)), own_answers(), LOGITS),
    "a batch of one": Works(saved(cast, shape=(1, SIZE, SIZE, 3)), own_answers(), LOGITS),
    "flat": Works(saved(unflattened, shape=(None, SIZE * SIZE * 3)), own_answers(), LOGITS),
    "any size": Works(saved(cast, shape=(None, None, None, 3)), own_answers(), SIZED),
    "all sizes unknown": Works(saved(cast, shape=(None, None, None, None)), own_answers(), SIZED),
    "float64": Works(saved(cast, dtype="float64"), own_answers(), LOGITS),
    "float16": Works(saved(cast, dtype="float16"), own_answers(), LOGITS),
    "int32": Works(
        saved(lambda x: cast(x) / 255, dtype="int32"), own_answers(), {"output_kind": "logits"}
    ),
    "int64": Works(
        saved(lambda x: cast(x) / 255, dtype="int64"), own_answers(), {"output_kind": "logits"}
    ),
    "uint8": Works(
        saved(lambda x: cast(x) / 255, dtype="uint8"), own_answers(), {"output_kind": "logits"}
    ),
    "bgr": Works(saved(lambda x: x[..., ::-1]), own_answers(), {**LOGITS, "channels": "bgr"}),
    "own mean": Works(
        saved(lambda x: x * 0.5 + 0.25), own_answers(), {**LOGITS, "input_range": "0.25/0.5"}
    ),
    "a training flag": Works(with_flag("bool", "training"), own_answers(), LOGITS),
    "a share to keep": Works(with_flag("float32", "keep_prob"), own_answers(), LOGITS),
    "a version folder": Works(below(saved(cast), "1"), own_answers(), LOGITS),
    "below the folder": Works(below(saved(cast), "model.savedmodel"), own_answers(), LOGITS),
    "saved_model.pb": Works(lambda f: saved(cast)(f) / "saved_model.pb", own_answers(), LOGITS),
    "zip": Works(zipped, own_answers(), LOGITS),
    "tar": Works(tarred, own_answers(), LOGITS),
    "several outputs": Works(
        with_outputs(lambda y: {"a": y, "features": y[:, :1] * 3}), own_answers(), LOGITS
    ),
    "an output by name": Works(
        with_outputs(lambda y: {"a": y, "b": -y}), own_answers(), {**LOGITS, "output_name": "a"}
    ),
    "JPEG files": Works(
        lambda f: picture_files("decode_jpeg", f), own_answers(), {"output_kind": "logits"}
    ),
    "PNG files": Works(
        lambda f: picture_files("decode_png", f), own_answers(), {"output_kind": "logits"}
    ),
    "one file": Works(
        lambda f: picture_files("decode_png", f, shape=()), own_answers(), {"output_kind": "logits"}
    ),
    "base64": Works(
        lambda f: picture_files("decode_png", f, is_base64=True),
        own_answers(),
        {"output_kind": "logits"},
    ),
    "a signature of two": Works(two_signatures, own_answers(), {**LOGITS, "signature": "second"}),
    "TensorFlow 1": Works(tensorflow_1, own_answers(), LOGITS),
    "training traced first": Works(training_first, own_answers(), LOGITS),
    "Keras 3 file": keras_file("m.keras", "keras"),
    "Keras 3 HDF5": keras_file("m.h5", "keras"),
    "Keras 2 HDF5": keras_file("m.h5", "tf_keras"),
    "Keras 2 file": keras_file("m.keras", "tf_keras"),
    "LiteRT": Works(litert(), own_answers(), LOGITS),
    "LiteRT float16": Works(litert(half=True), own_answers(), LOGITS),
}


def test_whole_numbers(tmp_path: Path) -> None:
    """A LiteRT file of 8-bit numbers runs with its own scales, which tell the pixels' range."""
    made = litert(whole=True)(tmp_path)
    packaged = pack(made, tmp_path / "b", output_kind="logits", filter="nearest")
    assert "0..1" == packaged.pixels.range
    difference = np.abs(predictions(packaged, "auto") - own_answers()())
    assert difference.max() < 0.1  # what rounding to 8 bits costs this network
    assert difference.mean() < 0.03


def test_an_unknown_rank_needs_the_size(tmp_path: Path) -> None:
    """The message names the option, and with it the model is packaged."""
    path = saved(unknown, shape=None)(tmp_path)
    with pytest.raises(UsageError, match=r"give its size with `--size WxH`|`--size WxH`"):
        pack(path, tmp_path / "b", **LOGITS)
    packaged = pack(path, tmp_path / "b", **SIZED)
    np.testing.assert_allclose(predictions(packaged, "auto"), own_answers()(), atol=2e-3)


@pytest.mark.parametrize("case", WORKS.values(), ids=WORKS)
def test_form_works(case: Works, tmp_path: Path) -> None:
    """The bundle gives the answers of the model's own code."""
    packaged = pack(case.make(tmp_path), tmp_path / "b", **case.options)
    np.testing.assert_allclose(predictions(packaged, "auto"), case.expected(), atol=2e-3)


def test_grey_without_channel_axis(tmp_path: Path) -> None:
    """A network of `(n, height, width)` gets grey pixels; they are the author's."""
    path = saved(_three, shape=(None, SIZE, SIZE))(tmp_path)
    packaged = pack(path, tmp_path / "b", **LOGITS)
    assert (SIZE, SIZE, 1) == packaged.bundle.spec.rule.shape
    grey = np.rint(drawn() @ GREY).astype(np.uint8)[..., np.newaxis]
    answers = load_engine(packaged.bundle, "auto").predict(grey)
    own = softmax(classifier()(grey.repeat(3, -1).astype(np.float32) / 255))
    np.testing.assert_allclose(answers, own, atol=2e-3)
