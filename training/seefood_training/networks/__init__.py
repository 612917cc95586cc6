"""The zoo: every network that `seefood train --network` knows, by name.

Each builder returns a keras model from float RGB in [0, 255] to logits, so that scaling travels
with the model. The classics are as their papers have them; the modern ones come from
keras.applications.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import keras

from seefood.errors import UsageError
from seefood_training.networks import (
    alexnet,
    applications,
    efficientnet_lite,
    folded_mobilenet,
    googlenet,
    lenet5,
)

Weights = Path | Literal["imagenet"] | None


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """Which network to make, for which pictures."""

    name: str
    height: int
    width: int
    classes: int
    channels: int = 3
    multiplier: float = 1.0
    """Times as many maps as the paper has (its `width` or `alpha`)."""
    head: int = 1280
    """Maps of the last convolution of `folded_mobilenet_v2`."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels


SIZES: Final = {
    "lenet5": 64,
    "alexnet": 227,
    "googlenet": 224,
    "folded_mobilenet_v1": 224,
    "folded_mobilenet_v2": 224,
    **{name: side for name, (_, _, side) in efficientnet_lite.SCALES.items()},
    **dict.fromkeys(applications.APPLICATIONS, 224),
}
"""Each network's usual input side in pixels, by its name."""

LAST_GENERIC_LAYER: Final = {
    **folded_mobilenet.LAST_GENERIC_LAYER,
    **dict.fromkeys(efficientnet_lite.SCALES, efficientnet_lite.LAST_GENERIC_LAYER),
}
"""Up to here a short fine-tune changes little and costs most of a step's time, by network."""

_OUR_OWN: Final = frozenset({"lenet5", "alexnet", "googlenet"})


def build(
    choice: NetworkChoice, weights: Weights = None, *, auxiliary: bool = False, fast: bool = False
) -> keras.Model:
    """Return a new model of `choice`, its backbone from `weights`.

    `auxiliary` adds GoogLeNet's training outputs; others have none. With `fast` the model computes
    in bfloat16, from and to float32. Raises `UsageError` for a name
    that is not in the zoo, a picture size that the network cannot take, or weights that do not fit.
    """
    if choice.name not in SIZES:
        raise UsageError(
            f"there is no network {choice.name!r} in the zoo; choose one of {', '.join(SIZES)}"
        )
    if weights is not None and choice.name in _OUR_OWN:
        raise UsageError(f"{choice.name} has no pretrained weights; leave out `--weights`")
    if isinstance(weights, Path) and not weights.is_file():
        raise UsageError(
            f"there are no weights at {weights}; `--weights` takes a file, or imagenet"
        )
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if fast else "float32")
    try:
        return _build(choice, weights, auxiliary=auxiliary)
    except (ValueError, KeyError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"{choice.name} cannot be made for {choice.width} x {choice.height} pictures with "
            f"weights {weights or 'none'} ({reason}); change `--image-size` or `--weights`"
        ) from error
    finally:
        keras.mixed_precision.set_global_policy(before)


def inference_model(model: keras.Model) -> keras.Model:
    """Return `model` with its first output alone: the logits, without training's extra ones."""
    if len(model.outputs) == 1:
        return model
    return keras.Model(model.inputs, model.outputs[0], name=model.name)


def _build(choice: NetworkChoice, weights: Weights, *, auxiliary: bool) -> keras.Model:
    shape, classes, multiplier = choice.shape, choice.classes, choice.multiplier
    if choice.name == "lenet5":
        return lenet5.build(shape, classes)
    if choice.name == "alexnet":
        return alexnet.build(shape, classes, multiplier)
    if choice.name == "googlenet":
        return googlenet.build(shape, classes, multiplier, auxiliary=auxiliary)
    if choice.name.startswith("folded"):
        return _folded(choice, weights)
    if choice.name in efficientnet_lite.SCALES:
        return _lite(choice, weights)
    application = applications.APPLICATIONS[choice.name]
    return applications.build(application, shape, classes, multiplier, weights)


def _lite(choice: NetworkChoice, weights: Weights) -> keras.Model:
    if weights == "imagenet":
        weights = efficientnet_lite.published_weights(choice.name)
    if choice.multiplier != 1.0:
        raise UsageError(
            f"{choice.name} comes in one width, and {choice.multiplier} was asked for; choose "
            "efficientnet_lite2 for a wider one"
        )
    return efficientnet_lite.build(choice.name, choice.shape, choice.classes, weights)


def _folded(choice: NetworkChoice, weights: Weights) -> keras.Model:
    if weights == "imagenet":
        raise UsageError(
            f"{choice.name} takes a weights file; `--weights imagenet` is for "
            f"{choice.name.removeprefix('folded_')}"
        )
    shape, classes, multiplier = choice.shape, choice.classes, choice.multiplier
    if choice.name == "folded_mobilenet_v1":
        model = folded_mobilenet.build_v1(shape, classes, multiplier)
    else:
        model = folded_mobilenet.build_v2(shape, classes, multiplier, head=choice.head)
    if weights is not None:
        folded_mobilenet.load_backbone(model, weights, multiplier)
    return model
