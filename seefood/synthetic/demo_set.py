"""The demo's pictures: 58 drawings and five broken files, written as real folders have them.

They come in every format that is decoded, in unusual color modes, rotated, with names that break
naive scripts. The folder states what a file shows: `hotdog/`, `other/` or `broken/`.
"""

import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from seefood.synthetic import draw_picture

Encoder = Callable[[Image.Image], bytes]
Size = tuple[int, int]

_THREADS: Final = 4  # NumPy and Pillow release the interpreter's lock while they work
_ORIENTATION: Final = 0x0112
_WEB: Final = (400, 300)
# How the pixels are stored for each EXIF orientation, so that viewers show the picture upright.
_STORED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def write_demo_pictures(folder: Path, seed: int = 0) -> int:
    """Write the demo set under `folder` and return its number of files.

    The same seed gives the same pictures. Creates the folder if it is absent and overwrites files
    of the same names; not atomic. Takes about 5 s.
    """

    def draw(number: int) -> None:
        name, kind, size, encode = _PICTURES[number]
        image = draw_picture(kind, (seed * len(_PICTURES) + number) % 1000, size)
        _write(folder / name, encode(image))

    with ThreadPoolExecutor(_THREADS, "draw") as pool:
        list(pool.map(draw, range(len(_PICTURES))))
    broken = _broken_files(draw_picture("pizza", seed % 1000, _WEB))
    for name, data in broken.items():
        _write(folder / "broken" / name, data)
    return len(_PICTURES) + len(broken)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _encode(image: Image.Image, format_name: str, mode: str | None = None, **options: Any) -> bytes:
    stream = BytesIO()
    (image.convert(mode) if mode else image).save(stream, format_name, **options)
    return stream.getvalue()


_jpeg: Final = partial(_encode, format_name="JPEG", quality=88)
_progressive: Final = partial(_encode, format_name="JPEG", quality=85, progressive=True)
_grey: Final = partial(_encode, format_name="JPEG", mode="L", quality=88)
_cmyk: Final = partial(_encode, format_name="JPEG", mode="CMYK", quality=88)
_png: Final = partial(_encode, format_name="PNG", compress_level=3)
_palette: Final = partial(_encode, format_name="PNG", mode="P")
_webp: Final = partial(_encode, format_name="WEBP", quality=82, method=2)
_gif: Final = partial(_encode, format_name="GIF")
_bmp: Final = partial(_encode, format_name="BMP")
_tiff: Final = partial(_encode, format_name="TIFF", compression="tiff_adobe_deflate")
_avif: Final = partial(_encode, format_name="AVIF", quality=70, speed=9)


def _rotated(orientation: int) -> Encoder:
    """Return an encoder that stores the pixels rotated or mirrored, and the EXIF orientation."""

    def encode(image: Image.Image) -> bytes:
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        transpose = _STORED.get(orientation)
        return _jpeg(image if transpose is None else image.transpose(transpose), exif=exif)

    return encode


def _alpha(image: Image.Image) -> bytes:
    """Encode with transparent corners, as product photos in web shops have them."""
    rows = np.linspace(-1, 1, image.height)[:, None]
    columns = np.linspace(-1, 1, image.width)[None, :]
    inside = rows**8 + columns**8 < 1
    image = image.copy()
    image.putalpha(Image.fromarray(inside.astype(np.uint8) * 255))
    return _png(image)


def _png16(image: Image.Image) -> bytes:
    """Encode with 16 bits a channel, which Pillow cannot write (PNG, third edition, section 11)."""
    samples = np.asarray(image, np.uint16) * 257
    rows = samples.astype(">u2").reshape(image.height, -1).view(np.uint8)
    raw = np.insert(rows, 0, 0, axis=1).tobytes()  # filter type 0 before each row
    return _png_file(image.size, 16, raw)


def _png_file(size: Size, bits: int, raw: bytes) -> bytes:
    """Return an RGB PNG file of unfiltered rows."""
    header = struct.pack(">IIBBBBB", *size, bits, 2, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 3)), (b"IEND", b"")):
        check = zlib.crc32(kind + data)
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check))
    return b"".join(parts)


def _animated(image: Image.Image) -> bytes:
    """Encode three frames: the picture, then two in which it moves out to the left."""
    later = [
        image.transform(image.size, Image.Transform.AFFINE, (1, 0, step, 0, 1, 0))
        for step in (40, 80)
    ]
    return _gif(image, save_all=True, append_images=later, duration=200, loop=0)


def _heic(image: Image.Image) -> bytes:
    from pillow_heif import from_pillow  # noqa: PLC0415 (takes 90 ms)

    stream = BytesIO()
    from_pillow(image).save(stream, quality=75)
    return stream.getvalue()


