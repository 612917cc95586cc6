"""Resizing, antialiased, as Pillow computes it; with vector instructions where they are installed.

Pillow's own loop is plain C and half of what a web photo costs before the network sees it. The
extra `beam` brings cykooz.resizer, Rust's fast_image_resize, which evaluates the same sums with
AVX2 or NEON in a quarter of the time. It rounds its coefficients to 16 bits where Pillow keeps 22,
so a value may differ by one level of 255; certificates (`seefood.certificate`) are of Pillow's.
With other filters than the bilinear one the two differ by more, so those stay with Pillow.
"""

import threading
from functools import cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""
Filter = Literal["box", "bilinear", "bicubic", "lanczos"]
Pixels = NDArray[np.uint8]

_PILLOW: Final = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# A picture is copied twice on its way there; what is larger than this stays where it is.
_MOST_PIXELS: Final = 2_000_000
_COPIED_BYTES_PER_PIXEL: Final = 6


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
    tools = None if exact or kind != "bilinear" or not copied_bytes(image.size) else _tools()
    if tools is not None:
        try:
            return tools.resample(image, size, box)
        except RuntimeError:
            pass  # a box that rounding puts outside by the billionth of a pixel
    return np.asarray(image.resize(size, _PILLOW[kind], box=box))


def copied_bytes(size: tuple[int, int]) -> int:
    """Return what `resample` may take beside a picture of `size` (width, height), in bytes."""
    pixels = size[0] * size[1]
    return pixels * _COPIED_BYTES_PER_PIXEL if pixels <= _MOST_PIXELS else 0


@cache
def _tools() -> "_VectorResizer | None":
    try:
        return _VectorResizer()
    except ImportError:
        return None


class _VectorResizer(threading.local):
    """What fast_image_resize needs: a resizer for each thread, which keeps its buffers."""

    def __init__(self) -> None:
        import cykooz_resizer as library  # noqa: PLC0415 (may be absent)

        self._image = library.ImageData
        self._pixel_type = library.PixelType.U8x3
        self._box = library.CropBox
        self._resizer = library.Resizer()
        self._bilinear = library.ResizeAlg.convolution(library.FilterType.bilinear)
        self._options = library.ResizeOptions

    def resample(self, image: Image.Image, size: tuple[int, int], box: Box | None) -> Pixels:
        """See `resample`. By way of bytes: its other way in reads Pillow's memory unasked."""
        crop = None
        if box is not None:
            left, top, right, bottom = box
            crop = self._box(left, top, right - left, bottom - top)
        options = self._options(self._bilinear, crop_box=crop, use_alpha=False)
        source = self._image(*image.size, self._pixel_type, image.tobytes())
        result = self._image(*size, self._pixel_type)
        self._resizer.resize(source, result, options)
        return np.frombuffer(result.get_buffer(), np.uint8).reshape(size[1], size[0], 3)
