"""How a picture becomes the network's input. Imports no NumPy, so the command line can list it."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Fit = Literal["stretch", "crop", "pad"]
Filter = Literal["box", "bilinear", "bicubic", "lanczos"]
FITS: Final[tuple[Fit, ...]] = get_args(Fit)
FILTERS: Final[tuple[Filter, ...]] = get_args(Filter)


@dataclass(frozen=True, slots=True)
class ResizeRule:
    """How an upright picture becomes the network's input; part of the bundle."""

    height: int
    width: int
    fit: Fit = "stretch"
    """`stretch` fills the input and ignores the aspect ratio; `crop` keeps it and cuts off the
    edges; `pad` keeps it and adds black borders."""
    filter: Filter = "bilinear"
    """Antialiased, as Pillow computes it (`seefood.imaging.resize`)."""
    scaled_decode: float | None = 1.25
    """A JPEG may be decoded at 1/2, 1/4 or 1/8 of its size while each side keeps at least this many
    times the input's size; None always decodes at full size. libjpeg averages blocks of pixels,
    as an antialiased resize does."""
