"""Handles HTTP requests: the page, classifying a picture, and errors as problem details.

    GET  /                       the page
    GET  /health                 the model that is loaded
    POST /classify[?heatmap=1]   a picture (any image type), a form with a field `image`, or JSON:
                                 {"image": "<base64>"} or {"uri": "s3://bucket/key"}

Nothing is stored.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from seefood.classify import Fetched
from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import decode
from seefood.records import ImageRef, Row
from seefood_lambda.classifier import Classifier, fetch
from seefood_lambda.events import HttpRequest
from seefood_lambda.form_data import Field, FormError, parse_form
from seefood_lambda.page import content_security_policy, page
from seefood_lambda.problem_details import HttpError, as_json, of_picture
from seefood_lambda.request_input import NotAllowedError, NotBase64Error, from_base64, named_object
from seefood_lambda.saliency import HeatMap, heat_map

UPLOAD_URI: Final = "upload:"
"""The URI in the row of a picture that was sent with the request."""
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_NOT_PICTURES: Final = ("text/", "video/", "audio/", "application/pdf", "application/zip")


@dataclass(frozen=True, slots=True)
class Response:
    """The response of a Function URL, and what to log about it."""

    status: HTTPStatus
    content_type: str
    body: str
    headers: Mapping[str, str]
    row: Row | None = None
    """The picture's row, for logs."""
    failure: Exception | None = None
    """An unexpected error, for logs; the caller does not see it."""

    def as_event(self) -> dict[str, Any]:
        """Return the response in payload format 2.0."""
        return {
            "statusCode": int(self.status),
            "headers": {"content-type": self.content_type, **_HEADERS, **self.headers},
            "body": self.body,
            "isBase64Encoded": False,
        }


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """The input of `POST /classify`."""

    fetched: Fetched
    wants_heatmap: bool


def respond(
    request: HttpRequest, classifier: Classifier, allowed_buckets: frozenset[str]
) -> Response:
    """Return the response to `request`. Errors become problem details; nothing is raised."""
    try:
        return _route(request)(request, classifier, allowed_buckets)
    except HttpError as error:
        return _problem(request, error)
    except NotAllowedError as error:
        return _problem(request, HttpError(HTTPStatus.FORBIDDEN, "not_allowed", str(error)))
    except NotBase64Error as error:
        return _problem(request, HttpError(HTTPStatus.BAD_REQUEST, "bad_base64", str(error)))
    except Exception as error:  # noqa: BLE001 (every request gets a response; the error is logged)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        failed = HttpError(status, "failed", "an unexpected error occurred; try again later")
        return replace(_problem(request, failed), failure=error)


def _problem(request: HttpRequest, error: HttpError) -> Response:
    body = _text(as_json(error, request.id))
    return Response(error.status, "application/problem+json", body, error.headers)


_Route = Callable[[HttpRequest, Classifier, frozenset[str]], Response]


def _route(request: HttpRequest) -> _Route:
    routes: dict[str, dict[str, _Route]] = {
        "/": {"GET": _page, "HEAD": _page},
        "/health": {"GET": _health, "HEAD": _health},
        "/classify": {"POST": _classify},
    }
    path = routes.get(request.path.rstrip("/") or "/")
    if path is None:
        raise HttpError(
            HTTPStatus.NOT_FOUND,
            "no_such_path",
            "this path does not exist; GET / is the page, POST /classify labels a picture",
        )
    if request.method not in path:
        methods = ", ".join(path)
        raise HttpError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method_not_allowed",
            f"{request.path} takes {methods}",
            {"allow": methods},
        )
    return path[request.method]


def _page(request: HttpRequest, classifier: Classifier, allowed: frozenset[str]) -> Response:
    del request, classifier, allowed
    headers = {
        "cache-control": "no-cache",
        "content-security-policy": content_security_policy(),
        "cross-origin-opener-policy": "same-origin",
    }
    return Response(HTTPStatus.OK, "text/html; charset=utf-8", page(), headers)


def _health(request: HttpRequest, classifier: Classifier, allowed: frozenset[str]) -> Response:
    del request, allowed
    model = classifier.model
    body = {"status": "ok", "model": model.name, "model_digest": model.digest}
    return _json({**body, "engine": classifier.engine.name, "labels": list(model.labels)})


