"""`seefood serve`: the Lambda's handler itself behind a local port, page included.

A request becomes the event that a Function URL would send, and the handler's answer the response.
The handler gets one event at a time, as in Lambda.
"""

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import click

from seefood.cli.options import model_digest_option, model_option, model_path
from seefood.errors import UsageError
from seefood.sanitize import printable

Handler = Callable[[dict[str, Any], Any], Any]

_MAX_BYTES: Final = 6 * 1024 * 1024  # what Lambda takes in one request
_MAX_DISCARDED_BYTES: Final = 64 * 1024 * 1024
_TIME_SECONDS: Final = 30.0
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
    """Label photos in the browser: the Lambda's own handler and page, on this machine.

    Ends with Ctrl-C or SIGTERM. What it tells goes to stderr.

    \b
    Examples:
      seefood serve
      seefood serve --port 9000 --model my-bundle
      curl --data-binary @lunch.jpg -H 'Content-Type: image/jpeg' localhost:8000/classify
    """  # noqa: D301 (click's mark against re-wrapping)
    handler = load_handler(model_path(model, model_digest), model_digest)
    try:
        server = LocalServer((host, port), handler)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another --port or --host"
        ) from error
    shown = "localhost" if host == "127.0.0.1" else host
    _say(f"Open http://{shown}:{server.server_address[1]}/ and take a photo. Ctrl-C ends it.")
    with server:
        _serve_until_stopped(server)
    _say("Stopped.")


def load_handler(model: Path, digest: str | None = None) -> Handler:
    """Return the Lambda's handler with the bundle `model`, which must have the digest if given.

    Raises `UsageError` if it is not there or misses a package, `BundleError` for a bad bundle.
    """
    if find_spec("aws_lambda_powertools") is None:
        raise UsageError(
            "`seefood serve` runs the Lambda's handler, which needs Powertools, which is not "
            'installed; run `pip install "seefood[lambda]"`'
        )
    # People read the terminal here, not CloudWatch.
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    from seefood_lambda.application import Application  # noqa: PLC0415 (checked above)
    from seefood_lambda.settings import read_settings  # noqa: PLC0415

    own = {"SEEFOOD_MODEL": str(model), "SEEFOOD_MODEL_DIGEST": digest or ""}
    return Application(read_settings({**os.environ, **own}))


@dataclass(frozen=True, slots=True)
class LocalContext:
    """What the handler is told of an invocation."""

    aws_request_id: str
    deadline: float
    """Of `time.monotonic`, in seconds."""
    function_name: str = "seefood-serve"

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take, in milliseconds."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class LocalServer(ThreadingHTTPServer):
    """Takes requests on any number of connections and asks the handler one after the other."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: Handler) -> None:
        """Listen on `address` (host, port). Raises `OSError` if it cannot."""
        super().__init__(address, _Connection)
        self._handler = handler
        self._lock = threading.Lock()

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the handler's answer to `event`."""
        identity = event["requestContext"]["requestId"]
        with self._lock:
            answer: dict[str, Any] = self._handler(
                event, LocalContext(identity, time.monotonic() + _TIME_SECONDS)
            )
            return answer


class _Connection(BaseHTTPRequestHandler):
    """One connection; every method goes the same way."""

    protocol_version = "HTTP/1.1"
    server_version = "seefood"
    sys_version = ""
    timeout = 60

    def handle_one(self) -> None:
        """Answer one request."""
        server = self.server
        assert isinstance(server, LocalServer)  # noqa: S101 (nobody else makes one of these)
        body = self._body()
        if body is None:
            return
        began = time.perf_counter()
        try:
            answer = server.ask(to_event(self.command, self.path, dict(self.headers.items()), body))
        except Exception as error:  # noqa: BLE001 (as a Function URL: the server lives on)
            _say(printable(f"the handler failed: {type(error).__name__}: {error}"))
            answer = _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the handler failed")
        self._send(answer)
        spent = (time.perf_counter() - began) * 1000.0
        path = printable(urlsplit(self.path).path)
        _say(f"{printable(self.command)} {path} {answer['statusCode']} {spent:.0f} ms")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = handle_one  # noqa: N815

    def _body(self) -> bytes | None:
        """Return the request's body; None after the request was refused."""
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdigit():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "say the body's length")
            return None
        if int(length) > _MAX_BYTES:
            self._discard(min(int(length), _MAX_DISCARDED_BYTES))
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"{int(length):,} bytes are more than the {_MAX_BYTES:,} that Lambda takes",
            )
            return None
        return self.rfile.read(int(length))

    def _discard(self, length: int) -> None:
        """Read what nobody wants: most clients listen only when they have said everything."""
        while length > 0 and (chunk := self.rfile.read(min(length, 65536))):
            length -= len(chunk)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        self.close_connection = True
        self._send(_problem(status, detail))

    def _send(self, answer: dict[str, Any]) -> None:
        data = answer["body"].encode()
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Say nothing for each request: `handle_one` says it, with the time it took."""


def _problem(status: HTTPStatus, detail: str) -> dict[str, Any]:
    """Return the answer to what never reaches the handler, or that it never answered."""
    told = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return {
        "statusCode": int(status),
        "headers": {
            "content-type": "application/problem+json",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        },
        "body": json.dumps(told),
    }


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


def _serve_until_stopped(server: LocalServer) -> None:
    def stop(number: int, frame: object) -> None:
        del number, frame
        # From a thread: `shutdown` waits for the loop that this signal interrupts.
        threading.Thread(target=server.shutdown).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _say(text: str) -> None:
    click.echo(text, err=True)
