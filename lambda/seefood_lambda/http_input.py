"""Reads the pictures of a request: the body itself, a form, JSON, and base64 in each of them."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

from seefood.classification import Fetched
from seefood.errors import ErrorCode
from seefood.imaging.limits import Limits
from seefood.imaging.signatures import sniff_format
from seefood.records import ImageRef
from seefood_lambda.classifier import fetch
from seefood_lambda.events import Dialect, HttpRequest
from seefood_lambda.form_data import Field, FormError, parse_form
from seefood_lambda.problem_details import HttpError
from seefood_lambda.request_input import (
    NotBase64Error,
    from_base64,
    named_object,
    refuse_stranger,
)
from seefood_lambda.settings import HttpPolicy

UPLOAD_URI: Final = "upload:"
"""The URI in the row of a picture that was sent with the request."""
MAX_PICTURES: Final = 32
"""In one request."""
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_NOT_PICTURES: Final = ("text/", "video/", "audio/", "application/pdf", "application/zip")
_FORM: Final = "application/x-www-form-urlencoded"
_SNIFFED_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """The input of `POST /classify`."""

    pictures: tuple[Fetched, ...]
    wants_heatmap: bool
    is_list: bool = False
    """Whether the response is a list, also of one picture."""


def read_pictures(request: HttpRequest, policy: HttpPolicy, limits: Limits) -> PictureRequest:
    """Return the pictures of a request.

    Raises `HttpError`, `NotBase64Error`, or `NotAllowedError` for an object that may not be named.
    """
    content_type = request.headers.get("content-type", "").strip()
    kind = content_type.lower()
    body = _body(request)
    wants_heatmap = request.query.get("heatmap", "").lower() in _TRUE
    if kind.startswith("multipart/form-data"):
        return _from_fields(_form_fields(body, content_type), wants_heatmap=wants_heatmap)
    if kind.startswith(("application/json", "text/json")):
        return _from_json(body, request, policy, limits, wants_heatmap=wants_heatmap)
    if kind.startswith(_FORM) and body.lstrip().startswith((b"image=", b"heatmap=")):
        return _from_fields(_url_fields(body), wants_heatmap=wants_heatmap)
    picture = unpacked(body)
    if kind.startswith(_NOT_PICTURES) and sniff_format(picture[:_SNIFFED_BYTES]) is None:
        raise HttpError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            str(ErrorCode.NOT_AN_IMAGE),
            f"the Content-Type {kind[:80]} is not that of a picture; send image/*, "
            "multipart/form-data with a field `image`, or JSON",
        )
    return PictureRequest((_uploaded(picture),), wants_heatmap)


def unpacked(data: bytes) -> bytes:
    """Return the picture in `data` if it is a picture as base64 text, otherwise `data` itself."""
    if sniff_format(data[:_SNIFFED_BYTES]) is not None or not data.isascii():
        return data
    try:
        decoded = from_base64(data.decode())
    except NotBase64Error:
        return data
    return decoded if sniff_format(decoded[:_SNIFFED_BYTES]) is not None else data


def _body(request: HttpRequest) -> bytes:
    if request.is_base64:
        return from_base64(request.body)
    if request.dialect is Dialect.REST and "\N{REPLACEMENT CHARACTER}" in request.body[:64]:
        raise HttpError(
            HTTPStatus.BAD_REQUEST,
            "binary_as_text",
            "API Gateway has sent the picture as text, which destroys it; add */* to the API's "
            "binaryMediaTypes, or use an HTTP API with payload format 2.0",
        )
    return request.body.encode("utf-8", "replace")


def _form_fields(body: bytes, content_type: str) -> list[Field]:
    try:
        return parse_form(body, content_type)
    except FormError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_form", str(error)) from error


def _url_fields(body: bytes) -> list[Field]:
    try:
        pairs = parse_qsl(
            body.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=MAX_PICTURES
        )
    except ValueError as error:
        detail = f"a form of more than {MAX_PICTURES} fields"
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_form", detail) from error
    # A `+` that the sender did not encode has become a space.
    return [Field(name, value.replace(" ", "+").encode(), is_file=False) for name, value in pairs]


def _from_fields(fields: list[Field], *, wants_heatmap: bool) -> PictureRequest:
    named = [field for field in fields if field.name in {"image", "images", "image[]", "images[]"}]
    chosen = named or [field for field in fields if field.is_file][:1]
    if not chosen:
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_form", "the form has no field `image`")
    flags = [f.value.decode("utf-8", "replace").lower() for f in fields if f.name == "heatmap"]
    return PictureRequest(
        tuple(_uploaded(unpacked(field.value)) for field in chosen),
        wants_heatmap or any(flag in _TRUE for flag in flags),
        is_list=len(chosen) > 1,
    )


def _from_json(
    body: bytes, request: HttpRequest, policy: HttpPolicy, limits: Limits, *, wants_heatmap: bool
) -> PictureRequest:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_json", f"not JSON: {error}") from error
    fields = document if isinstance(document, dict) else {}
    wants_heatmap = wants_heatmap or fields.get("heatmap") is True
    name, values = _only(fields)
    if name in {"uri", "uris"}:
        if not request.is_iam:
            refuse_stranger()
        refs = [named_object(uri, policy.allowed_buckets) for uri in values]
        fetched = tuple(fetch(ref, limits) for ref in refs)
    else:
        fetched = tuple(_uploaded(from_base64(text)) for text in values)
    return PictureRequest(fetched, wants_heatmap, is_list=name in {"uris", "images"})


def _only(fields: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the one kind of input in the JSON, and its values. Raises `HttpError`."""
    names = ("uri", "uris", "image", "images")
    given = {name: fields[name] for name in names if fields.get(name) is not None}
    if len(given) == 1:
        ((name, value),) = given.items()
        values = value if isinstance(value, list) and name in {"uris", "images"} else [value]
        is_list = isinstance(value, list) == (name in {"uris", "images"})
        if is_list and values and all(isinstance(one, str) for one in values):
            if len(values) > MAX_PICTURES:
                raise HttpError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    "too_many_pictures",
                    f"{len(values):,} pictures are more than {MAX_PICTURES} in one request",
                )
            return name, values
    raise HttpError(
        HTTPStatus.BAD_REQUEST,
        "bad_json",
        'the JSON must have one of "image" or "uri", a string, or "images" or "uris", a list',
    )


def _uploaded(data: bytes) -> Fetched:
    return ImageRef(UPLOAD_URI, size_bytes=len(data)), data
