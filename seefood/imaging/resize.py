"""Antialiased resizing as Pillow computes it, faster where cykooz.resizer is installed.

Pillow's loop is plain C and takes half of the preprocessing time of a web photo. The extra `beam`
installs cykooz.resizer (Rust's fast_image_resize), which computes the same sums with AVX2 or NEON
in a fifth of the time. It rounds its coefficients to 16 bits where Pillow keeps 22, so each of the
two passes (rows, columns) may differ by one level of 255: values differ by at most two, almost
always by at most one. Certificates (`seefood.engines.certificate`) use Pillow's pixels. For other
filters the difference is larger, so Pillow resizes those, and grey pictures.
"""

import threading
from functools import cache
from typing import Any, Final

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from seefood.imaging.resize_rule import Filter, ResizeRule
from seefood.imaging.tf_resize import resize_bilinear

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""
Pixels = NDArray[np.uint8]
PILLOW: Final = "Pillow"
NUMPY: Final = "NumPy"
"""The libraries whose result is the same on every machine."""
_ROUNDING: Final = 1e-6

# cykooz.resizer reads Pillow's memory directly, so it depends on the layout of these versions.
_COMPATIBLE_PILLOW_VERSIONS: Final = frozenset({"11", "12"})


def resample(
    image: Image.Image,
    size: tuple[int, int],
    kind: Filter,
    box: Box | None = None,
    *,
    exact: bool = False,
) -> Pixels:
    """Return `box` of an RGB or L image (default: all of it), resized to `size` (width, height).

    The result has the shape `(height, width, channels)`, uint8 in [0, 255]. Bilinear RGB may be
    two levels off what Pillow computes, unless `exact`. For `tf-bilinear` the box is rounded down
    to whole pixels, as Keras's `smart_resize` does.
    """
    if kind == "tf-bilinear":
        return resize_bilinear(image, size, box and _whole_pixels(box))
    resizer = None if exact or kind != "bilinear" or image.mode != "RGB" else _vector_resizer()
    if resizer is not None:
        try:
            return np.asarray(resizer.resample(image, size, box))
        except RuntimeError:
            pass  # rounding put the box outside the image by a billionth of a pixel
    pixels = np.asarray(image.resize(size, Image.Resampling[kind.upper()], box=box))
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


def resized_by(rule: ResizeRule) -> str:
    """Return the library that `resample` uses for `rule` without `exact`."""
    if rule.filter == "tf-bilinear":
        return NUMPY
    is_fast = rule.filter == "bilinear" and rule.channels == "rgb"
    return "cykooz.resizer" if is_fast and _vector_resizer() is not None else PILLOW


def _whole_pixels(box: Box) -> tuple[int, int, int, int]:
    width, height = (max(1, int(box[end] - box[end - 2] + _ROUNDING)) for end in (2, 3))
    left, top = int(box[0]), int(box[1])
    return left, top, left + width, top + height


@cache
def _vector_resizer() -> "_VectorResizer | None":
    if PIL.__version__.partition(".")[0] not in _COMPATIBLE_PILLOW_VERSIONS:
        return None
    try:
        return _VectorResizer()
    except ImportError:
        return None


class _VectorResizer(threading.local):
    """cykooz.resizer: one resizer for each thread, because it reuses its buffers."""

    def __init__(self) -> None:
        import cykooz_resizer as library  # noqa: PLC0415 (optional)

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
