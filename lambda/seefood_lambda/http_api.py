"""An HTTP request to a response: the page, a photo's label, and problems for all else.

    GET  /                       the page
    GET  /health                 which model answers
    POST /classify[?heatmap=1]   a picture (any image type), a form with a field `image`, or JSON:
                                 {"image": "<base64>"} or {"uri": "s3://bucket/key"}

Nothing that is asked here is written anywhere.
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
"""What stands for the URI of a picture that came with the request."""
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_NOT_PICTURES: Final = ("text/", "video/", "audio/", "application/pdf", "application/zip")


@dataclass(frozen=True, slots=True)
class Response:
    """What a Function URL sends back."""

    status: HTTPStatus
    content_type: str
    body: str
    headers: Mapping[str, str]
    row: Row | None = None
    """What was answered, for logs."""
    failure: Exception | None = None
    """What went wrong and is no caller's business, for logs."""

    def as_event(self) -> dict[str, Any]:
        """Return the answer in payload format 2.0."""
        return {
            "statusCode": int(self.status),
            "headers": {"content-type": self.content_type, **_HEADERS, **self.headers},
            "body": self.body,
            "isBase64Encoded": False,
        }


@dataclass(frozen=True, slots=True)
class Question:
    """What `POST /classify` asks."""

    fetched: Fetched
    wants_heatmap: bool


def respond(
    request: HttpRequest, classifier: Classifier, allowed_buckets: frozenset[str]
) -> Response:
    """Return the response to `request`; what is wrong with it is a problem, never an exception."""
    try:
        return _route(request)(request, classifier, allowed_buckets)
    except HttpError as error:
        return _problem(request, error)
    except NotAllowedError as error:
        return _problem(request, HttpError(HTTPStatus.FORBIDDEN, "not_allowed", str(error)))
    except NotBase64Error as error:
        return _problem(request, HttpError(HTTPStatus.BAD_REQUEST, "bad_base64", str(error)))
    except Exception as error:  # noqa: BLE001 (a caller is answered whatever happens; logs say why)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        failed = HttpError(status, "failed", "something unforeseen went wrong; try again later")
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
            "there is nothing here; GET / is the page, POST /classify labels a picture",
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
    question = _question(request, classifier, allowed)
    began = time.perf_counter()
    row = classifier.row(question.fetched)
    spent = (time.perf_counter() - began) * 1000.0
    if row.error_code is not None and row.label is None:  # one with a label was salvaged
        raise of_picture(PictureError(ErrorCode(row.error_code), row.error_message or ""))
    answer: dict[str, Any] = {**_told(row), "milliseconds": round(spent, 2)}
    if question.wants_heatmap:
        answer["heatmap"] = _heatmap(question.fetched, row, classifier).as_json()
    return _json(answer, row)


def _told(row: Row) -> dict[str, Any]:
    """Return the part of a row that a caller has not said himself."""
    own = ("label", "score", "top", "status", "width", "height", "format")
    model = ("model", "model_digest", "engine")
    damage = ("error_code", "error_message") if row.error_code is not None else ()
    told = row.as_json()
    return {name: told[name] for name in (*own, *model, *damage)}


def _heatmap(fetched: Fetched, row: Row, classifier: Classifier) -> HeatMap:
    _, data = fetched
    assert isinstance(data, bytes)  # noqa: S101 (a picture that has a label was read)
    classify_options = classifier.classify_options
    image = decode(
        data, classifier.model.rule, classify_options.limits, salvage=classify_options.salvage
    )
    label = classifier.model.labels.index(row.label or "")
    return heat_map(image, label, classifier.engine, classifier.model.rule)


def _question(request: HttpRequest, classifier: Classifier, allowed: frozenset[str]) -> Question:
    kind = request.headers.get("content-type", "").strip().lower()
    body = _body(request)
    wants_heatmap = request.query.get("heatmap", "").lower() in _TRUE
    if kind.startswith("multipart/form-data"):
        return _from_form(body, request.headers["content-type"], wants_heatmap=wants_heatmap)
    if kind.startswith("application/json"):
        return _from_json(body, classifier, allowed, wants_heatmap=wants_heatmap)
    if kind.startswith(_NOT_PICTURES):
        raise HttpError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            str(ErrorCode.NOT_AN_IMAGE),
            "the Content-Type is of no picture; send image/*, multipart/form-data with a field "
            "`image`, or JSON",
        )
    return Question(_uploaded(body), wants_heatmap)


def _from_form(body: bytes, content_type: str, *, wants_heatmap: bool) -> Question:
    try:
        fields = parse_form(body, content_type)
    except FormError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_form", str(error)) from error
    picture = next((f for f in fields if f.name == "image"), None) or _first_file(fields)
    if picture is None:
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_form", "the form has no field `image`")
    said = [f.value.decode("utf-8", "replace").lower() for f in fields if f.name == "heatmap"]
    return Question(_uploaded(picture.value), wants_heatmap or any(text in _TRUE for text in said))


def _first_file(fields: list[Field]) -> Field | None:
    return next((field for field in fields if field.is_file), None)


def _from_json(
    body: bytes, classifier: Classifier, allowed: frozenset[str], *, wants_heatmap: bool
) -> Question:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "bad_json", f"no JSON: {error}") from error
    given = asked if isinstance(asked, dict) else {}
    uri, image = given.get("uri"), given.get("image")
    wants_heatmap = wants_heatmap or given.get("heatmap") is True
    if isinstance(uri, str) and image is None:
        ref = named_object(uri, allowed)
        return Question(fetch(ref, classifier.classify_options.limits), wants_heatmap)
    if isinstance(image, str) and uri is None:
        return Question(_uploaded(from_base64(image)), wants_heatmap)
    raise HttpError(
        HTTPStatus.BAD_REQUEST, "bad_json", 'JSON takes either "uri" or "image", a text'
    )


def _uploaded(data: bytes) -> Fetched:
    return ImageRef(UPLOAD_URI, size_bytes=len(data)), data


def _body(request: HttpRequest) -> bytes:
    if request.is_base64:
        return from_base64(request.body)
    # What is no text comes as base64; latin-1 would only hide a broken gateway.
    return request.body.encode("utf-8", "replace")


def _json(body: Mapping[str, Any], row: Row | None = None) -> Response:
    return Response(HTTPStatus.OK, "application/json", _text(body), {}, row)


def _text(body: Mapping[str, Any]) -> str:
    """Return `body` as JSON that UTF-8 can carry: lone surrogates, from a caller, as escapes."""
    text = json.dumps(body, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
