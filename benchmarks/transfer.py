"""Training on one's own photos: `seefood train` beside what people would write with Keras.

    python -m benchmarks.transfer DATA --network NAME=WEIGHTS … --results FILE [--each 20]

DATA has `train/` and `test/`, each with one folder per class. WEIGHTS is a file, or `imagenet` for
an EfficientNet-Lite. `default` is `seefood train` without options. For every network:

* `tutorial`: the first half of Keras's "Transfer learning and fine-tuning" (frozen backbone, random
  flip and rotation, global average, dropout 0.2, Adam 1e-3, 5 epochs, batches of 32);
* `fine-tuned`: its second half (all layers trained with Adam 1e-5 for 5 more epochs, batch norm in
  inference mode);
* `logistic`: scikit-learn's LogisticRegression, as it is, on the frozen backbone's features;
* `ours`: `seefood train --network NAME --weights WEIGHTS`.

Accuracy is on the test photos, which no contender sees before. CPU and wall time are of the whole
contender, each in a process of its own. Each row is appended to FILE when it is measured; the same
command continues after the rows that FILE has, and prints the table of all.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

CONTENDERS: Final = ("default", "tutorial", "fine-tuned", "logistic", "ours")
_EPOCHS: Final = 5
_BATCH: Final = 32
_NETWORKS: Final = {
    "mobilenet_v1_0.75": ("MobileNet", "mobilenet_v1", 0.75, 224),
    "mobilenet_v2": ("MobileNetV2", "mobilenet_v2", 1.0, 224),
    "mobilenet_v2_0.35": ("MobileNetV2", "mobilenet_v2", 0.35, 224),
    "folded_mobilenet_v1_0.75": ("MobileNet", "folded_mobilenet_v1", 0.75, 224),
    "folded_mobilenet_v2": ("MobileNetV2", "folded_mobilenet_v2", 1.0, 224),
    "folded_mobilenet_v2_0.35": ("MobileNetV2", "folded_mobilenet_v2", 0.35, 224),
    "efficientnet_lite0": ("", "efficientnet_lite0", 1.0, 224),
    "efficientnet_lite1": ("", "efficientnet_lite1", 1.0, 240),
    "efficientnet_lite2": ("", "efficientnet_lite2", 1.0, 260),
}
"""By the NAME of `--network`: in keras.applications, in seefood, the multiplier, and the input side
in pixels. keras.applications has no EfficientNet-Lite: the contenders get seefood's."""


