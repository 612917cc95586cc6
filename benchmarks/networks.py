"""The networks of all contenders: MobileNetV2-1.0-224 as float32, int8, cascade, ONNX, PyTorch.

The cascade's small network is a MobileNetV2 of a third of the width. The heads are fitted in
closed form on 1,400 photos, so that the table can show accuracy; without photos they are random.
seefood and the bare loops read the bundle; TensorFlow's contenders read what Keras's
`model.export` writes. The networks are created once, in the cache.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.pictures import LABELS, training_photos
from benchmarks.settings import CACHE, DATA, ROOT, python
from benchmarks.torch_weights import write_torch_weights

if TYPE_CHECKING:
    from seefood.bundle import Bundle
    from seefood_training.quantisation import Quantisation

SIDE: Final = 224
_FOLDER: Final = CACHE / "network-7"
_WEIGHTS: Final = {
    1.0: DATA / "weights" / "mobilenet_v2_1.0_224_from_int8_no_top.weights.h5",
    0.35: DATA / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5",
}
_PHOTOS_EACH: Final = 700
_RIDGE: Final = 300.0
"""Regularises the heads."""
_CALIBRATION: Final = 200
_CHOOSING_EACH: Final = 2400
_POINTS_LOST: Final = 0.25
_FIRST_TEMPERATURE: Final = 4.0
"""Spreads the small network's probabilities, of which int8 distinguishes only 256."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Paths of the networks."""

    float32: Path
    int8: Path
    cascade: Path
    """Does not exist without photos, which its threshold is chosen on."""
    exported: Path
    """The same network as Keras's `model.export` writes it."""
    onnx: Path
    """Does not exist if tf2onnx is not installed."""
    torch: Path
    """The weights of the same network for torchvision."""


def ensure_networks() -> Networks:
    """Return the networks; the first call creates them, which takes several minutes.

    This interpreter makes them, not that of the peers: training needs scikit-learn and SciPy, which
    peers import where they are installed, and would start later.
    """
    networks = _in_folder(_FOLDER)
    if not _FOLDER.is_dir():
        subprocess.run([sys.executable, "-m", "benchmarks.networks"], cwd=ROOT, check=True)
    return networks


def _in_folder(folder: Path) -> Networks:
    return Networks(
        folder / "mobilenet_v2",
        folder / "mobilenet_v2_int8",
        folder / "mobilenet_v2_cascade",
        folder / "mobilenet_v2_exported",
        folder / "mobilenet_v2.onnx",
        folder / "mobilenet_v2_torch.npz",
    )


def make_networks() -> None:
    """Create all networks. Loads TensorFlow, so it runs in a process of its own."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    scratch = _FOLDER.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    networks = _in_folder(scratch)
    photos = training_photos(_PHOTOS_EACH)
    images = _images([file for file, _ in photos])
    labels = [label for _, label in photos]
    model = _model(images, labels)
    _export(model, networks.float32, images, "float32")
    _export(model, networks.int8, images, "int8")
    if photos:
        first = scratch / "mobilenet_v2_0.35_int8"
        _export(_model(images, labels, 0.35), first, images, "int8", _FIRST_TEMPERATURE)
        _make_cascade(first, networks)
    _export_as_keras_does(model, networks.exported)
    to_onnx(networks.float32, networks.onnx)
    backbone, head = model.layers[-2:]
    write_torch_weights(backbone, head, networks.torch)
    scratch.rename(_FOLDER)


def _images(files: list[Path]) -> Any:
    """Return the decoded photos, uint8 of shape `(n, 224, 224, 3)`; noise if there are none."""
    import numpy as np  # noqa: PLC0415 (as below: `ensure_networks` must not load them)

    from seefood.imaging.decode import ResizeRule, decode  # noqa: PLC0415

    rule = ResizeRule(SIDE, SIDE)
    if not files:
        shape = (_CALIBRATION, SIDE, SIDE, 3)
        return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return np.stack([decode(file.read_bytes(), rule).pixels for file in files])


def _model(images: Any, labels: list[int], width: float = 1.0) -> Any:
    """Return a Keras model from RGB in [0, 255] to logits; `width` is MobileNetV2's alpha."""
    import keras  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    keras.utils.set_random_seed(0)
    shape = (SIDE, SIDE, 3)
    backbone = keras.applications.MobileNetV2(
        alpha=width, include_top=False, weights=None, input_shape=shape, pooling="avg"
    )
    if _WEIGHTS[width].is_file():
        backbone.load_weights(_WEIGHTS[width])
    pixels = keras.Input(shape)
    scaled = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
    features = backbone(scaled, training=False)
    head = keras.layers.Dense(len(LABELS))
    model = keras.Model(pixels, head(features))
    if labels:
        x = keras.Model(pixels, features).predict(images, batch_size=32, verbose=0)
        x = np.hstack([x, np.ones((len(x), 1), x.dtype)]).astype(np.float64)
        y = np.eye(len(LABELS))[labels] * 8 - 4
        weights = np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ y)
        head.set_weights([weights[:-1], weights[-1]])
    return model


