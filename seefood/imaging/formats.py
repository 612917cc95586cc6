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

from seefood.errors import ErrorCode, PictureError

_PLUGINS: Final = {
    "JPEG": ("PIL.JpegImagePlugin", "PIL.MpoImagePlugin"),
    "PNG": ("PIL.PngImagePlugin",),
    "WEBP": ("PIL.WebPImagePlugin",),
    "GIF": ("PIL.GifImagePlugin",),
    "BMP": ("PIL.BmpImagePlugin",),
    "TIFF": ("PIL.TiffImagePlugin",),
    "HEIF": ("pillow_heif",),
    "AVIF": ("PIL.AvifImagePlugin",),
}
SUPPORTED_FORMATS: Final = tuple(_PLUGINS)

_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
# First bytes of formats that are recognized but not decoded.
_UNSUPPORTED: Final = (
    (b"8BPS", "PSD"),
    (b"DDS ", "DDS"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\x00\x00\x02\x00", "CUR"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x01\xda", "SGI"),
    (b"\x0a\x05\x01", "PCX"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"qoif", "QOI"),
    (b"icns", "ICNS"),
    (b"SIMPLE  =", "FITS"),
    (b"/* XPM */", "XPM"),
    (b"%PDF", "PDF"),
    (b"<svg", "SVG"),
    (b"<?xml", "SVG or other XML"),
    *((b"P%d" % n, "PNM") for n in range(1, 8)),
)


def sniff_format(head: bytes) -> str | None:
    """Return which of `SUPPORTED_FORMATS` the first 64 bytes are of; None for any other."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"BM"):
        return "BMP"
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    if head[4:8] == b"ftyp":
        return _sniff_iso_media(head)
    return None


def _sniff_iso_media(head: bytes) -> str | None:
    """Distinguish HEIF and AVIF by the brands of the file type box (ISO/IEC 14496-12, 4.3)."""
    size = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "AVIF"
    if any(brand in _HEIF_BRANDS for brand in brands):
        return "HEIF"
    return None


def open_image(stream: BytesIO, head: bytes) -> tuple[Image.Image, str]:
    """Open `stream` without decoding pixels; return the image and its format.

    Raises `PictureError` for unsupported formats, and whatever a decoder raises.
    """
    name = sniff_format(head)
    if name is None:
        raise _unsupported_error(head)
    _register(name)
    # Not `Image.open`: it hides the plugin's message, imports all plugins when this one fails,
    # and checks the size against a limit of the whole process instead of `Limits`.
    opener, _ = Image.OPEN[name]
    return opener(stream, ""), name


def _unsupported_error(head: bytes) -> PictureError:
    for magic, other in _UNSUPPORTED:
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(magic) or head.startswith(magic):
            return PictureError(
                ErrorCode.UNSUPPORTED_FORMAT,
                f"{other} is not decoded; convert it to one of {', '.join(SUPPORTED_FORMATS)}",
            )
    start = head[:8].hex(" ")
    return PictureError(ErrorCode.NOT_AN_IMAGE, f"no picture format begins with the bytes {start}")


@cache
def _register(name: str) -> None:
    for plugin in _PLUGINS[name]:
        if plugin == "pillow_heif":
            # The Lambda contains pi_heif, a smaller build of pillow_heif that only decodes.
            plugin = plugin if find_spec(plugin) else "pi_heif"  # noqa: PLW2901
            import_module(plugin).register_heif_opener(thumbnails=False)
        else:
            import_module(plugin)
