"""`seefood serve`: the upload handler and its page on a local port.

A request becomes the event that a Lambda Function URL would send, with the same limits, and the
application answers it as it does on AWS.
"""

import base64
import os
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl
from uuid import uuid4

import click

from seefood.cli.options import (
    FastCommand,
    chosen_model,
    fast_option,
    model_digest_option,
    model_option,
)
from seefood.engines.registry import AUTO
from seefood.local_http.address import HostCheck, listen, phone_lines, url_of
from seefood.sanitize import printable

if TYPE_CHECKING:
    import socket
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from seefood_lambda.events import HttpRequest
    from seefood_lambda.http_response import Response

    Answer = Callable[[HttpRequest], Response]

_MAX_EVENT_BYTES: Final = 6 * 1024 * 1024  # Lambda's limit for one event
_MAX_BINARY_BYTES: Final = _MAX_EVENT_BYTES * 3 // 4
"""A body that is no text travels as base64 inside the event."""
# What a Function URL passes as text; anything else, and a body without a type, as base64.
_TEXT: Final = ("text/", "application/json", "application/javascript", "application/xml")


@click.command("serve", cls=FastCommand)
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 takes a free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; 0.0.0.0 lets your phone in, and everybody else on the network.",
)
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Another host name to answer to, such as that of a proxy; may be repeated.",
)
@model_option
@model_digest_option
@fast_option
def serve_command(
    *,
    port: int,
    host: str,
    allowed_hosts: tuple[str, ...],
    model: str | None,
    model_digest: str | None,
    fast: float | None,
) -> None:
    """Label photos in the browser: the Lambda's handler and page, on this machine.

    Ends with Ctrl-C or SIGTERM, after the requests that it has. Writes its log to stderr.

    \b
    Examples:
      seefood serve
      seefood serve --host 0.0.0.0
      seefood serve --port 9000 --model my-bundle
      curl --data-binary @lunch.jpg -H 'Content-Type: image/jpeg' \\
        localhost:8000/classify
    """  # noqa: D301 (click's mark against re-wrapping)
    engine = AUTO if fast is None else "litert"
    chosen = chosen_model(
        {"model": model, "model_digest": model_digest, "engine": engine, "fast": fast}
    )
    answer = load_answer(chosen.path, chosen.digest)
    listener = listen(host, port)
    hosts = HostCheck.of(host, allowed_hosts)
    _serve(listener, as_wsgi(answer, hosts), _welcome(host, listener.getsockname()[1]))
    _log("Stopped.")


def load_answer(model: Path, digest: str | None = None) -> "Answer":
    """Return the function that answers requests with the bundle `model`.

    Raises `UsageError` if the bundle is missing, `BundleError` for a bad bundle.
    """
    from seefood_lambda.application import Application  # noqa: PLC0415 (Powertools: 0.1 s)
    from seefood_lambda.settings import read_config  # noqa: PLC0415 (as above)

    arguments = {
        "SEEFOOD_MODEL": str(model),
        "SEEFOOD_MODEL_DIGEST": digest or "",
        "SEEFOOD_FAST": "",
    }
    return Application(read_config({**os.environ, **arguments})).answer


