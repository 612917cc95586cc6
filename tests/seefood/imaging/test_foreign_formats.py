"""What is not decoded is named: other picture formats, and files that are no pictures."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import Limits, ResizeRule, decode
from seefood.imaging.foreign_formats import FILES, PICTURES, Mark, names
from tests.conftest import ROOT
from tests.pictures import encoded, gradient, jpeg, plain
from tests.tiff_files import Tiff, tiff

RULE = ResizeRule(24, 32)


def _error(data: bytes, limits: Limits = Limits()) -> PictureError:  # noqa: B008 (frozen)
    with pytest.raises(PictureError) as caught:
        decode(data, RULE, limits)
    return caught.value


def _at(magic: bytes, offset: int = 0) -> bytes:
    return bytes(offset) + magic + bytes(range(1, 200))


@pytest.mark.parametrize("mark", PICTURES, ids=lambda mark: f"{mark.name} {mark.magic[:6].hex()}")
def test_picture_formats_are_named(mark: Mark) -> None:
    """Each format of the table is `unsupported_format`, with its name."""
    error = _error(_at(mark.magic, mark.offset))
    assert ErrorCode.UNSUPPORTED_FORMAT == error.code
    assert mark.name in str(error)


@pytest.mark.parametrize("mark", FILES, ids=lambda mark: f"{mark.name} {mark.magic[:6].hex()}")
def test_other_files_are_named(mark: Mark) -> None:
    """Each kind of file of the table is `not_an_image`, with its name."""
    error = _error(_at(mark.magic, mark.offset))
    assert ErrorCode.NOT_AN_IMAGE == error.code
    assert mark.name in str(error)


_TGA = struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 640, 480, 24, 0)
_SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
_DOCTYPE = "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://www.w3.org/svg11.dtd'>"
_FORMATS = {
    "SVG": _SVG.encode(),
    "SVG behind its declaration": f"<?xml version='1.0'?>\n{_SVG}".encode(),
    "SVG behind a DOCTYPE": f"{_DOCTYPE}\n{_SVG}".encode(),
    "SVG behind a DOCTYPE with entities": f"<!DOCTYPE svg [<!ENTITY a 'b'>]>{_SVG}".encode(),
    "SVG behind a comment": f"<!-- drawn --><!-- {'x' * 9000} -->{_SVG}".encode(),
    "SVG behind a BOM": b"\xef\xbb\xbf  \r\n" + _SVG.encode(),
    "SVG in UTF-16": _SVG.encode("utf-16"),
    "SVG in UTF-16 without BOM": _SVG.encode("utf-16-le"),
    "SVG in UTF-16, big endian": f"<?xml version='1.0'?>{_SVG}".encode("utf-16-be"),
    "SVG with a prefix": b"<s:svg xmlns:s='http://www.w3.org/2000/svg'/>",
    "SVG in capitals": b"<SVG></SVG>",
    "TGA": _TGA + bytes(99),
    "TGA of run lengths": _TGA.replace(b"\0\0\2", b"\0\0\x0a", 1) + bytes(99),
    "TGA of grey": struct.pack("<BBBHHBHHHHBB", 5, 0, 3, 0, 0, 0, 0, 0, 9, 9, 8, 0x20) + bytes(99),
    "TGA by its footer": bytes(range(60)) + bytes(8) + b"TRUEVISION-XFILE.\0",
    "CUR": b"\0\0\2\0\1\0\x20\x20\0\0\1\0\1\0" + bytes(60),
    "XBM": b"#define a_width 16\n#define a_height 7\nstatic char a_bits[] = {\n",
    "Canon CR3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(40),
    "JPEG XL": b"\0\0\0\x14ftypjxl \0\0\0\0jxl " + bytes(40),
    "IFF ILBM": b"FORM\0\0\1\0ILBMBMHD" + bytes(40),
    "ANI": b"RIFF\0\1\0\0ACONLIST" + bytes(40),
}
_FILES = {
    "an HTML page": b"<!DOCTYPE html>\n<html><body><svg></svg></body></html>",
    "an HTML page behind a comment": b"<!-- saved --><HTML><head>",
    "an S3 error": b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code></Error>",
    "an XML document": b"<?xml version='1.0'?><feed><svg/></feed>",
    "a JSON document": b'{"image": "a.jpg"}',
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n",
    "a picture in base64": b"data:image/png;base64,iVBORw0KGgo",
    "text": b"Sausages and buns.\n",
    "zero bytes only": bytes(5000),
    "a video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(40),
    "a RIFF file": b"RIFF\0\1\0\0AVI LIST" + bytes(40),
    "a tar archive": b"a.jpg".ljust(257, b"\0") + b"ustar\x0000" + bytes(300),
}


@pytest.mark.parametrize("name", _FORMATS)
def test_formats_without_fixed_first_bytes_are_named(name: str) -> None:
    """SVG behind anything, TGA, CUR and formats inside containers."""
    error = _error(_FORMATS[name])
    assert ErrorCode.UNSUPPORTED_FORMAT == error.code
    assert str(error).startswith(re.split(r" behind| in | with| of| by", name)[0])


@pytest.mark.parametrize("name", _FILES)
def test_files_without_fixed_first_bytes_are_named(name: str) -> None:
    """Pages, error documents, text, videos and archives."""
    error = _error(_FILES[name])
    assert ErrorCode.NOT_AN_IMAGE == error.code
    assert name.split(" behind", maxsplit=1)[0] in str(error)


_RAW_TAGS = {
    "DNG": {50706: (1, [1, 4, 0, 0])},
    "Nikon NEF": {271: (1, [*b"NIKON CORPORATION\0"]), 330: (4, [8, 8]), 254: (4, [1])},
    "Sony ARW": {271: (1, [*b"SONY\0"]), 330: (4, [8]), 254: (4, [1])},
    "Pentax PEF": {271: (1, [*b"PENTAX\0"]), 262: (3, [32803])},
    "Samsung SRW": {271: (1, [*b"SAMSUNG\0"]), 330: (4, [8]), 254: (4, [1])},
    "camera raw": {254: (4, [1]), 330: (4, [8, 8])},
}


@pytest.mark.parametrize("name", _RAW_TAGS)
@pytest.mark.parametrize("order", ["little", "big"])
def test_raw_files_that_are_tiffs_are_named(name: str, order: str) -> None:
    """Their thumbnails are not labelled in their place."""
    samples = np.zeros((24, 32, 3), np.uint8)
    how = Tiff(2, order=order, tags=_RAW_TAGS[name])  # type: ignore[arg-type]
    error = _error(tiff(samples, how))
    assert ErrorCode.UNSUPPORTED_FORMAT == error.code
    assert name in str(error)


def test_a_photo_of_a_camera_as_tiff_is_decoded() -> None:
    """A maker's name makes no raw file."""
    samples = np.full((24, 32, 3), 9, np.uint8)
    data = tiff(samples, Tiff(2, tags={271: (1, [*b"NIKON CORPORATION\0"])}))
    assert 9 == decode(data, RULE).pixels.max()


