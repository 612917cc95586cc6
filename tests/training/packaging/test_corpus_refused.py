"""Forms of models that cannot be right: each is refused in one sentence."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seefood.errors import UsageError
from tests.training.model_forms import cast, saved, two_signatures, with_outputs
from tests.training.saved_models import SIZE, linear, pack, save

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("uncollected_imports"),
]


def _random(folder: Path, function: Callable[[Any], Any]) -> Path:
    return saved(function)(folder)


def _noise(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return x + tf.random.normal(tf.shape(x), stddev=1e-4)


def _batch(x: Any) -> Any:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return x - tf.reduce_mean(x, axis=0, keepdims=True)


def _sorted_scores(folder: Path) -> Path:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return with_outputs(lambda y: tf.math.top_k(y, 2)._asdict())(folder)


def _names_alone(folder: Path) -> Path:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    return with_outputs(lambda y: tf.gather(tf.constant(["a", "b"]), tf.argmax(y, 1)))(folder)


def _a_map(folder: Path) -> Path:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    function = lambda x: tf.nn.softmax(x[..., :2])  # noqa: E731 (a map of each pixel's class)
    return save(folder / "m", function)


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

    path = saved(cast)(folder)
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
    "two signatures": (
        two_signatures,
        "signatures first and second both classify .*; choose one with `--signature`",
    ),
    "sorted scores": (_sorted_scores, "is sorted .*; export the scores before that"),
    "names alone": (_names_alone, "and no scores of whole pictures; export the model with"),
    "a map": (_a_map, "and no scores of whole pictures"),
    "Lambda in HDF5": (_lambda("m.h5"), "holds a Lambda layer .*, which is not run"),
    "Lambda in .keras": (_lambda("m.keras"), "holds a Lambda layer .*, which is not run"),
    "weights alone": (_weights_only, "holds weights without the model .*`model.save"),
    "two pictures": (_two_pictures, "2 of these are batches of pictures"),
    "a batch of eight": (saved(cast, shape=(8, SIZE, SIZE, 3)), "exactly 8 pictures at a time"),
    "four channels": (saved(lambda x: x[..., :3], shape=(None, SIZE, SIZE, 4)), "4 channels"),
    "NaN": (saved(lambda x: x * np.nan), "returns NaN or infinity|check `--labels`"),
    "PyTorch": (_written("m.pt", b"PK"), "export the model with `torch.onnx.export`"),
    "pickle": (_written("m.pkl", b"\x80"), "a pickle runs code"),
    "an empty file": (_written("m.keras", b""), "is empty; get the model again"),
    "a pointer": (
        _written("m.onnx", b"version https://git-lfs.github.com/spec/v1\n"),
        "a pointer of Git LFS .*`git lfs pull`",
    ),
    "half a .keras file": (_written("m.keras", b"PK\3\4" * 9), "not a whole .keras file"),
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