def _classify(request: HttpRequest, classifier: Classifier, allowed: frozenset[str]) -> Response:
    picture = _picture_request(request, classifier, allowed)
    started = time.perf_counter()
    row = classifier.row(picture.fetched)
    milliseconds = (time.perf_counter() - started) * 1000.0
    if row.error_code is not None and row.label is None:  # a salvaged picture has both
        raise of_picture(PictureError(ErrorCode(row.error_code), row.error_message or ""))
    result: dict[str, Any] = {**_response_fields(row), "milliseconds": round(milliseconds, 2)}
    if picture.wants_heatmap:
        result["heatmap"] = _heatmap(picture.fetched, row, classifier).as_json()
    return _json(result, row)


def _response_fields(row: Row) -> dict[str, Any]:
    """Return the fields of a row that the caller does not know already."""
    result = ("label", "score", "top", "status", "width", "height", "format")
    model = ("model", "model_digest", "engine")
    damage = ("error_code", "error_message") if row.error_code is not None else ()
    fields = row.as_json()
    return {name: fields[name] for name in (*result, *model, *damage)}


def _heatmap(fetched: Fetched, row: Row, classifier: Classifier) -> HeatMap:
    _, data = fetched
    assert isinstance(data, bytes)  # noqa: S101 (a picture that has a label was read)
    model, options = classifier.model, classifier.options
    image = decode(data, model.rule, options.limits, salvage=options.salvage)
    return heat_map(image, model.labels.index(row.label or ""), classifier.engine, model.rule)


def _picture_request(
    request: HttpRequest, classifier: Classifier, allowed: frozenset[str]
) -> PictureRequest:
    content_type = request.headers.get("content-type", "").strip().lower()
    body = _body(request)
    wants_heatmap = request.query.get("heatmap", "").lower() in _TRUE
    if content_type.startswith("multipart/form-data"):
        return _from_form(body, request.headers["content-type"], wants_heatmap=wants_heatmap)
    if content_type.startswith("application/json"):
        return _from_json(body, classifier, allowed, wants_heatmap=wants_heatmap)
    if content_type.startswith(_NOT_PICTURES):
        raise HttpError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            str(ErrorCode.NOT_AN_IMAGE),
            f"the Content-Type {content_type} is not that of a picture; send image/*, "
            "multipart/form-data with a field `image`, or JSON",
        )
    return PictureRequest(_uploaded(body), wants_heatmap)


def _from_form(body: bytes, content_type: str, *, wants_heatmap: bool) -> PictureRequest:
    try:
        fields = parse_form(body, content_type)
    except FormError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_form", str(error)) from error
    picture = next((f for f in fields if f.name == "image"), None) or _first_file(fields)
    if picture is None:
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_form", "the form has no field `image`")
    flags = [f.value.decode("utf-8", "replace").lower() for f in fields if f.name == "heatmap"]
    wants_heatmap = wants_heatmap or any(flag in _TRUE for flag in flags)
    return PictureRequest(_uploaded(picture.value), wants_heatmap)


def _first_file(fields: list[Field]) -> Field | None:
    return next((field for field in fields if field.is_file), None)


def _from_json(
    body: bytes, classifier: Classifier, allowed: frozenset[str], *, wants_heatmap: bool
) -> PictureRequest:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_json", f"not JSON: {error}") from error
    fields = document if isinstance(document, dict) else {}
    uri, image = fields.get("uri"), fields.get("image")
    wants_heatmap = wants_heatmap or fields.get("heatmap") is True
    if isinstance(uri, str) and image is None:
        ref = named_object(uri, allowed)
        return PictureRequest(fetch(ref, classifier.options.limits), wants_heatmap)
    if isinstance(image, str) and uri is None:
        return PictureRequest(_uploaded(from_base64(image)), wants_heatmap)
    raise HttpError(
        HTTPStatus.BAD_REQUEST, "bad_json", 'the JSON must have either "uri" or "image", a string'
    )


def _uploaded(data: bytes) -> Fetched:
    return ImageRef(UPLOAD_URI, size_bytes=len(data)), data


def _body(request: HttpRequest) -> bytes:
    if request.is_base64:
        return from_base64(request.body)
    # Binary bodies arrive as base64; decoding a text as latin-1 would hide a broken gateway.
    return request.body.encode("utf-8", "replace")


def _json(body: Mapping[str, Any], row: Row | None = None) -> Response:
    return Response(HTTPStatus.OK, "application/json", _text(body), {}, row)


def _text(body: Mapping[str, Any]) -> str:
    """Return `body` as JSON. Lone surrogates, which UTF-8 cannot encode, become escapes."""
    text = json.dumps(body, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
