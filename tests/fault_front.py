"""An S3 server with faults: a front that passes requests on to a real one, or spoils them."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import unquote, urlsplit

Kind = Literal[
    "slow_down", "error", "reset", "truncate", "forbidden", "expired", "delay", "call", "garbage",
    "lost",
]  # fmt: skip
"""`garbage` is a web page with the status 200; `lost` is done, and its answer never comes."""
_GARBAGE = b"<html><body>Welcome to the hotel's network. Please log in.</body></html>"

_ANSWERS: dict[Kind, tuple[int, str]] = {
    "slow_down": (503, "SlowDown"),
    "error": (500, "InternalError"),
    "forbidden": (403, "AccessDenied"),
    "expired": (400, "ExpiredToken"),
}


@dataclass
class Fault:
    """What is to go wrong, with which requests, and how often."""

    kind: Kind
    path: str = ""
    """A part of the decoded path; "" is any."""
    method: str = "GET"
    times: int = 1
    """How many requests it meets; it meets none after that."""
    seconds: float = 0.0
    call: Callable[[], object] = lambda: None
    """Done before the request is passed on."""
    met: int = field(default=0, init=False)


class FaultFront:
    """A loopback server before `upstream`; `faults` may change while it runs."""

    def __init__(self, upstream: str) -> None:
        self.faults: list[Fault] = []
        self.choose: Callable[[str, str], Fault | None] = lambda *_: None
        """ClassifyRequest with each request's method and path where `faults` have none for it."""
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
                """Say nothing."""

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
            if fault.kind in _ANSWERS:
                status, code = _ANSWERS[fault.kind]
                text = f"<Error><Code>{code}</Code><Message>said the front</Message></Error>"
                _answer(handler, status, {"Content-Type": "application/xml"}, text.encode())
                return
            if fault.kind == "garbage":
                _answer(handler, 200, {"Content-Type": "text/html"}, _GARBAGE)
                return
            if fault.kind == "reset":
                handler.close_connection = True
                handler.connection.close()
                return
            time.sleep(fault.seconds)
            fault.call()
        status, headers, answer = self._pass_on(handler, body)
        if fault is not None and fault.kind == "lost":
            handler.close_connection = True
            handler.connection.close()
            return
        if fault is not None and fault.kind == "truncate":
            headers["Content-Length"] = str(len(answer))
            _answer(handler, status, headers, answer[: len(answer) // 2])
            handler.close_connection = True
            handler.connection.close()
            return
        _answer(handler, status, headers, answer)

    def _pass_on(
        self, handler: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.upstream, timeout=60)
        connection.request(handler.command, handler.path, body, dict(handler.headers.items()))
        answer = connection.getresponse()
        data = answer.read()
        headers = dict(answer.headers.items())
        headers.pop("Transfer-Encoding", None)
        headers.pop("Connection", None)
        if handler.command != "HEAD":
            headers["Content-Length"] = str(len(data))
        connection.close()
        return answer.status, headers, data


def _answer(
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
