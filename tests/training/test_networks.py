"""The zoo: the classics are their papers', and every network takes what it is asked to."""

from pathlib import Path

import numpy as np
import pytest

from seefood.errors import UsageError
from seefood_training.commands.train import NETWORKS

pytest.importorskip("tensorflow", reason="the zoo needs TensorFlow")

import keras

from seefood_training.networks import SIZES, NetworkChoice, build, inference_model

V2_WEIGHTS = "mobilenet_v2_0.35_224_no_top.weights.h5"


def _choice(
    name: str, side: int, classes: int, channels: int = 3, multiplier: float = 1.0
) -> NetworkChoice:
    return NetworkChoice(name, side, side, classes, channels, multiplier)


@pytest.mark.parametrize(
    ("name", "side", "channels", "classes", "parameters"),
    [
        pytest.param("lenet5", 32, 1, 10, 60_000, id="lenet5"),
        pytest.param("alexnet", 227, 3, 1000, 60_965_224, id="alexnet"),
        pytest.param("googlenet", 224, 3, 1000, 6_998_552, id="googlenet"),
    ],
)
def test_parameters(name: str, side: int, channels: int, classes: int, parameters: int) -> None:
    """A classic at its original input and classes has its paper's parameters, to the digit."""
    assert parameters == build(_choice(name, side, classes, channels)).count_params()


def test_auxiliary_classifiers() -> None:
    """GoogLeNet's two side classifiers have 6,379,728 parameters and are not shipped."""
    model = build(_choice("googlenet", 224, 1000), auxiliary=True)

    assert 6_998_552 + 6_379_728 == model.count_params()
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
    """A network of ours takes another size, another number of classes, and fewer maps."""
    model = build(_choice(name, 96, 3, multiplier=0.25))
    logits = model(np.full((2, 96, 96, 3), 127.0, np.float32), training=False)

    assert (2, 3) == logits.shape
    assert np.isfinite(np.asarray(logits)).all()


def test_unknown_network() -> None:
    """A name that is not in the zoo is a usage error that lists the names."""
    with pytest.raises(UsageError, match=r"no network 'vgg'.*lenet5"):
        build(_choice("vgg", 32, 2))


def test_too_small() -> None:
    """A picture that a network cannot take is a usage error that names the option to change."""
    with pytest.raises(UsageError, match="--image-size"):
        build(_choice("alexnet", 32, 2))


def test_absent_weights(tmp_path: Path) -> None:
    """Weights that are not there are a usage error that names the file."""
    with pytest.raises(UsageError, match=r"no weights at .*absent\.h5"):
        build(_choice("mobilenet_v2", 32, 2), tmp_path / "absent.h5")


def test_weights_of_a_classic(tmp_path: Path) -> None:
    """A classic refuses pretrained weights, for nobody has any of it."""
    with pytest.raises(UsageError, match="no pretrained weights"):
        build(_choice("lenet5", 32, 2), tmp_path)


@pytest.mark.photos
def test_folded_backbone(shared: Path) -> None:
    """Folding batch norms into the convolutions keeps what a pretrained backbone computes."""
    file = shared / "weights" / V2_WEIGHTS
    options = {"include_top": False, "weights": None, "input_shape": (224, 224, 3)}
    backbone = keras.applications.MobileNetV2(alpha=0.35, **options)
    backbone.load_weights(file)
    folded = build(_choice("folded_mobilenet_v2", 224, 2, multiplier=0.35), file)
    features = keras.Model(folded.inputs, folded.get_layer("Conv_1").output)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)

    expected = np.asarray(backbone(pixels / 127.5 - 1.0, training=False))
    np.testing.assert_allclose(expected, np.asarray(features(pixels, training=False)), atol=1e-3)


def test_command_line_names() -> None:
    """The names that `seefood train --help` lists are the zoo's."""
    assert set(SIZES) == set(NETWORKS)
