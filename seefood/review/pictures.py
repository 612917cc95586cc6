"""Pictures as the page shows them: decoded as everywhere, small, and cached within a bound."""

from collections import OrderedDict
from io import BytesIO
from threading import Lock
from typing import Final

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import open_upright
from seefood.records import ImageRef
from seefood.storage import fetch

SIDES: Final = (320, 1600)
"""The longest sides that are offered: for the grid and for the whole screen."""
_CACHE_BYTES: Final = 64 * 1024 * 1024
_MAX_BYTES: Final = 100 * 1024 * 1024
"""Larger objects are not fetched: several of them at once could fill the memory."""
_QUALITY: Final = 85


class PictureCache:
    """JPEGs of pictures by object and size. Thread-safe."""

    def __init__(self, max_bytes: int = _CACHE_BYTES) -> None:
        """The least recently used are dropped beyond `max_bytes`."""
        self._max_bytes = max_bytes
        self._bytes = 0
        self._jpegs: OrderedDict[tuple[ImageRef, int], bytes] = OrderedDict()
        self._lock = Lock()

    def jpeg(self, ref: ImageRef, side: int) -> bytes:
        """Return the picture, upright, with a longest side of at most `side` pixels.

        Raises `PictureError` if it cannot be fetched or decoded, or is another one by now.
        """
        with self._lock:
            if (ref, side) in self._jpegs:
                self._jpegs.move_to_end((ref, side))
                return self._jpegs[ref, side]
        data = _jpeg(ref, side)
        with self._lock:
            if (ref, side) not in self._jpegs:
                self._jpegs[ref, side] = data
                self._bytes += len(data)
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._jpegs.popitem(last=False)[1])
        return data


def _jpeg(ref: ImageRef, side: int) -> bytes:
    if ref.size_bytes > _MAX_BYTES:
        raise PictureError(
            ErrorCode.TOO_LARGE, f"{ref.size_bytes / 1e6:,.0f} MB are too many to show"
        )
    image = open_upright(fetch(ref), side)
    stream = BytesIO()
    # A copy: an image of a file would ask for the working directory, which may be deleted.
    image.copy().save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
