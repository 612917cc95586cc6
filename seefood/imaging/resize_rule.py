"""How a picture becomes the network's input. Imports no NumPy, so the command line can list it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

Fit = Literal["stretch", "crop", "pad"]
Filter = Literal["nearest", "box", "bilinear", "bicubic", "lanczos", "tf-bilinear"]
Channels = Literal["rgb", "grey"]
FITS: Final[tuple[Fit, ...]] = get_args(Fit)
FILTERS: Final[tuple[Filter, ...]] = get_args(Filter)
CHANNELS: Final[tuple[Channels, ...]] = get_args(Channels)
_NOT_ANTIALIASED: Final = frozenset({"nearest", "tf-bilinear"})


@dataclass(frozen=True, slots=True)
class ResizeRule:
    """How an upright picture becomes the network's input; part of the bundle."""

    height: int
    width: int
    fit: Fit = "stretch"
    """`stretch` fills the input and ignores the aspect ratio; `crop` keeps it and cuts off the
    edges; `pad` keeps it and adds black borders."""
    filter: Filter = "bilinear"
    """As Pillow computes it: antialiased, apart from `nearest`. `tf-bilinear` is
    `tf.image.resize` without antialiasing (`seefood.imaging.tf_resize`)."""
    scaled_decode: float | None = 1.25
    """A JPEG may be decoded at 1/2, 1/4 or 1/8 of its size while each side keeps at least this many
    times the input's size; None always decodes at full size. libjpeg averages blocks of pixels,
    as an antialiased resize does. Ignored for filters that are not antialiased."""
    channels: Channels = "rgb"
    """`grey` is one channel, converted before the resize as Pillow's `convert("L")` does."""
    crop_share: float = 1.0
    """With `crop`: the share of each side that is kept. 224 / 256 is torchvision's `Resize(256)`
    followed by `CenterCrop(224)`."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and number of channels of the input."""
        return self.height, self.width, 1 if self.channels == "grey" else 3

    @property
    def draft_margin(self) -> float | None:
        """`scaled_decode` where the filter allows it, else None."""
        return None if self.filter in _NOT_ANTIALIASED else self.scaled_decode

    def as_json(self) -> dict[str, Any]:
        """Return the fields; those that older bundles do not have only if they are not default."""
        document = asdict(self)
        for name, default in _LATER_FIELDS.items():
            if document[name] == default:
                del document[name]
        return document


_LATER_FIELDS: Final[Mapping[str, Any]] = {"channels": "rgb", "crop_share": 1.0}
"""Absent from `bundle.json` when default, so that the digests of older bundles stay the same."""
