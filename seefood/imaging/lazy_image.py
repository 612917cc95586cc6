"""An image of our own decoders: its size is known at once, its pixels are read by `load`."""

from collections.abc import Callable
from typing import Any

from PIL import Image

_ORIENTATION = 0x0112


class LazyImage(Image.Image):
    """A Pillow image whose pixels are read when they are needed.

    `read` returns the image as stored, of the mode and size (width, height) given here.
    `work_bytes` is the most memory that reading and converting to RGB take.
    `orientation` is the EXIF value that describes how the stored image comes upright.
    """

    def __init__(
        self,
        mode: str,
        size: tuple[int, int],
        read: Callable[[], Image.Image],
        work_bytes: int,
        orientation: int = 1,
    ) -> None:
        super().__init__()
        self._mode = mode
        self._size = size
        self._read: Callable[[], Image.Image] | None = read
        self._orientation = orientation
        self.work_bytes = work_bytes

    def load(self) -> Any:
        """Read the pixels, once. Raises what `read` raises."""
        if self._read is not None:
            image, self._read = self._read(), None
            self._mode, self._size = image.mode, image.size
            self.im = image.im
            self.palette = image.palette
        return super().load()

    def getexif(self) -> Image.Exif:
        """Return EXIF with the orientation alone."""
        exif = Image.Exif()
        exif[_ORIENTATION] = self._orientation
        return exif
