"""Detects picture formats by their first bytes, never by the file name, and opens them.

Only common photo formats are decoded, and each decoder is imported for its first picture. Pillow
would import about fifty, some of which start other programs (EPS).
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Final

from PIL import Image

from seefood.imaging.bmp import open_bmp
from seefood.imaging.foreign_formats import foreign_error
from seefood.imaging.jpeg import open_jpeg
from seefood.imaging.png import open_png
from seefood.imaging.signatures import sniff_format

_PLUGINS: Final = {
    "JPEG": ("PIL.JpegImagePlugin", "PIL.MpoImagePlugin"),
    "PNG": ("PIL.PngImagePlugin",),
    "WEBP": ("PIL.WebPImagePlugin",),
    "GIF": ("PIL.GifImagePlugin",),
    "BMP": (),
    "TIFF": ("PIL.TiffImagePlugin",),
    "HEIF": ("pillow_heif",),
    "AVIF": ("PIL.AvifImagePlugin",),
}
SUPPORTED_FORMATS: Final = tuple(_PLUGINS)


def _open_tiff(data: bytes) -> Image.Image:
    from seefood.imaging.tiff import open_tiff  # noqa: PLC0415 (many modules for a rare format)

    return open_tiff(data)


_OWN_OPENERS: Final = {"BMP": open_bmp, "JPEG": open_jpeg, "PNG": open_png, "TIFF": _open_tiff}
"""They choose between Pillow and a decoder of ours, by the header."""


def open_image(data: bytes) -> tuple[Image.Image, str]:
    """Open the picture in `data` without decoding pixels; return the image and its format.

    Raises `PictureError` for what is not decoded, and whatever a decoder raises.
    """
    name = sniff_format(data[:64])
    if name is None:
        raise foreign_error(data)
    _register(name)
    own = _OWN_OPENERS.get(name)
    if own is not None:
        return own(data), name
    # Not `Image.open`: it hides the plugin's message, imports all plugins when this one fails,
    # and checks the size against a limit of the whole process instead of `Limits`.
    opener, _ = Image.OPEN[name]
    return opener(BytesIO(data), ""), name


@cache
def _register(name: str) -> None:
    for plugin in _PLUGINS[name]:
        if plugin == "pillow_heif":
            # The Lambda contains pi_heif, a smaller build of pillow_heif that only decodes.
            plugin = plugin if find_spec(plugin) else "pi_heif"  # noqa: PLW2901
            import_module(plugin).register_heif_opener(thumbnails=False)
        else:
            import_module(plugin)
