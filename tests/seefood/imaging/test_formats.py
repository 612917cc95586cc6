"""Formats are detected by their first bytes."""

import subprocess
import sys

import pytest

from seefood.imaging.formats import SUPPORTED_FORMATS
from seefood.imaging.signatures import sniff_format
from tests.pictures import encoded, plain


@pytest.mark.parametrize("format_name", SUPPORTED_FORMATS)
def test_formats_are_told_from_their_first_bytes(format_name: str) -> None:
    """64 bytes are enough to recognize each format."""
    assert format_name == sniff_format(encoded(plain(), format_name)[:64])


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x1cftypavis\0\0\0\0avifavis", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", None),
        (b"\0\0\0\0ftyp", None),
        (b"II+\0\x08\0\0\0", "TIFF"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"", None),
    ],
)
def test_container_brands(head: bytes, expected: str | None) -> None:
    """HEIC and AVIF are distinguished by their brands, and a video is not a picture."""
    assert expected == sniff_format(head)


def test_a_refused_picture_loads_no_other_decoder() -> None:
    """Broken bytes load only the plugin of their format, never EPS, which starts Ghostscript."""
    code = """
import sys
from seefood.errors import PictureError
from seefood.imaging.decode import ResizeRule, decode
for data in (b"\\xff\\xd8\\xffbroken", b"%!PS-Adobe", b"nothing"):
    try:
        decode(data, ResizeRule(8, 8))
    except PictureError:
        pass
loaded = {name for name in sys.modules if name.startswith("PIL.") and name.endswith("Plugin")}
print(*sorted(loaded))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"PIL.JpegImagePlugin", "PIL.MpoImagePlugin", "PIL.TiffImagePlugin"} >= set(
        done.stdout.split()
    )
