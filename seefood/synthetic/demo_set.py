"""The demo's pictures: sixty files as real folders have them, drawn on the spot.

Hot dogs and other things in every format that is decoded, in odd modes, lying on their side, with
names that trip scripts up; and a few broken files. The folder says what a file truly shows:
`hotdog/`, `other/` or `broken/`.
"""

import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from seefood.synthetic import draw_picture

Encoder = Callable[[Image.Image], bytes]
Size = tuple[int, int]

_THREADS: Final = 4  # NumPy and Pillow let go of the interpreter while they work
_ORIENTATION: Final = 0x0112
_WEB: Final = (400, 300)
# How an upright picture has to be stored for a viewer that obeys the EXIF orientation.
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
    """Write the demo set under `folder` and return how many files it has.

    The same seed gives the same pictures. Makes the folder if it is absent and overwrites files of
    the same names; not atomic. Takes about 5 s.
    """

    def draw(number: int) -> None:
        name, kind, size, encode = _PICTURES[number]
        image = draw_picture(kind, (seed * len(_PICTURES) + number) % 1000, size)
        _write(folder / name, encode(image))

    with ThreadPoolExecutor(_THREADS, "draw") as pool:
        for _ in pool.map(draw, range(len(_PICTURES))):
            pass  # what a thread raised is raised here
    broken = _broken_files(draw_picture("pizza", seed % 1000, _WEB))
    for name, data in broken.items():
        _write(folder / "broken" / name, data)
    return len(_PICTURES) + len(broken)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _saved(image: Image.Image, format_name: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, format_name, **options)
    return stream.getvalue()


def _jpeg(image: Image.Image) -> bytes:
    return _saved(image, "JPEG", quality=88)


def _progressive(image: Image.Image) -> bytes:
    return _saved(image, "JPEG", quality=85, progressive=True)


def _grey(image: Image.Image) -> bytes:
    return _saved(image.convert("L"), "JPEG", quality=88)


def _cmyk(image: Image.Image) -> bytes:
    return _saved(image.convert("CMYK"), "JPEG", quality=88)


def _turned(orientation: int) -> Encoder:
    """Return an encoder whose pixels lie turned, with the EXIF orientation that says so."""

    def encode(image: Image.Image) -> bytes:
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        transpose = _STORED.get(orientation)
        stored = image if transpose is None else image.transpose(transpose)
        return _saved(stored, "JPEG", quality=88, exif=exif)

    return encode


def _png(image: Image.Image) -> bytes:
    return _saved(image, "PNG", compress_level=3)


def _palette(image: Image.Image) -> bytes:
    return _saved(image.quantize(256, Image.Quantize.FASTOCTREE), "PNG")


def _alpha(image: Image.Image) -> bytes:
    """Encode with rounded corners cut out, as a web shop would."""
    rows = np.linspace(-1, 1, image.height)[:, None]
    columns = np.linspace(-1, 1, image.width)[None, :]
    inside = rows**8 + columns**8 < 1
    image = image.copy()
    image.putalpha(Image.fromarray(inside.astype(np.uint8) * 255))
    return _png(image)


def _png16(image: Image.Image) -> bytes:
    """Encode 16 bits a channel, which Pillow cannot write (PNG, third edition, section 11)."""
    samples = np.asarray(image, np.uint16) * 257
    rows = samples.astype(">u2").reshape(image.height, -1).view(np.uint8)
    raw = np.insert(rows, 0, 0, axis=1).tobytes()  # filter type 0 before each row
    header = struct.pack(">IIBBBBB", image.width, image.height, 16, 2, 0, 0, 0)
    return _png_file((b"IHDR", header), (b"IDAT", zlib.compress(raw, 3)), (b"IEND", b""))


def _png_file(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in chunks:
        check = zlib.crc32(kind + data)
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check))
    return b"".join(parts)


def _webp(image: Image.Image) -> bytes:
    return _saved(image, "WEBP", quality=82, method=2)


def _gif(image: Image.Image) -> bytes:
    return _saved(image, "GIF")


def _animated(image: Image.Image) -> bytes:
    """Encode three frames: the picture, then two that drift out of it."""
    later = [image.transform(image.size, Image.Transform.AFFINE, (1, 0, step, 0, 1, 0))
             for step in (40, 80)]  # fmt: skip
    return _saved(image, "GIF", save_all=True, append_images=later, duration=200, loop=0)


def _bmp(image: Image.Image) -> bytes:
    return _saved(image, "BMP")


def _tiff(image: Image.Image) -> bytes:
    return _saved(image, "TIFF", compression="tiff_adobe_deflate")


def _avif(image: Image.Image) -> bytes:
    return _saved(image, "AVIF", quality=70, speed=9)


