"""Reads forms: multipart/form-data (RFC 7578), as browsers and `curl -F` send it."""

from dataclasses import dataclass
from typing import Final

_MAX_FIELDS: Final = 32


class FormError(ValueError):
    """A body that is no form, is damaged, or has too many fields."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    name: str
    value: bytes
    is_file: bool


def parse_form(body: bytes, content_type: str) -> list[Field]:
    """Return the fields of a form in order. Raises `FormError` for a damaged one."""
    # Imported here because most events bring no form, and a cold start would pay for the import.
    from multipart import (  # noqa: PLC0415
        MultipartError,
        MultipartSegment,
        PushMultipartParser,
        parse_options_header,
    )

    boundary = parse_options_header(content_type)[1].get("boundary")
    if not boundary:
        raise FormError("the Content-Type names no boundary")
    fields: list[Field] = []
    try:
        # Strict: a field must have a name. Latin-1 decodes the bytes of any file name.
        parser = PushMultipartParser(
            boundary, max_segment_count=_MAX_FIELDS, header_charset="latin-1", strict=True
        )
        for event in parser.parse(body) if body else ():
            if isinstance(event, MultipartSegment):
                segment, value = event, b""
            elif event is not None:
                value += event
            else:
                fields.append(Field(segment.name, value, segment.filename is not None))
    except MultipartError as error:
        if len(fields) == _MAX_FIELDS:
            raise FormError(f"a form of more than {_MAX_FIELDS} fields") from error
        raise FormError(f"the form is damaged: {error}") from error
    try:
        parser.close()
    except MultipartError as error:
        raise FormError("the form's last boundary is missing: the body was cut off") from error
    return fields
