"""The registry of networks: each module of this package registers the ones it defines.

Imports neither Keras nor NumPy, because the command line reads the names for `--help`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import keras

Weights = Path | Literal["imagenet", "built-in"] | None


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """A network and the pictures it is built for."""

    name: str
    height: int
    width: int
    classes: int
    channels: int = 3
    multiplier: float = 1.0
    """Factor on the number of maps in each layer (`width` or `alpha` in the papers)."""
    reads_blocks: bool = False
    """Whether the classifier reads the maps of the blocks before the last maps too
    (`seefood_training.networks.blocks.moments`)."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels


Builder = Callable[[NetworkChoice, Weights], "keras.Model"]
"""Returns an untrained model, or one with the given weights in its backbone.

The model maps float RGB in [0, 255] of shape `(n, height, width, channels)` to logits of shape
`(n, classes)`; its last layer is a `Dense` layer named `logits` in float32. May raise `UsageError`,
and `ValueError`, `KeyError` or `OSError` for a size or weights that do not fit."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """What the rest of the package knows about a network."""

    name: str
    """The value of `--network`."""
    side: int
    """The usual height and width of the input, in pixels."""
    build: Builder
    build_for_training: Builder | None = None
    """Builds the model with additional outputs that are used in training only."""
    last_generic_layer: str | None = None
    """Fine-tuning from pretrained weights freezes the layers up to this one: in a short run they
    hardly change, and they take most of a step's time."""
    learns_at: float = 1.0
    """Side of the views in fine-tuning, relative to the input's: a network that takes any size
    learns as much from smaller views, in less time (H. Touvron et al., "Fixing the train-test
    resolution discrepancy", 2019)."""
    takes_weights: bool = True
    """Whether `--weights` may name pretrained weights."""
    takes_multiplier: bool = True
    """Whether the builder uses the choice's multiplier."""
    can_read_blocks: bool = False
    """Whether the builder uses `reads_blocks`; the last maps are the first features."""


_networks: Final[dict[str, NetworkSpec]] = {}
NETWORKS: Final[Mapping[str, NetworkSpec]] = MappingProxyType(_networks)
"""Every registered network, by its name."""


def register(*specs: NetworkSpec) -> None:
    """Add networks to `NETWORKS`. Raises `ValueError` for a name that is already registered."""
    for spec in specs:
        if spec.name in _networks:
            message = f"the network {spec.name} is already registered; choose another name"
            raise ValueError(message)
        _networks[spec.name] = spec