def _heic(image: Image.Image) -> bytes:
    from pillow_heif import from_pillow  # noqa: PLC0415 (90 ms that only this picture needs)

    stream = BytesIO()
    from_pillow(image).save(stream, quality=75)
    return stream.getvalue()


def _broken_files(image: Image.Image) -> dict[str, bytes]:
    whole = _jpeg(image)
    bomb = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return {
        "empty.jpg": b"",
        "cut off.jpg": whole[: len(whole) * 2 // 5],
        "shopping list.jpg": b"sausages\nbuns\nmustard\nonions\n",
        "layers.psd": b"8BPS\x00\x01" + bytes(6) + struct.pack(">HIIHH", 3, 300, 400, 8, 3),
        "bomb.png": _png_file((b"IHDR", bomb), (b"IDAT", zlib.compress(bytes(1000)))),
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
    ("hotdog/scan.tiff", "hotdog_toppings", (400, 300), _tiff),
    ("hotdog/paint.bmp", "hotdog_mustard", (320, 240), _bmp),
    ("hotdog/printer.jpg", "hotdog_ketchup", _WEB, _cmyk),
    ("hotdog/phone.heic", "hotdog_mustard", (480, 360), _heic),
    ("hotdog/new phone.avif", "hotdog_toppings", (640, 480), _avif),
    ("hotdog/camera/DSC_0012.JPG", "hotdog_mustard", (4000, 3000), _jpeg),
    ("hotdog/camera/DSC_0013.JPG", "hotdog_toppings", (1600, 1200), _jpeg),
    ("hotdog/turned/orientation 1.jpg", "hotdog_mustard", _WEB, _turned(1)),
    ("hotdog/turned/orientation 3.jpg", "hotdog_ketchup", _WEB, _turned(3)),
    ("hotdog/turned/orientation 6.jpg", "hotdog_mustard", (300, 400), _turned(6)),
    ("hotdog/turned/orientation 8.jpg", "hotdog_plain", (300, 400), _turned(8)),
    ("hotdog/world/ホットドッグ.jpg", "hotdog_mustard", _WEB, _jpeg),
    ("hotdog/world/хот-дог.jpg", "hotdog_ketchup", _WEB, _jpeg),
    ("hotdog/world/perrito caliente número 5.jpg", "hotdog_toppings", _WEB, _progressive),
    ("hotdog/world/🌭.webp", "hotdog_mustard", (480, 320), _webp),
    ("hotdog/upright.jpg", "hotdog_mustard", (360, 480), _jpeg),
    ("hotdog/small.jpg", "hotdog_ketchup", (160, 120), _jpeg),
    ("other/pizza.jpg", "pizza", _WEB, _jpeg),
    ("other/pizza margherita.webp", "pizza", (480, 360), _webp),
    ("other/burger.jpg", "burger", _WEB, _progressive),
    ("other/burger & fries.png", "burger", (320, 240), _png),
    ("other/salad.jpg", "salad", (500, 375), _jpeg),
    ("other/ice cream.jpg", "ice_cream", (300, 400), _jpeg),
    ("other/café crème.jpg", "coffee", _WEB, _jpeg),
    ("other/donut #3.jpg", "donut", _WEB, _jpeg),
    ("other/donuts.png", "donut", (320, 240), _palette),
    ("other/apple.png", "apple", (360, 360), _alpha),
    ("other/apple.avif", "apple", (640, 480), _avif),
    ("other/banana.jpg", "banana", _WEB, _jpeg),
    ("other/banana+1.jpg", "banana", (480, 360), _jpeg),
    ("other/animals/dog.jpg", "dog", _WEB, _jpeg),
    ("other/animals/dog, sleepy.heic", "dog", (360, 480), _heic),
    ("other/animals/cat.jpg", "cat", (375, 500), _jpeg),
    ("other/animals/кошка.gif", "cat", (240, 240), _gif),
    ("other/shoe.jpg", "shoe", _WEB, _jpeg),
    ("other/shoe.tif", "shoe", (400, 300), _tiff),
    ("other/car.jpg", "car", (480, 320), _cmyk),
    ("other/old car.jpg", "car", _WEB, _grey),
    ("other/tree.png", "tree", (320, 240), _png16),
    ("other/tree.bmp", "tree", (240, 320), _bmp),
    ("other/grandma.jpg", "person", (300, 400), _grey),
    ("other/house.jpg", "house", (2400, 1600), _jpeg),
    ("other/flower.gif", "flower", (320, 240), _animated),
    ("other/turned/orientation 2.jpg", "person", (300, 400), _turned(2)),
    ("other/turned/orientation 4.jpg", "car", _WEB, _turned(4)),
    ("other/turned/orientation 5.jpg", "house", _WEB, _turned(5)),
    ("other/turned/orientation 7.jpg", "flower", (300, 400), _turned(7)),
)
