"""Handles HTTP requests: the page, classifying pictures, and errors as problem details.

    GET  /                       the page; with its manifest, icons and service worker
    GET  /health                 the model that is loaded
    GET  /openapi.json           the description of this interface (OpenAPI 3.1)
    POST /classify[?heatmap=1]   a picture (any image type), a form with a field `image`, or JSON:
                                 {"image": "<base64>"}, {"images": [...]}, or, for callers whom
                                 IAM let in, {"uri": "s3://bucket/key"} or {"uris": [...]}

Nothing is stored.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from seefood.classification import Fetched
from seefood.engines.heat_map import HeatMap, heat_map
from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import decode
from seefood.records import Row
from seefood_lambda.classifier import Classifier
from seefood_lambda.events import HttpRequest
from seefood_lambda.http_guard import PREFLIGHT, admit, cors_headers, is_preflight
from seefood_lambda.http_input import UPLOAD_URI, PictureRequest, read_pictures
from seefood_lambda.http_response import Response, as_json, json_text
from seefood_lambda.page import ASSETS, asset, page
from seefood_lambda.problem_details import HttpError, of_picture, problem
from seefood_lambda.request_input import NotAllowedError, NotBase64Error
from seefood_lambda.settings import HttpPolicy

__all__ = ["UPLOAD_URI", "Response", "respond"]

MAX_TARGET_CHARACTERS: Final = 8192
"""Of path and query."""


def respond(request: HttpRequest, classifier: Classifier, policy: HttpPolicy) -> Response:
    """Return the response to `request`. Errors become problem details; nothing is raised."""
    response = _respond(request, classifier, policy)
    return replace(response, headers={**response.headers, **cors_headers(request, policy)})


def _respond(request: HttpRequest, classifier: Classifier, policy: HttpPolicy) -> Response:
    try:
        if is_preflight(request, policy):
            return Response(HTTPStatus.NO_CONTENT, "text/plain", "", PREFLIGHT)
        route = _route(request)
        headers = admit(request, policy)
        response = route(request, classifier, policy)
        return replace(response, headers={**response.headers, **headers})
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
    body = json_text(problem(error, request.id))
    return Response(error.status, "application/problem+json", body, error.headers)


_Route = Callable[[HttpRequest, Classifier, HttpPolicy], Response]


def _route(request: HttpRequest) -> _Route:
    routes: dict[str, dict[str, _Route]] = {
        "/": {"GET": _page, "HEAD": _page},
        "/health": {"GET": _health, "HEAD": _health},
        "/classify": {"POST": _classify},
        **{path: {"GET": _asset, "HEAD": _asset} for path in ASSETS},
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


def _page(request: HttpRequest, classifier: Classifier, policy: HttpPolicy) -> Response:
    del request, classifier, policy
    shown = page()
    headers = {
        "cache-control": "no-cache",
        "content-security-policy": shown.policy,
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(self)",
    }
    return Response(HTTPStatus.OK, "text/html; charset=utf-8", shown.html, headers)


def _asset(request: HttpRequest, classifier: Classifier, policy: HttpPolicy) -> Response:
    del classifier, policy
    content_type, body = asset(request.path.rstrip("/"))
    return Response(HTTPStatus.OK, content_type, body, {"cache-control": "no-cache"})


def _health(request: HttpRequest, classifier: Classifier, policy: HttpPolicy) -> Response:
    del request, policy
    model = classifier.model
    body = {"status": "ok", "model": model.name, "model_digest": model.digest}
    return as_json({**body, "engine": classifier.engine.name, "labels": list(model.labels)})


def _classify(request: HttpRequest, classifier: Classifier, policy: HttpPolicy) -> Response:
    wanted = read_pictures(request, policy, classifier.options.limits)
    if not wanted.is_list:
        row, result = _label(wanted.pictures[0], classifier, wanted)
        return as_json(result, (row,))
    rows: list[Row] = []
    results: list[dict[str, Any]] = []
    for picture in wanted.pictures:
        try:
            row, result = _label(picture, classifier, wanted)
        except HttpError as error:
            results.append(problem(error, request.id))
        else:
            rows.append(row)
            results.append(result)
    return as_json({"results": results}, tuple(rows))


def _label(
    picture: Fetched, classifier: Classifier, wanted: PictureRequest
) -> tuple[Row, dict[str, Any]]:
    """Return a picture's row and its JSON. Raises `HttpError` for one without a label."""
    started = time.perf_counter()
    row = classifier.row(picture)
    milliseconds = (time.perf_counter() - started) * 1000.0
    if row.error_code is not None and row.label is None:  # a salvaged picture has both
        raise of_picture(PictureError(ErrorCode(row.error_code), row.error_message or ""))
    result: dict[str, Any] = {**_response_fields(row), "milliseconds": round(milliseconds, 2)}
    if wanted.wants_heatmap:
        result["heatmap"] = _heatmap(picture, row, classifier).as_json()
    return row, result


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
