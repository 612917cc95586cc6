"""The networks: parameters of the classics, sizes, weights, and the registry."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seefood.errors import UsageError

pytest.importorskip("tensorflow", reason="building networks needs TensorFlow")

import keras

from seefood_training.augment import NONE
from seefood_training.fit import fit
from seefood_training.fit_types import Examples, Schedule, Task
from seefood_training.networks import (
    NETWORKS,
    NetworkChoice,
    NetworkSpec,
    Weights,
    build,
    inference_model,
    register,
)
from seefood_training.networks.blocks.batch_norm import follow_short_runs, keep_inference_mode

if TYPE_CHECKING:
    from collections.abc import Mapping

V2_WEIGHTS = "mobilenet_v2_0.35_224_no_top.weights.h5"


def _choice(
    name: str, side: int, classes: int, channels: int = 3, multiplier: float = 1.0
) -> NetworkChoice:
    return NetworkChoice(name, side, side, classes, channels, multiplier)


def _mean_colour(choice: NetworkChoice, weights: Weights) -> keras.Model:
    """Build a network that classifies by the mean colour."""
    del weights
    pixels = keras.Input(choice.shape)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(pixels))
    return keras.Model(pixels, keras.layers.Dense(choice.classes, name="logits")(x))


def test_registered_network_is_trained() -> None:
    """A network that is registered from outside is built and trained by its name."""
    register(NetworkSpec("mean_colour", 16, _mean_colour, takes_weights=False))
    labels = np.arange(8) % 2
    pixels = np.full((8, 16, 16, 3), labels[:, None, None, None] * 255, np.uint8)
    examples = Examples(pixels, np.eye(2, dtype=np.float32)[labels], np.ones(8, np.float32))
    task = Task(_choice("mean_colour", 16, 2), None, Schedule(epochs=1, batch_size=4), NONE)

    fitted = fit(task, examples, examples)

    assert 16 == NETWORKS["mean_colour"].side
    assert (None, 2) == fitted.model.output_shape
    assert 1 == len(fitted.epochs)


def test_registered_name_is_unique() -> None:
    """A name that is registered already cannot be registered again."""
    with pytest.raises(ValueError, match="lenet5 is already registered"):
        register(NetworkSpec("lenet5", 16, _mean_colour))


def test_registry_is_read_only() -> None:
    """Networks are added with `register` only."""
    networks: Any = NETWORKS
    with pytest.raises(TypeError):
        networks["other"] = NETWORKS["lenet5"]


@pytest.mark.parametrize(
    ("name", "side", "channels", "classes", "parameters"),
    [
        pytest.param("lenet5", 32, 1, 10, 60_000, id="lenet5"),
        pytest.param("alexnet", 227, 3, 1000, 60_965_224, id="alexnet"),
        pytest.param("googlenet", 224, 3, 1000, 6_998_552, id="googlenet"),
    ],
)
def test_parameters(name: str, side: int, channels: int, classes: int, parameters: int) -> None:
    """A classic at its original input and classes has exactly its paper's parameters."""
    assert parameters == build(_choice(name, side, classes, channels)).count_params()


@pytest.mark.parametrize(("side", "auxiliary"), [(224, 6_379_728), (64, 0)])
def test_auxiliary_classifiers(side: int, auxiliary: int) -> None:
    """GoogLeNet trains with two auxiliary classifiers where they fit, and is exported without."""
    model = build(_choice("googlenet", side, 1000), for_training=True)

    assert 6_998_552 + auxiliary == model.count_params()
    assert 6_998_552 == inference_model(model).count_params()


def test_lenet5_maps() -> None:
    """C1 is 28 x 28 x 6, C3 is sparse (1,516 parameters), C5 is 1 x 1 x 120."""
    model = build(_choice("lenet5", 32, 10, channels=1))

    assert (None, 28, 28, 6) == model.get_layer("C1").output.shape
    assert (None, 1, 1, 120) == model.get_layer("C5").output.shape
    sparse = [layer for layer in model.layers if layer.name.startswith("C3_")]
    assert 1_516 == sum(layer.count_params() for layer in sparse)


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "googlenet", "folded_mobilenet_v2"])
def test_scaled(name: str) -> None:
    """A network accepts another size, another number of classes, and fewer maps."""
    model = build(_choice(name, 96, 3, multiplier=0.25))
    logits = model(np.full((2, 96, 96, 3), 127.0, np.float32), training=False)

    assert (2, 3) == logits.shape
    assert np.isfinite(np.asarray(logits)).all()


