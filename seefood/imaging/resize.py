"""Resizing, antialiased, as Pillow computes it; with vector instructions where they are installed.

Pillow's own loop is plain C and half of what a web photo costs before the network sees it. The
extra `beam` brings cykooz.resizer, Rust's fast_image_resize, which evaluates the same sums with
AVX2 or NEON in a fifth of the time. It rounds its coefficients to 16 bits where Pillow keeps 22,
so a value may differ by one level of 255; certificates (`seefood.engines.certificate`) are of
Pillow's.
With other filters than the bilinear one the two differ by more, so those stay with Pillow.
"""

import threading
from functools import cache
from typing import Any, Final, Literal

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""
Filter = Literal["box", "bilinear", "bicubic", "lanczos"]
Pixels = NDArray[np.uint8]
PILLOW: Final = "Pillow"
"""Whose resize is the same everywhere."""

# It reads Pillow's pictures where they lie, which it can for the layouts of these major versions.
_KNOWN_PILLOWS: Final = frozenset({"11", "12"})


def resample(
    image: Image.Image,
    size: tuple[int, int],
    kind: Filter,
    box: Box | None = None,
    *,
    exact: bool = False,
) -> Pixels:
    """Return `box` of an RGB image (default: all of it), resized to `size` (width, height).

    The result is RGB of shape `(height, width, 3)`, uint8 in [0, 255]; with `exact` it is Pillow's,
    otherwise within one level of it.
    """
    tools = None if exact or kind != "bilinear" else _tools()
    if tools is not None:
        try:
            return np.asarray(tools.resample(image, size, box))
        except RuntimeError:
            pass  # a box that rounding puts outside by the billionth of a pixel
    return np.asarray(image.resize(size, Image.Resampling[kind.upper()], box=box))


def resized_by(kind: Filter) -> str:
    """Return whose code `resample` runs here for pictures that are not asked for exactly."""
    return PILLOW if kind != "bilinear" or _tools() is None else "cykooz.resizer"


@cache
def _tools() -> "_VectorResizer | None":
    if PIL.__version__.partition(".")[0] not in _KNOWN_PILLOWS:
        return None
    try:
        return _VectorResizer()
    except ImportError:
        return None


class _VectorResizer(threading.local):
    """What fast_image_resize needs: a resizer for each thread, which keeps its buffers."""

    def __init__(self) -> None:
        import cykooz_resizer as library  # noqa: PLC0415 (may be absent)

        self._bilinear = library.ResizeAlg.convolution(library.FilterType.bilinear)
        self._box = library.CropBox
        self._options = library.ResizeOptions
        self._whole = self._options(self._bilinear)
        self._resizer = library.Resizer()

    def resample(self, image: Image.Image, size: tuple[int, int], box: Box | None) -> Image.Image:
        """See `resample`."""
        options: Any = self._whole
        if box is not None:
            left, top, right, bottom = box
            crop = self._box(left, top, right - left, bottom - top)
            options = self._options(self._bilinear, crop_box=crop)
        result = Image.new("RGB", size)
        self._resizer.resize_pil(image, result, options)
        return result