def as_wsgi(answer: "Answer", hosts: HostCheck) -> "WSGIApplication":
    """Return a WSGI application that answers each request as a Function URL would."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        started = time.perf_counter()
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        response = _respond(answer, hosts, environ)
        if response.failure is not None:
            failure = response.failure
            _log(printable(f"the handler failed: {type(failure).__name__}: {failure}"))
        status, data = response.status, response.data()
        headers = [*response.all_headers().items(), ("content-length", str(len(data)))]
        start_response(f"{status:d} {status.phrase}", headers)
        milliseconds = (time.perf_counter() - started) * 1000.0
        path = printable(_split(target)[1][:200])
        _log(f"{printable(method)} {path} {status:d} {milliseconds:.0f} ms")
        return [] if method == "HEAD" else [data]

    return application


def _respond(answer: "Answer", hosts: HostCheck, environ: "WSGIEnvironment") -> "Response":
    """Return the response to one request; errors are problem details."""
    from seefood_lambda.events import parse_event  # noqa: PLC0415 (as above)
    from seefood_lambda.http_response import Response, json_text  # noqa: PLC0415
    from seefood_lambda.problem_details import HttpError, problem  # noqa: PLC0415

    failure: Exception | None = None
    try:
        _check(environ, hosts)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        event = to_event(environ["REQUEST_METHOD"], environ["REQUEST_URI"], _headers(environ), body)
        return answer(parse_event(event))  # type: ignore[arg-type]  # (it is an HTTP request)
    except HttpError as error:
        shown = error
    except Exception as error:  # noqa: BLE001 (as with a Function URL, the server goes on)
        shown = HttpError(HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "the handler failed")
        failure = error
    body = json_text(problem(shown, str(uuid4())))
    return Response(shown.status, "application/problem+json", body, shown.headers, failure=failure)


def _check(environ: "WSGIEnvironment", hosts: HostCheck) -> None:
    """Raise `HttpError` for a request that AWS would not pass on, or that is not for us."""
    from seefood_lambda.http_api import MAX_TARGET_CHARACTERS  # noqa: PLC0415 (as above)
    from seefood_lambda.problem_details import HttpError  # noqa: PLC0415

    named = (environ.get("HTTP_HOST"), _split(environ["REQUEST_URI"])[0])
    for host in named if named[1] is not None else named[:1]:
        if not hosts.accepts(host):
            raise HttpError(
                HTTPStatus.FORBIDDEN,
                "wrong_host",
                f"the Host {(host or '')[:80]!r} is none of this server's; start it with "
                "--allow-host if it is yours",
            )
    if len(environ["REQUEST_URI"]) > MAX_TARGET_CHARACTERS:
        raise HttpError(
            HTTPStatus.REQUEST_URI_TOO_LONG,
            "uri_too_long",
            f"path and query have more than {MAX_TARGET_CHARACTERS:,} characters",
        )
    if environ["REQUEST_METHOD"] == "POST" and not environ.get("CONTENT_LENGTH"):
        raise HttpError(
            HTTPStatus.LENGTH_REQUIRED,
            "no_length",
            "the request has neither a Content-Length nor a chunked body",
        )
    length = int(environ.get("CONTENT_LENGTH") or 0)
    limit = _MAX_EVENT_BYTES if _is_text(environ.get("CONTENT_TYPE", "")) else _MAX_BINARY_BYTES
    if length > limit:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            f"{length:,} bytes are more than the {limit:,} that Lambda takes",
        )


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's headers, with names in lower case."""
    prefixed = {f"HTTP_{name}": environ[name] for name in _BODY_HEADERS if name in environ}
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in {**environ, **prefixed}.items()
        if name.startswith("HTTP_")
    }


_BODY_HEADERS: Final = ("CONTENT_LENGTH", "CONTENT_TYPE")  # the two that WSGI does not prefix


def _is_text(content_type: str) -> bool:
    return content_type.strip().lower().startswith(_TEXT)


def _split(target: str) -> tuple[str | None, str, str]:
    """Return host, path and query of a request's target (RFC 9112, 3.2), as they were sent.

    Only the absolute form, `http://host/path?query`, has a host. Nothing is decoded, and no target
    is an error: `urlsplit` takes `//[/` for half of an address.
    """
    target, host = target.partition("#")[0], None
    if not target.startswith("/") and "://" in target:
        host, slash, rest = target.partition("://")[2].partition("/")
        target = f"{slash}{rest}"
        if "?" in host:
            host, _, query = host.partition("?")
            target = f"/?{query}"
    path, _, query = target.partition("?")
    return host, path, query


def to_event(method: str, target: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """Return the Function URL event (payload format 2.0) of an HTTP request."""
    _, path, query = _split(target)
    lower = {name.lower(): value for name, value in headers.items()}
    is_text = _is_text(lower.get("content-type", ""))
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": lower,
        "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)),
        "requestContext": {
            "http": {"method": method, "path": path},
            "requestId": str(uuid4()),
            "stage": "$default",
        },
        "body": body.decode("utf-8", "replace") if is_text else base64.b64encode(body).decode(),
        "isBase64Encoded": not is_text,
    }


def _welcome(host: str, port: int) -> str:
    """Return what to open; where a phone may call, its address and a QR code of it."""
    first = f"Open {url_of(host, port)} and take a photo. Ctrl-C ends it."
    return "\n".join([first, *phone_lines(host, port)])


def _serve(listener: "socket.socket", application: "WSGIApplication", welcome: str) -> None:
    """Answer requests until SIGINT or SIGTERM."""
    from seefood.local_http.server import LocalServer, serve_until_stopped  # noqa: PLC0415 (0.1 s)

    serve_until_stopped(LocalServer(application, listener), lambda: _log(welcome))


def _log(text: str) -> None:
    click.echo(text, err=True)