def tutorial(data: Path, network: str, weights: str, *, fine_tune: bool) -> float:
    """Return the test accuracy of Keras's tutorial."""
    import keras  # noqa: PLC0415 (as below: each contender loads only its own libraries)

    keras.utils.set_random_seed(0)
    side = _NETWORKS[network][3]
    train, test = (_keras_photos(data / part, side) for part in ("train", "test"))
    backbone, offset = _backbone(network, weights)
    backbone.trainable = False
    layers = keras.layers
    inputs = keras.Input((side, side, 3))
    x = layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(inputs))
    x = layers.Rescaling(*offset)(x)
    x = layers.GlobalAveragePooling2D()(backbone(x, training=False))
    outputs = layers.Dense(len(train.class_names))(layers.Dropout(0.2)(x))
    model = keras.Model(inputs, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    model.fit(train, epochs=_EPOCHS, verbose=0)
    if fine_tune:
        backbone.trainable = True
        for layer in backbone.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
        model.compile(keras.optimizers.Adam(1e-5), loss, metrics=["accuracy"])
        model.fit(train, epochs=_EPOCHS, verbose=0)
    return float(model.evaluate(test, verbose=0)[1])


def logistic(data: Path, network: str, weights: str) -> float:
    """Return the test accuracy of a logistic regression on the frozen backbone's features."""
    import keras  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    backbone, (scale, offset) = _backbone(network, weights)
    pool = keras.layers.GlobalAveragePooling2D()
    parts = []
    for part in ("train", "test"):
        features, labels = [], []
        for images, classes in _keras_photos(data / part, _NETWORKS[network][3]):
            maps = backbone(images * scale + offset, training=False)
            features.append(np.asarray(pool(maps)))
            labels.append(np.asarray(classes))
        parts.append((np.concatenate(features), np.concatenate(labels)))
    regression = LogisticRegression(max_iter=1000).fit(*parts[0])
    return float(regression.score(*parts[1]))


def ours(data: Path, network: str, weights: str) -> dict[str, Any]:
    """Return the test accuracy of `seefood train`, and the share left unsure there."""
    command = [sys.executable, "-m", "seefood", "train", str(data), "--quiet"]
    if weights:
        _, name, alpha, _ = _NETWORKS[network]
        command += ["--network", name, "--weights", weights, "--multiplier", str(alpha)]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "bundle"
        subprocess.run([*command, "--output", str(output)], check=True, stdout=subprocess.DEVNULL)
        figures = json.loads((output / "assets.extra" / "bundle.json").read_bytes())["metrics"]
    test = figures["test"]
    return {"accuracy": test["accuracy"]["value"], "unsure": test["unsure"]["value"]}


def _backbone(network: str, weights: str) -> tuple[Any, tuple[float, float]]:
    """Return the network without pooling, and the scale and offset that its pixels need."""
    import keras  # noqa: PLC0415

    application, name, alpha, side = _NETWORKS[network]
    if not application:
        from seefood_training.networks import NetworkChoice, build  # noqa: PLC0415

        whole = build(NetworkChoice(name, side, side, 2), "imagenet")
        return keras.Model(whole.input, whole.get_layer("head").output), (1.0, 0.0)
    backbone = getattr(keras.applications, application)(
        alpha=alpha, include_top=False, weights=None, input_shape=(side, side, 3)
    )
    backbone.load_weights(weights)
    return backbone, (1 / 127.5, -1.0)


def _keras_photos(folder: Path, side: int) -> Any:
    import keras  # noqa: PLC0415

    return keras.utils.image_dataset_from_directory(
        folder, image_size=(side, side), batch_size=_BATCH, seed=0, verbose=False
    )


def few(data: Path, each: int, target: Path) -> Path:
    """Make a folder like `data` with `each` training photos a class, and return it."""
    for folder in sorted((data / "train").iterdir()):
        (target / "train" / folder.name).mkdir(parents=True)
        files = sorted(folder.iterdir())
        step = max(1, len(files) // each)
        for file in files[::step][:each]:
            shutil.copy(file, target / "train" / folder.name)
    shutil.copytree(data / "test", target / "test")
    return target


def _measure(contender: str, data: Path, network: str, weights: str) -> dict[str, Any]:
    if contender in {"default", "ours"}:
        return ours(data, network, weights)
    if contender == "logistic":
        return {"accuracy": logistic(data, network, weights)}
    return {
        "accuracy": tutorial(data, network, weights, fine_tune=contender == "fine-tuned"),
    }


def _run(contender: str, data: Path, pair: str) -> dict[str, Any]:
    """Run a contender in a process of its own and return its figures and times."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "benchmarks.transfer", str(data), "--measure", contender, pair]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**figures, "cpu": cpu, "wall": time.monotonic() - started}


def _row(network: str, contender: str, figures: dict[str, Any]) -> str:
    unsure = f"{figures['unsure']:.1%}" if "unsure" in figures else "-"
    times = (f"{figures['cpu']:.0f}", f"{figures['wall']:.0f}")
    cells = (network or "-", contender, f"{figures['accuracy']:.3f}", unsure, *times)
    return "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transfer", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--network", action="append", default=[], metavar="NAME=WEIGHTS")
    parser.add_argument("--each", type=int, help="training photos a class")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=CONTENDERS)
    parser.add_argument("--results", type=Path, help="JSON lines; rows that it has are not rerun")
    parser.add_argument("--measure", nargs=2, metavar=("CONTENDER", "PAIR"))
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.measure:
        contender, pair = options.measure
        name, _, weights = pair.partition("=")
        print(json.dumps(_measure(contender, options.data, name, weights)))
        return
    done = {}
    if options.results and options.results.exists():
        lines = map(json.loads, options.results.read_text().splitlines())
        done = {(line["network"], line["what"]): line for line in lines}
    wanted = [("=", "default")] if "default" in options.only else []
    others = [each for each in options.only if each != "default"]
    wanted += [(pair, contender) for pair in options.network for contender in others]
    print("| network | what | test accuracy | unsure | CPU, s | wall, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        data = few(options.data, options.each, Path(folder)) if options.each else options.data
        for pair, contender in wanted:
            name = pair.partition("=")[0]
            figures = done.get((name, contender)) or _run(contender, data.absolute(), pair)
            if options.results and (name, contender) not in done:
                with options.results.open("a") as file:
                    file.write(json.dumps({"network": name, "what": contender, **figures}) + "\n")
            print(_row(name, contender, figures), flush=True)


if __name__ == "__main__":
    main()
