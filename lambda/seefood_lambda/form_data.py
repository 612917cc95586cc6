"""The picture in a form: multipart/form-data (RFC 7578), as browsers and `curl -F` send it."""

import re
from dataclasses import dataclass
from typing import Final

_BOUNDARY: Final = re.compile(r'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_NAME: Final = re.compile(rb'name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_MAX_PARTS: Final = 32


class FormError(ValueError):
    """A body that is no form, or a form that is cut off."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    name: str
    value: bytes
    is_file: bool


def parse_form(body: bytes, content_type: str) -> list[Field]:
    """Return the fields of a form in order. Raises `FormError` for a damaged one."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise FormError("the Content-Type names no boundary")
    mark = b"--" + found[1].encode("latin-1", "replace")
    head, *parts = (b"\r\n" + body).split(b"\r\n" + mark)
    if not parts or not parts[-1].startswith(b"--"):
        raise FormError("the form's last boundary is missing: the body was cut off")
    if len(parts) > _MAX_PARTS:
        raise FormError(f"a form of more than {_MAX_PARTS} fields")
    del head  # a preamble, which nobody reads
    return [_field(part) for part in parts[:-1]]


def _field(part: bytes) -> Field:
    headers, separator, value = part.partition(b"\r\n\r\n")
    if not separator:
        raise FormError("a field without an empty line after its headers")
    disposition = next(
        (
            line
            for line in headers.split(b"\r\n")
            if line.lower().startswith(b"content-disposition:")
        ),
        b"",
    )
    name = _NAME.search(re.sub(rb'filename\*?="(?:[^"\\]|\\.)*"', b"", disposition))
    if name is None:
        raise FormError("a field without a name")
    return Field(name[1].decode("utf-8", "replace"), value, b"filename" in disposition.lower())