def test_unknown_network() -> None:
    """An unknown name is a usage error that lists the names."""
    with pytest.raises(UsageError, match=r"no network 'vgg'.*lenet5"):
        build(_choice("vgg", 32, 2))


def test_too_small() -> None:
    """A picture size that a network cannot take is a usage error with the option to change."""
    with pytest.raises(UsageError, match="--image-size"):
        build(_choice("alexnet", 32, 2))


def test_absent_weights(tmp_path: Path) -> None:
    """A weights file that does not exist is a usage error with its name."""
    with pytest.raises(UsageError, match=r"no weights at .*absent\.h5"):
        build(_choice("mobilenet_v2", 32, 2), tmp_path / "absent.h5")


def test_weights_of_a_classic(tmp_path: Path) -> None:
    """A classic refuses pretrained weights."""
    with pytest.raises(UsageError, match="no pretrained weights"):
        build(_choice("lenet5", 32, 2), tmp_path)


@pytest.mark.photos
def test_folded_backbone(shared: Path) -> None:
    """Folding batch norms into the convolutions keeps the output of a pretrained backbone."""
    file = shared / "weights" / V2_WEIGHTS
    options: Mapping[str, Any] = {
        "include_top": False,
        "weights": None,
        "input_shape": (224, 224, 3),
    }
    backbone = keras.applications.MobileNetV2(alpha=0.35, **options)
    backbone.load_weights(file)
    folded = build(_choice("folded_mobilenet_v2", 224, 2, multiplier=0.35), file)
    features = keras.Model(folded.inputs, folded.get_layer("Conv_1").output)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)

    expected = np.asarray(backbone(pixels / 127.5 - 1.0, training=False))
    np.testing.assert_allclose(expected, np.asarray(features(pixels, training=False)), atol=1e-3)


def test_pretrained_backbone_in_training(tmp_path: Path) -> None:
    """A pretrained backbone computes in training what it computes in inference.

    In both modes the outer model is called, whose argument overrides the backbone's own.
    """
    file = tmp_path / "backbone.weights.h5"
    choice = _choice("mobilenet_v2", 32, 2, multiplier=0.35)
    build(choice).layers[-4].save_weights(file)
    model = build(choice, file, for_training=True)
    model.layers[-2].rate = 0.0  # the dropout before the classifier, which is meant to drop
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    before = [np.asarray(weight) for weight in model.non_trainable_variables]

    np.testing.assert_array_equal(model(pixels, training=False), model(pixels, training=True))
    for expected, actual in zip(before, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(expected, np.asarray(actual))


def _with_batch_norm() -> keras.Model:
    """Return a model inside a model, with a slow batch norm and a dropout that drops maps."""
    layers = keras.layers
    norm = layers.BatchNormalization(momentum=0.999)
    inner = keras.Sequential([keras.Input((4,)), norm, layers.Dropout(0.5, noise_shape=(None, 1))])
    return keras.Sequential([keras.Input((4,)), inner])


def test_keep_inference_mode() -> None:
    """Batch norms and dropouts of inner models too are in inference mode, whatever is asked."""
    backbone = _with_batch_norm()
    keep_inference_mode(backbone)
    values = np.random.default_rng(0).normal(3, 2, (16, 4)).astype(np.float32)

    np.testing.assert_allclose(values, backbone(values, training=True), rtol=1e-3)
    np.testing.assert_allclose(values, backbone(values, training=False), rtol=1e-3)


def test_follow_short_runs() -> None:
    """After some tens of steps the statistics are those of the data."""
    backbone = _with_batch_norm()
    follow_short_runs(backbone)
    values = np.random.default_rng(0).normal(3, 2, (64, 4)).astype(np.float32)
    for _ in range(60):
        backbone(values, training=True)

    evaluated = np.asarray(backbone(values, training=False))
    np.testing.assert_allclose(np.zeros(4), evaluated.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.ones(4), evaluated.std(axis=0), atol=0.05)
