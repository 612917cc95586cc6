"""The networks of `seefood train --network`.

Every module here registers its networks when it is imported, and this package imports all of them:
a new network is one new module. The modules import Keras only inside functions, so that the names
are known without it. `blocks` holds the Keras layers that networks share.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from seefood.errors import UsageError
from seefood.nearest import did_you_mean
from seefood.sanitize import one_line
from seefood_training.networks.built_in_weights import NETWORK as BUILT_IN_NETWORK
from seefood_training.networks.registry import (
    NETWORKS,
    Builder,
    NetworkChoice,
    NetworkSpec,
    Weights,
    register,
)

if TYPE_CHECKING:
    import keras

for _module in iter_modules(__path__):
    if not _module.ispkg:
        import_module(f"{__name__}.{_module.name}")


def network(name: str) -> NetworkSpec:
    """Return the network called `name`. Raises `UsageError` with the known names for any other."""
    if name not in NETWORKS:
        known = sorted(NETWORKS)
        near = did_you_mean(name, known)
        raise UsageError(f"there is no network {name!r}; choose one of {', '.join(known)}{near}")
    return NETWORKS[name]


def build(
    choice: NetworkChoice,
    weights: Weights = None,
    *,
    for_training: bool = False,
    fast: bool = False,
) -> "keras.Model":
    """Return a new model of `choice`, with its backbone from `weights`.

    With `for_training` the model may have more outputs after the logits. With `fast` it computes in
    bfloat16, with float32 inputs and outputs. Raises `UsageError` for an unknown name, a picture
    size that the network cannot take, or weights that do not fit.
    """
    import keras

    spec = network(choice.name)
    if weights is not None and not spec.takes_weights:
        raise UsageError(f"{choice.name} has no pretrained weights; leave out `--weights`")
    if weights == "built-in" and choice.name != BUILT_IN_NETWORK:
        raise UsageError(
            f"the built-in weights are those of {BUILT_IN_NETWORK}; choose `--network "
            f"{BUILT_IN_NETWORK}`, or other weights"
        )
    if isinstance(weights, Path):
        _check_file(weights)
    builder = (for_training and spec.build_for_training) or spec.build
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if fast else "float32")
    try:
        return builder(choice, weights)
    except (ValueError, KeyError, OSError) as error:
        if not _can_be_built(builder, choice):
            raise UsageError(
                f"{choice.name} cannot be built for {choice.width} x {choice.height} pictures, "
                f"which are too small for its layers; give a larger `--image-size`, such as "
                f"{spec.side}"
            ) from error
        if isinstance(weights, Path):
            raise UsageError(
                f"{weights} does not have the weights of {choice.name} with the multiplier "
                f"{choice.multiplier:g}; give the file of that network, or the `--network` and the "
                "`--multiplier` that the file is of"
            ) from error
        reason = one_line(error)
        raise UsageError(
            f"{choice.name} has no weights {weights} for {choice.width} x {choice.height} pictures "
            f"and the multiplier {choice.multiplier:g} ({reason}); change `--multiplier`, "
            "`--image-size` or `--weights`"
        ) from error
    finally:
        keras.mixed_precision.set_global_policy(before)


def _check_file(weights: Path) -> None:
    """Raise `UsageError` if there is no file, or one that was not downloaded as it should be."""
    if not weights.is_file():
        raise UsageError(
            f"there are no weights at {weights}; `--weights` takes a file, or imagenet"
        )
    with weights.open("rb") as stream:
        start = stream.read(64).lstrip()
    if not start:
        raise UsageError(f"{weights} is empty; download the weights again")
    if start.startswith(b"version https://git-lfs"):
        raise UsageError(f"{weights} is a pointer of Git LFS; run `git lfs pull` for the weights")
    if start.startswith(b"<"):
        raise UsageError(f"{weights} is a web page, not weights; download the file itself")


def _can_be_built(builder: Builder, choice: NetworkChoice) -> bool:
    """Whether a network can be built for such pictures, from random weights."""
    try:
        builder(choice, None)
    except (ValueError, KeyError, OSError):
        return False
    return True


def inference_model(model: "keras.Model") -> "keras.Model":
    """Return `model` with its first output alone: the logits."""
    import keras

    if len(model.outputs) == 1:
        return model
    return keras.Model(model.inputs, model.outputs[0], name=model.name)


__all__ = [
    "NETWORKS",
    "NetworkChoice",
    "NetworkSpec",
    "Weights",
    "build",
    "inference_model",
    "network",
    "register",
]
