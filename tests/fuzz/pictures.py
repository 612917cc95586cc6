"""Pictures: any bytes give one row, which every text format can store."""

import random
from collections.abc import Sequence
from functools import cache
from typing import Final

from seefood.classification import classify_images
from seefood.engines.fake import FakeEngine
from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import open_upright
from seefood.records import ImageRef
from seefood.results.formats import result_format
from seefood.synthetic import draw_picture
from tests.conftest import SHARED
from tests.fakes import MODEL
from tests.fuzz.target import Target
from tests.pictures import encoded

_MAX_BYTES: Final = 32 * 1024
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF")
_ENGINE: Final = FakeEngine(2)


def _run(data: bytes) -> None:
    ref = ImageRef("s3://bucket/key", "tag", len(data))
    (row,) = classify_images([(ref, data)], _ENGINE, MODEL)
    assert row.error_code is None or ErrorCode(row.error_code)
    assert (row.error_code is None) == (row.label is not None)
    for file_format in map(result_format, ("jsonl", "csv")):
        (again,) = file_format.decode(file_format.encode([row]))
        assert row.error_code == again.error_code
    if row.error_code is None and len(data) % 4 == 0:
        try:
            open_upright(data, 64)
        except PictureError:
            return


def _seeds() -> Sequence[bytes]:
    drawn = draw_picture("hotdog_mustard", 1, (48, 32))
    seeds = [encoded(drawn, name) for name in _FORMATS]
    for mode in ("L", "P", "RGBA", "1", "CMYK"):
        name = {"1": "TIFF", "CMYK": "JPEG"}.get(mode, "PNG")
        seeds.append(encoded(drawn.convert(mode), name))
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4"):
        mode = "1" if compression == "group4" else "RGB"
        seeds.append(encoded(drawn.convert(mode), "TIFF", compression=compression))
    seeds.append(encoded(drawn, "JPEG", progressive=True, quality=40))
    seeds.append(encoded(drawn, "GIF", save_all=True, append_images=[drawn.rotate(90)]))
    return [*seeds, *_hostile()]


@cache
def _hostile() -> tuple[bytes, ...]:
    """Return small files that other fuzzers found, if this machine has them."""
    folder = SHARED / "hostile"
    if not folder.is_dir():
        return ()
    files = sorted(path for path in folder.iterdir() if path.stat().st_size <= _MAX_BYTES)
    return tuple(path.read_bytes() for path in random.Random(1).sample(files, min(300, len(files))))


TARGETS: Final = (Target("picture", _run, _seeds, _MAX_BYTES),)
