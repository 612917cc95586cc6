"""HEIF and AVIF: depths, alpha, grids, rotations and mirrors, metadata."""

from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import ResizeRule, decode
from tests.iso_media import Item, assemble, box, coded, full_box, grid
from tests.pictures import encoded, gradient

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
FORMATS = ("HEIF", "AVIF")
PICTURE = gradient((128, 64))


def _near(data: bytes, expected: NDArray[np.uint8]) -> None:
    height, width = expected.shape[:2]
    image = decode(data, ResizeRule(height, width))
    assert (width, height) == (image.width, image.height)
    assert np.abs(image.pixels.astype(float) - expected).mean() < 5


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("mirror", [None, 0, 1])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_rotations_and_mirrors(format_name: str, mirror: int | None, turns: int) -> None:
    """`irot` turns anticlockwise, then `imir` mirrors (23008-12, 6.5.10 and 6.5.12)."""
    item = coded(PICTURE, format_name)
    properties = list(item.properties)
    expected = np.asarray(PICTURE)
    if turns:
        properties.append(box(b"irot", bytes([turns])))
        expected = np.rot90(expected, turns)
    if mirror is not None:
        properties.append(box(b"imir", bytes([mirror])))
        expected = expected[::-1] if mirror == 0 else expected[:, ::-1]
    _near(assemble([Item(item.type, item.data, tuple(properties))], format_name), expected)


@pytest.mark.parametrize("format_name", FORMATS)
def test_grids(format_name: str) -> None:
    """A picture of two by two tiles, and one that cuts its last tiles."""
    whole = gradient((256, 128))
    parts = [
        coded(whole.crop((x, y, x + 128, y + 64)), format_name) for y in (0, 64) for x in (0, 128)
    ]
    for size in ((256, 128), (250, 120)):
        items = [grid(2, 2, size, (2, 3, 4, 5)), *parts]
        _near(assemble(items, format_name), np.asarray(whole.crop((0, 0, *size))))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_modes(format_name: str, mode: str) -> None:
    """Grey, color and alpha, which is put on white."""
    picture = PICTURE.convert(mode)
    expected = np.asarray(picture.convert("RGB")).astype(float)
    if mode.endswith("A"):
        alpha = np.full((64, 128), 255, np.uint8)
        alpha[:, :64] = 51
        picture.putalpha(Image.fromarray(alpha))
        share = alpha[..., None] / 255
        expected = expected * share + 255 * (1 - share)
    _near(encoded(picture, format_name, quality=95), expected.astype(np.uint8))


@pytest.mark.parametrize("bits", [10, 12])
def test_depths_of_heif(bits: int) -> None:
    """10 and 12 bits keep their most significant 8."""
    samples = np.asarray(PICTURE).astype(np.uint16) << 8
    option = "SAVE_HDR_TO_12_BIT"
    before = getattr(pillow_heif.options, option)
    setattr(pillow_heif.options, option, bits == 12)
    try:
        made = pillow_heif.from_bytes("RGB;16", PICTURE.size, samples.tobytes())
        data = encoded_heif(made)
    finally:
        setattr(pillow_heif.options, option, before)
    _near(data, np.asarray(PICTURE))


def encoded_heif(made: pillow_heif.HeifFile) -> bytes:
    """Return the bytes of a file."""
    stream = BytesIO()
    made.save(stream, quality=95, chroma=444)
    return stream.getvalue()


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\0\0\0\6Exif\0\0MM\0*\xff\xff\xff\xff", b"?" * 9000]
)
@pytest.mark.parametrize("kind", [b"Exif", b"mime", b"uri ", b"zzzz"])
def test_items_that_are_not_pixels_fail_nothing(
    format_name: str, kind: bytes, content: bytes
) -> None:
    """Metadata of any damage leaves the picture as it is."""
    items = [coded(PICTURE, format_name), Item(kind, content, ())]
    _near(assemble(items, format_name), np.asarray(PICTURE))


@pytest.mark.parametrize("format_name", FORMATS)
def test_what_stands_behind_fails_nothing(format_name: str) -> None:
    """Unknown boxes and garbage behind the picture."""
    for extra in (box(b"free", bytes(99)), full_box(b"zzzz", b"?"), b"\0\0\0\0", b"garbage" * 30):
        _near(
            assemble([coded(PICTURE, format_name)], format_name, extra=extra), np.asarray(PICTURE)
        )


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_cut_picture_fails(format_name: str) -> None:
    """Missing pixels are told."""
    data = assemble([coded(PICTURE, format_name)], format_name)
    with pytest.raises(PictureError) as caught:
        decode(data[:-200], ResizeRule(64, 128))
    assert caught.value.code in (ErrorCode.TRUNCATED, ErrorCode.CORRUPT)
