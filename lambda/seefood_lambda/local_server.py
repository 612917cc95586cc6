"""`seefood serve`: the upload handler and its page on a local port.

A request becomes the event that a Lambda Function URL would send, and the application's result
becomes the response. The application gets one event at a time, as in Lambda.
"""

import base64
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import click

from seefood.cli.options import model_digest_option, model_option, model_path
from seefood.errors import UsageError
from seefood.sanitize import printable

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Handler = Callable[[dict[str, Any], Any], Any]

_MAX_BYTES: Final = 6 * 1024 * 1024  # Lambda's limit for one request
# Larger bodies are received up to this size, into a temporary file, because most clients read a
# response only after they have sent their whole request. Above it waitress closes the connection.
_MAX_RECEIVED_BYTES: Final = 256 * 1024 * 1024
_TIMEOUT_SECONDS: Final = 30.0
_TEXT: Final = ("text/", "application/json", "application/x-www-form-urlencoded")


@click.command("serve")
@click.option(
    "--port",
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
@model_option
@model_digest_option
def serve_command(*, port: int, host: str, model: str | None, model_digest: str | None) -> None:
    """Label photos in the browser: the Lambda's handler and page, on this machine.

    Ends with Ctrl-C or SIGTERM. Writes its log to stderr.

    \b
    Examples:
      seefood serve
      seefood serve --port 9000 --model my-bundle
      curl --data-binary @lunch.jpg -H 'Content-Type: image/jpeg' localhost:8000/classify
    """  # noqa: D301 (click's mark against re-wrapping)
    handler = load_handler(model_path(model, model_digest), model_digest)
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another --port or --host"
        ) from error
    shown = "localhost" if host == "127.0.0.1" else host
    _serve(listener, as_wsgi(handler), f"http://{shown}:{listener.getsockname()[1]}/")
    _log("Stopped.")


def load_handler(model: Path, digest: str | None = None) -> Handler:
    """Return the Lambda's handler with the bundle `model`, which must have the digest if given.

    Raises `UsageError` if the bundle or a package is missing, `BundleError` for a bad bundle.
    """
    if find_spec("aws_lambda_powertools") is None or find_spec("waitress") is None:
        raise UsageError(
            "`seefood serve` needs Powertools and waitress, which are not installed; run "
            '`pip install "seefood[lambda]"`'
        )
    # The terminal shows one line for each request instead of CloudWatch's logs and metrics.
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from seefood_lambda.application import Application  # noqa: PLC0415 (checked above)
    from seefood_lambda.settings import read_config  # noqa: PLC0415

    arguments = {"SEEFOOD_MODEL": str(model), "SEEFOOD_MODEL_DIGEST": digest or ""}
    return Application(read_config({**os.environ, **arguments}))


@dataclass(frozen=True, slots=True)
class LocalContext:
    """The description of an invocation that the handler gets."""

    aws_request_id: str
    deadline: float
    """In seconds of `time.monotonic`."""
    function_name: str = "seefood-serve"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the deadline, in milliseconds."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def as_wsgi(handler: Handler) -> "WSGIApplication":
    """Return a WSGI application that passes each request to `handler` as an event."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        started = time.perf_counter()
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > _MAX_BYTES:
            response = _problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"{length:,} bytes are more than the {_MAX_BYTES:,} that Lambda takes",
            )
        else:
            body = environ["wsgi.input"].read(length)
            response = _respond(handler, to_event(method, target, _headers(environ), body))
        status, data = HTTPStatus(response["statusCode"]), response["body"].encode()
        headers = [*response["headers"].items(), ("content-length", str(len(data)))]
        start_response(f"{status:d} {status.phrase}", headers)
        milliseconds = (time.perf_counter() - started) * 1000.0
        path = printable(urlsplit(target).path)
        _log(f"{printable(method)} {path} {status:d} {milliseconds:.0f} ms")
        return [] if method == "HEAD" else [data]

    return application


def _respond(handler: Handler, event: dict[str, Any]) -> dict[str, Any]:
    context = LocalContext(
        event["requestContext"]["requestId"], time.monotonic() + _TIMEOUT_SECONDS
    )
    try:
        response: dict[str, Any] = handler(event, context)
    except Exception as error:  # noqa: BLE001 (as with a Function URL, the server goes on)
        _log(printable(f"the handler failed: {type(error).__name__}: {error}"))
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the handler failed")
    return response


def _problem(status: HTTPStatus, detail: str) -> dict[str, Any]:
    """Return the response to a request that the handler did not get, or failed to handle."""
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return {
        "statusCode": int(status),
        "headers": {
            "content-type": "application/problem+json",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        },
        "body": json.dumps(body),
    }


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's headers, with names in lower case."""
    prefixed = {f"HTTP_{name}": environ[name] for name in _BODY_HEADERS if name in environ}
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in {**environ, **prefixed}.items()
        if name.startswith("HTTP_")
    }


_BODY_HEADERS: Final = ("CONTENT_LENGTH", "CONTENT_TYPE")  # the two that WSGI does not prefix


def to_event(method: str, target: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """Return the Function URL event (payload format 2.0) of an HTTP request."""
    url = urlsplit(target)
    lower = {name.lower(): value for name, value in headers.items()}
    is_text = lower.get("content-type", "").startswith(_TEXT)
    return {
        "version": "2.0",
        "rawPath": url.path,
        "rawQueryString": url.query,
        "headers": lower,
        "queryStringParameters": dict(parse_qsl(url.query, keep_blank_values=True)),
        "requestContext": {
            "http": {"method": method, "path": url.path},
            "requestId": str(uuid4()),
            "stage": "$default",
        },
        "body": body.decode("utf-8", "replace") if is_text else base64.b64encode(body).decode(),
        "isBase64Encoded": not is_text,
    }


def _serve(listener: socket.socket, application: "WSGIApplication", url: str) -> None:
    """Handle requests, one after the other, until SIGINT or SIGTERM."""
    import waitress  # noqa: PLC0415 (`load_handler` checks that it is installed)

    def stop(number: int, frame: object) -> None:
        del number, frame
        raise SystemExit  # `server.run` catches it and returns

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # requests that wait are no problem
    server = waitress.create_server(
        application,
        sockets=[listener],
        threads=1,
        ident="seefood",
        max_request_body_size=_MAX_RECEIVED_BYTES,
        channel_timeout=60,
    )
    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _log(f"Open {url} and take a photo. Ctrl-C ends it.")
        server.run()
    finally:
        server.close()
        for number, action in previous.items():
            signal.signal(number, action)


def _log(text: str) -> None:
    click.echo(text, err=True)
