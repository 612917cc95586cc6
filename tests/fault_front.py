"""A proxy in front of an S3 server: forwards each request, or injects a fault."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

Kind = Literal[
    "slow_down", "error", "reset", "truncate", "forbidden", "expired", "delay", "call", "garbage",
    "lost",
]  # fmt: skip
"""`garbage`: a web page with status 200. `lost`: the request is forwarded, its response dropped."""
_GARBAGE: Final = b"<html><body>Welcome to the hotel's network. Please log in.</body></html>"
_MAX_HOLD_SECONDS: Final = 120.0
_MAX_WAIT_SECONDS: Final = 30.0

_ERRORS: Final[dict[Kind, tuple[int, str]]] = {
    "slow_down": (503, "SlowDown"),
    "error": (500, "InternalError"),
    "forbidden": (403, "AccessDenied"),
    "expired": (400, "ExpiredToken"),
}


@dataclass
class Fault:
    """A fault and the requests that it affects."""

    kind: Kind
    path: str = ""
    """A part of the decoded path; "" is any."""
    method: str = "GET"
    times: int = 1
    """How many requests it affects."""
    seconds: float = 0.0
    call: Callable[[], object] = lambda: None
    """Called before the request is forwarded."""
    met: int = field(default=0, init=False)
    """How many requests it has affected."""


class Gate:
    """Holds requests until the test opens it: `Fault("call", call=gate.hold)`."""

    def __init__(self) -> None:
        self._reached = threading.Semaphore(0)
        self._opened = threading.Event()

    def hold(self) -> None:
        """Wait until the gate is opened."""
        self._reached.release()
        self._opened.wait(_MAX_HOLD_SECONDS)

    def wait_for_request(self) -> None:
        """Wait for the next held request. Raises `TimeoutError`."""
        if not self._reached.acquire(timeout=_MAX_WAIT_SECONDS):
            raise TimeoutError("no request was held")

    def open(self) -> None:
        """Let all held and later requests pass."""
        self._opened.set()


class FaultFront:
    """A loopback server in front of `upstream`; `faults` may change while it runs."""

    def __init__(self, upstream: str) -> None:
        self.faults: list[Fault] = []
        self.choose: Callable[[str, str], Fault | None] = lambda *_: None
        """Called with the method and path of each request that no fault of `faults` affects."""
        self.requests: list[str] = []
        self.latency_seconds = 0.0
        """Added to each GET of an object."""
        self.upstream = urlsplit(upstream).netloc
        self._lock = threading.Lock()
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                front._serve(self)

            do_PUT = do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 (as http.server calls them)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["FaultFront"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(5.0)

    def _fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            self.requests.append(f"{method} {path}")
            for fault in self.faults:
                if fault.method == method and fault.path in path and fault.met < fault.times:
                    fault.met += 1
                    return fault
            return self.choose(method, path)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", 0))
        body = handler.rfile.read(length)
        path = unquote(handler.path)
        fault = self._fault(handler.command, path)
        if self.latency_seconds and handler.command == "GET" and "list-type" not in path:
            time.sleep(self.latency_seconds)
        if fault is not None:
            if fault.kind in _ERRORS:
                status, code = _ERRORS[fault.kind]
                text = f"<Error><Code>{code}</Code><Message>an injected fault</Message></Error>"
                _respond(handler, status, {"Content-Type": "application/xml"}, text.encode())
                return
            if fault.kind == "garbage":
                _respond(handler, 200, {"Content-Type": "text/html"}, _GARBAGE)
                return
            if fault.kind == "reset":
                handler.close_connection = True
                handler.connection.close()
                return
            time.sleep(fault.seconds)
            fault.call()
        status, headers, data = self._forward(handler, body)
        if fault is not None and fault.kind == "lost":
            handler.close_connection = True
            handler.connection.close()
            return
        if fault is not None and fault.kind == "truncate":
            headers["Content-Length"] = str(len(data))
            _respond(handler, status, headers, data[: len(data) // 2])
            handler.close_connection = True
            handler.connection.close()
            return
        _respond(handler, status, headers, data)

    def _forward(
        self, handler: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        connection.request(handler.command, handler.path, body, dict(handler.headers.items()))
        response = connection.getresponse()
        data = response.read()
        headers = dict(response.headers.items())
        headers.pop("Transfer-Encoding", None)
        headers.pop("Connection", None)
        if handler.command != "HEAD":
            headers["Content-Length"] = str(len(data))
        connection.close()
        return response.status, headers, data


def _respond(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes
) -> None:
    handler.send_response_only(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    if "Content-Length" not in headers:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
