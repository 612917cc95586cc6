"""Opens the first picture of a TIFF that is no thumbnail, by the decoder that reads its layout."""

from io import BytesIO
from typing import Final

from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.fax import open_fax
from seefood.imaging.tiff_layout import Reader, layout_of
from seefood.imaging.tiff_samples import open_samples
from seefood.imaging.tiff_tags import Tag, TiffTags, main_picture, read_tags

_RAW_COMPRESSIONS: Final = frozenset({32767, 32769, 32770, 34713, 65000, 65535})
_RAW_PHOTOMETRIC: Final = frozenset({32803, 34892})
_RAW_OF: Final = {"canon": "Canon CR2", "nikon": "Nikon NEF", "sony": "Sony ARW",
                  "pentax": "Pentax PEF", "ricoh": "Pentax PEF", "samsung": "Samsung SRW",
                  "hasselblad": "Hasselblad 3FR", "phase one": "Phase One IIQ", "leaf": "Leaf MOS",
                  "epson": "Epson ERF", "kodak": "Kodak DCR", "eastman kodak": "Kodak DCR",
                  "mamiya": "Mamiya MEF", "panasonic": "Panasonic RAW", "leica": "Leica RAW",
                  "olympus": "Olympus ORF"}  # fmt: skip


def open_tiff(data: bytes) -> Image.Image:
    """Open the first picture of the TIFF in `data` that is no thumbnail, without decoding pixels.

    Raises `PictureError` for camera raw files and for layouts that are not decoded, and whatever
    Pillow raises.
    """
    tags = read_tags(data)
    raw = raw_format(data, tags)
    if raw is not None:
        raise PictureError(
            ErrorCode.UNSUPPORTED_FORMAT,
            f"{raw}, a camera's raw file, is not decoded; convert it to JPEG",
        )
    tags, number = main_picture(data, tags)
    if tags.problem is not None:
        raise PictureError(ErrorCode.TRUNCATED, f"damaged TIFF: {tags.problem}")
    layout = layout_of(tags)
    reader = layout.reader
    if reader is not Reader.PILLOW:
        return (open_samples if reader is Reader.SAMPLES else open_fax)(data, tags, layout)
    image = Image.OPEN["TIFF"][0](BytesIO(data), "")
    if number:
        image.seek(number)
    return image


def raw_format(data: bytes, tags: TiffTags) -> str | None:
    """Return the name of the camera's raw format that this TIFF is; None for any other TIFF.

    The first picture of most raw files is a thumbnail, with the raw data in a subdirectory.
    """
    if data[8:10] == b"CR":
        return "Canon CR2"
    if data[8:12] == b"IIII":
        return "Phase One IIQ"
    if Tag.DNG_VERSION in tags.entries:
        return "DNG"
    entry = tags.entries.get(Tag.MAKE)
    make = (entry.value if entry else b"").decode("latin-1").strip("\0 ").lower()
    known = next((name for maker, name in _RAW_OF.items() if make.startswith(maker)), None)
    is_reduced = tags.number(Tag.SUBFILE_TYPE, 0) & 1
    has_raw_data = (
        Tag.CFA_PATTERN in tags.entries
        or tags.number(Tag.COMPRESSION, 1) in _RAW_COMPRESSIONS
        or tags.number(Tag.PHOTOMETRIC, -1) in _RAW_PHOTOMETRIC
    )
    has_parts = Tag.SUB_IFDS in tags.entries
    is_cut = tags.problem is not None
    if has_raw_data or (has_parts and (is_reduced or known)) or (is_reduced and is_cut):
        return known or "camera raw (DNG, NEF, ARW, ...)"
    return None
