"""The networks that everybody runs, made once: MobileNetV2-1.0-224 as float32, int8 and ONNX.

The head is fitted in closed form on a few hundred photos, so that labels mean something and the
table can say who got them right; without photos it is random. Ours and the bare loops read the
bundle; TensorFlow's users have what `model.export` writes, so that is what their contenders get.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.pictures import LABELS, training_photos
from benchmarks.setting import CACHE, DATA, ROOT, python

if TYPE_CHECKING:
    from training.convert import Quantisation

SIDE: Final = 224
_FOLDER: Final = CACHE / "network-2"
_WEIGHTS: Final = DATA / "weights" / "mobilenet_v2_1.0_224_from_int8_no_top.weights.h5"
_PHOTOS_EACH: Final = 400
_CALIBRATION: Final = 200


@dataclass(frozen=True, slots=True)
class Networks:
    """Where they lie."""

    float32: Path
    int8: Path
    exported: Path
    """The same network as an ordinary SavedModel: what Keras's `model.export` writes."""
    onnx: Path
    """Absent if tf2onnx is not installed."""


def ensure_networks() -> Networks:
    """Return the networks; the first time they are made, which takes about a minute."""
    networks = _at(_FOLDER)
    if not _FOLDER.is_dir():
        subprocess.run([python(), "-m", "benchmarks.network"], cwd=ROOT, check=True)
    return networks


def _at(folder: Path) -> Networks:
    return Networks(
        folder / "mobilenet_v2",
        folder / "mobilenet_v2_int8",
        folder / "mobilenet_v2_exported",
        folder / "mobilenet_v2.onnx",
    )


def make_networks() -> None:
    """Make all of them, in a process of its own: nobody else here loads TensorFlow."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    scratch = _FOLDER.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    networks = _at(scratch)
    photos = training_photos(_PHOTOS_EACH)
    images = _images([file for file, _ in photos])
    model = _model(images, [label for _, label in photos])
    _export(model, networks, images)
    _export_as_keras_does(model, networks.exported)
    _convert(networks)
    scratch.rename(_FOLDER)


def _images(files: list[Path]) -> Any:
    """Return the decoded photos, uint8 of shape `(n, 224, 224, 3)`; noise if there are none."""
    import numpy as np  # noqa: PLC0415 (as below: the harness itself stays light)

    from seefood.image import ResizeRule, decode  # noqa: PLC0415

    rule = ResizeRule(SIDE, SIDE)
    if not files:
        shape = (_CALIBRATION, SIDE, SIDE, 3)
        return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return np.stack([decode(file.read_bytes(), rule).pixels for file in files])


def _model(images: Any, labels: list[int]) -> Any:
    """Return a keras model from RGB in [0, 255] to logits."""
    import keras  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    keras.utils.set_random_seed(0)
    shape = (SIDE, SIDE, 3)
    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=shape, pooling="avg"
    )
    if _WEIGHTS.is_file():
        backbone.load_weights(_WEIGHTS)
    pixels = keras.Input(shape)
    scaled = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
    features = backbone(scaled, training=False)
    head = keras.layers.Dense(len(LABELS))
    model = keras.Model(pixels, head(features))
    if labels:
        x = keras.Model(pixels, features).predict(images, batch_size=32, verbose=0)
        x = np.hstack([x, np.ones((len(x), 1), x.dtype)]).astype(np.float64)
        y = np.eye(len(LABELS))[labels] * 8 - 4
        weights = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ y)
        head.set_weights([weights[:-1], weights[-1]])
    return model


def _export(model: Any, networks: Networks, images: Any) -> None:
    from seefood.image import ResizeRule  # noqa: PLC0415
    from training.export import export_bundle  # noqa: PLC0415

    step = max(1, len(images) // _CALIBRATION)
    kinds: tuple[tuple[Path, Quantisation], ...] = (
        (networks.float32, "float32"),
        (networks.int8, "int8"),
    )
    for path, quantisation in kinds:
        export_bundle(
            model,
            path,
            name=f"MobileNetV2-1.0-224 {quantisation}",
            labels=LABELS,
            rule=ResizeRule(SIDE, SIDE),
            temperature=1.0,
            thresholds=[0.0] * len(LABELS),
            training={"network": "MobileNetV2", "for": "benchmarks"},
            metrics={},
            quantisation=quantisation,
            calibration_images=images[::step],
        )


def _export_as_keras_does(model: Any, path: Path) -> None:
    """Write the network as its documentation has it: uint8 RGB in, probabilities out."""
    import keras  # noqa: PLC0415

    pixels = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")
    answers = keras.layers.Softmax()(model(pixels, training=False))
    keras.Model(pixels, answers).export(path, verbose=False)


def _convert(networks: Networks) -> None:
    """Write the SavedModel as ONNX, if tf2onnx is installed."""
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("tf2onnx") is None:
        return
    command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(networks.float32)]
    subprocess.run(
        [*command, "--output", str(networks.onnx), "--opset", "18"], check=True, capture_output=True
    )


if __name__ == "__main__":
    make_networks()
