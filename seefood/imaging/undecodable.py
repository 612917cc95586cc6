"""What is wrong with a picture that its decoder could not read: kind, end or content."""

import re
import struct
from typing import Final

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.jpeg import END_OF_IMAGE
from seefood.imaging.jpeg_markers import is_arithmetic, unread_kind
from seefood.imaging.signatures import sniff_format
from seefood.sanitize import one_line

_UNSUPPORTED: Final = re.compile(
    r"unsupported|not supported|not implemented|not been built|no codec available", re.IGNORECASE
)


def undecodable(error: Exception, data: bytes) -> PictureError:
    """Return the error of a row for what a decoder raised about `data`."""
    format_name = sniff_format(data[:64]) or "picture"
    kind = unread_kind(data) if format_name == "JPEG" else None
    if kind is not None:
        return PictureError(
            ErrorCode.UNSUPPORTED_FORMAT, f"a {kind} JPEG is not decoded; convert it to 8 bits"
        )
    text = one_line(error)
    if _UNSUPPORTED.search(text):
        return PictureError(
            ErrorCode.UNSUPPORTED_FORMAT, f"this kind of {format_name} is not decoded: {text}"
        )
    causes = (error, error.__cause__)  # Pillow wraps errors in the header
    truncated = any(isinstance(cause, EOFError | struct.error) for cause in causes) or any(
        words in text.lower() for words in ("truncated", "end of file")
    )
    # libjpeg does not tell that arithmetic codes end early.
    if format_name == "JPEG" and END_OF_IMAGE not in data and is_arithmetic(data):
        truncated = True
    code = ErrorCode.TRUNCATED if truncated else ErrorCode.CORRUPT
    return PictureError(code, f"damaged {format_name}: {text}")