def _export(
    model: Any, path: Path, images: Any, quantisation: "Quantisation", temperature: float = 1.0
) -> None:
    from seefood.imaging.decode import ResizeRule  # noqa: PLC0415
    from seefood_training.export import export_bundle  # noqa: PLC0415

    export_bundle(
        model,
        path,
        name=f"{path.name} {quantisation}",
        labels=LABELS,
        rule=ResizeRule(SIDE, SIDE),
        temperature=temperature,
        thresholds=[0.0] * len(LABELS),
        training={"network": "MobileNetV2", "for": "benchmarks"},
        metrics={},
        quantisation=quantisation,
        calibration_images=images[:: max(1, len(images) // _CALIBRATION)],
    )


def _make_cascade(first: Path, networks: Networks) -> None:
    """Choose the cascade's threshold on photos that the heads were not fitted on."""
    from seefood.bundle import load_bundle  # noqa: PLC0415
    from seefood.records import ImageRef  # noqa: PLC0415
    from seefood_training.cascade import make_cascade  # noqa: PLC0415
    from seefood_training.data import Photo  # noqa: PLC0415

    photos = training_photos(_CHOOSING_EACH, after=_PHOTOS_EACH)
    made = make_cascade(
        load_bundle(first),
        load_bundle(networks.int8),
        [Photo(ImageRef(file.as_uri()), label) for file, label in photos],
        networks.cascade,
        name=networks.cascade.name,
        points_lost=_POINTS_LOST,
    )
    print(made.choice.as_json(), file=sys.stderr)


def _export_as_keras_does(model: Any, path: Path) -> None:
    """Write an ordinary SavedModel: uint8 RGB in, probabilities out."""
    import keras  # noqa: PLC0415

    pixels = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")
    probabilities = keras.layers.Softmax()(model(pixels, training=False))
    keras.Model(pixels, probabilities).export(path, verbose=False)


def onnx_of(bundle: "Bundle") -> Path | None:
    """Return the SavedModel of `bundle` as ONNX; None if tf2onnx is not installed."""
    output = CACHE / f"{bundle.name}-{bundle.digest[:12]}.onnx"
    if not output.is_file():
        to_onnx(bundle.path, output)
    return output if output.is_file() else None


def to_onnx(saved_model: Path, output: Path) -> None:
    """Write the SavedModel as ONNX, if tf2onnx is installed in the contenders' environment."""
    program = str(python())
    probe = subprocess.run([program, "-c", "import tf2onnx"], check=False, capture_output=True)
    if probe.returncode:
        return
    source = ["--saved-model", str(saved_model), "--signature_def", "serving_default"]
    command = [program, "-m", "tf2onnx.convert", *source, "--output", str(output)]
    subprocess.run([*command, "--opset", "18"], check=True, capture_output=True)


if __name__ == "__main__":
    make_networks()