def test_the_lists_of_the_documentation_are_the_tables() -> None:
    """docs/errors.md lists every name, and no other."""
    text = " ".join((ROOT / "docs" / "errors.md").read_text().split())
    pictures, files = names()
    assert f"`unsupported_format`: {', '.join(pictures)}." in text
    assert f"named in the message: {', '.join(files)}." in text


_TOO_MANY = encoded(
    plain(), "GIF", save_all=True, append_images=[plain((n, 0, 0)) for n in range(9)]
)
_REALITY = {
    "empty": (b"", Limits()),
    "not_an_image": (b"PK\3\4" + bytes(30), Limits()),
    "unsupported_format": (b"8BPS" + bytes(30), Limits()),
    "truncated": (jpeg(size=(200, 150))[:-400], Limits()),
    "corrupt": (encoded(gradient((200, 150)), "WEBP")[:300], Limits()),
    "too_large": (jpeg(), Limits(max_bytes=10)),
    "too_many_pixels": (jpeg(), Limits(max_pixels=10)),
    "too_many_frames": (_TOO_MANY, Limits(max_frames=3)),
}


@pytest.mark.parametrize("code", _REALITY)
def test_the_codes_of_the_documentation_are_real(code: str) -> None:
    """An example of each code that the table gives to a picture's bytes."""
    data, limits = _REALITY[code]
    assert code == _error(data, limits).code
    assert f"| `{code}` |" in Path(ROOT / "docs" / "errors.md").read_text()