def _broken_files(image: Image.Image) -> dict[str, bytes]:
    whole = _jpeg(image)
    return {
        "empty.jpg": b"",
        "cut off.jpg": whole[: len(whole) * 2 // 5],
        "shopping list.jpg": b"sausages\nbuns\nmustard\nonions\n",
        "layers.psd": b"8BPS\x00\x01" + bytes(6) + struct.pack(">HIIHH", 3, 300, 400, 8, 3),
        "bomb.png": _png_file((30_000, 30_000), 8, bytes(1000)),
    }


_PICTURES: Final[tuple[tuple[str, str, Size, Encoder], ...]] = (
    # name, what it shows, (width, height), how it is stored
    ("hotdog/mustard 1.jpg", "hotdog_mustard", _WEB, _jpeg),
    ("hotdog/mustard 2.jpg", "hotdog_mustard", (500, 375), _progressive),
    ("hotdog/mustard + relish.jpg", "hotdog_toppings", _WEB, _jpeg),
    ("hotdog/100% beef.jpg", "hotdog_plain", _WEB, _jpeg),
    ("hotdog/50%20off.jpg", "hotdog_ketchup", (320, 240), _jpeg),
    ("hotdog/ketchup.webp", "hotdog_ketchup", _WEB, _webp),
    ("hotdog/ketchup.png", "hotdog_ketchup", (320, 240), _png),
    ("hotdog/palette.png", "hotdog_mustard", (320, 240), _palette),
    ("hotdog/cut out.png", "hotdog_mustard", (360, 360), _alpha),
    ("hotdog/deep.png", "hotdog_toppings", (320, 240), _png16),
    ("hotdog/moving.gif", "hotdog_mustard", (320, 240), _animated),
    ("hotdog/scan.tiff", "hotdog_toppings", _WEB, _tiff),
    ("hotdog/paint.bmp", "hotdog_mustard", (320, 240), _bmp),
    ("hotdog/printer.jpg", "hotdog_ketchup", _WEB, _cmyk),
    ("hotdog/phone.heic", "hotdog_mustard", (480, 360), _heic),
    ("hotdog/new phone.avif", "hotdog_toppings", (640, 480), _avif),
    ("hotdog/camera/DSC_0012.JPG", "hotdog_mustard", (4000, 3000), _jpeg),
    ("hotdog/camera/DSC_0013.JPG", "hotdog_toppings", (1600, 1200), _jpeg),
    ("hotdog/rotated/orientation 1.jpg", "hotdog_mustard", _WEB, _rotated(1)),
    ("hotdog/rotated/orientation 3.jpg", "hotdog_ketchup", _WEB, _rotated(3)),
    ("hotdog/rotated/orientation 6.jpg", "hotdog_mustard", (300, 400), _rotated(6)),
    ("hotdog/rotated/orientation 8.jpg", "hotdog_plain", (300, 400), _rotated(8)),
    ("hotdog/world/ホットドッグ.jpg", "hotdog_mustard", _WEB, _jpeg),
    ("hotdog/world/хот-дог.jpg", "hotdog_ketchup", _WEB, _jpeg),
    ("hotdog/world/perrito caliente número 5.jpg", "hotdog_toppings", _WEB, _progressive),
    ("hotdog/world/🌭.webp", "hotdog_mustard", (480, 320), _webp),
    ("hotdog/upright.jpg", "hotdog_mustard", (360, 480), _jpeg),
    ("hotdog/small.jpg", "hotdog_ketchup", (160, 120), _jpeg),
    ("other/pizza.jpg", "pizza", _WEB, _jpeg),
    ("other/pizza margherita.webp", "pizza", (480, 360), _webp),
    ("other/pizza & beer.png", "pizza", (320, 240), _png),
    ("other/pizza (old).jpg", "pizza", _WEB, _grey),
    ("other/pizza #3.jpg", "pizza", _WEB, _progressive),
    ("other/crème fraîche.jpg", "pizza", (500, 375), _jpeg),
    ("other/pizza.gif", "pizza", (240, 240), _gif),
    ("other/banana.jpg", "banana", _WEB, _jpeg),
    ("other/banana+1.jpg", "banana", (480, 360), _jpeg),
    ("other/bananas.png", "banana", (320, 240), _palette),
    ("other/banana, ripe.heic", "banana", (360, 480), _heic),
    ("other/пицца.jpg", "pizza", (375, 500), _jpeg),
    ("other/flower shop.png", "flower", (360, 360), _alpha),
    ("other/banana.tif", "banana", _WEB, _tiff),
    ("other/garden/flower.jpg", "flower", (300, 400), _jpeg),
    ("other/garden/flower.gif", "flower", (320, 240), _animated),
    ("other/garden/flower.avif", "flower", (640, 480), _avif),
    ("other/garden/flower.bmp", "flower", (240, 320), _bmp),
    ("other/garden/grandma's flower.jpg", "flower", (300, 400), _grey),
    ("other/garden/花.webp", "flower", (480, 320), _webp),
    ("other/garden/printed.jpg", "flower", (480, 320), _cmyk),
    ("other/house.jpg", "house", (2400, 1600), _jpeg),
    ("other/house.png", "house", (320, 240), _png16),
    ("other/old house.jpg", "house", _WEB, _grey),
    ("other/street/house 2.jpg", "house", (500, 375), _progressive),
    ("other/street/house 4.jpg", "house", (480, 320), _cmyk),
    ("other/rotated/orientation 2.jpg", "flower", (300, 400), _rotated(2)),
    ("other/rotated/orientation 4.jpg", "banana", _WEB, _rotated(4)),
    ("other/rotated/orientation 5.jpg", "house", _WEB, _rotated(5)),
    ("other/rotated/orientation 7.jpg", "house", (300, 400), _rotated(7)),
)
