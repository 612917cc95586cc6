"""A WSGI server: waitress, with our errors, lanes and end.

- Errors of the protocol are problem details, as all others.
- Requests that take long wait in a lane of their own, so that the rest is answered at once.
- A request must arrive within a limited time, however slowly its client sends.
- When it ends, it closes the port, answers the requests that it has, and then returns.
"""

import json
import logging
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import BadRequest, Error, RequestHeaderFieldsTooLarge

if TYPE_CHECKING:
    import socket
    from wsgiref.types import WSGIApplication

MAX_RECEIVED_BYTES: Final = 256 * 1024 * 1024
"""Larger bodies than Lambda takes are received up to this size, into a temporary file, because most
clients read a response only after they have sent their whole request."""
MAX_RECEIVE_SECONDS: Final = 30.0
"""For one request, from its first byte to its last."""
_DRAIN_SECONDS: Final = 10.0
_MAX_HEADER_BYTES: Final = 32 * 1024
_MAX_CONNECTIONS: Final = 512
_QUICK_THREADS: Final = 4
_TLS_HANDSHAKE: Final = b"\x16\x03"
_CODES: Final = {
    408: "too_slow",
    413: "too_large",
    414: "uri_too_long",
    431: "headers_too_large",
    500: "failed",
    501: "not_implemented",
}
"""Of problem details, by status."""


IsSlow = Callable[[str, str], bool]


def _is_post(method: str, path: str) -> bool:
    del path
    return method == "POST"


class _TimeoutError(Error):  # type: ignore[misc]  # (waitress has no types)
    code, reason = 408, "Request Timeout"


class _UriTooLongError(Error):  # type: ignore[misc]
    code, reason = 414, "URI Too Long"


class _ProblemTask(ErrorTask):  # type: ignore[misc]  # (waitress has no types)
    """Answers a request that cannot be parsed with problem details."""

    def execute(self) -> None:
        error = self.request.error
        problem = {
            "type": "about:blank",
            "title": error.reason,
            "status": error.code,
            "detail": str(error.body)[:200],
            "code": _CODES.get(error.code, "bad_request"),
            "instance": f"urn:request:{uuid4()}",
        }
        body = json.dumps(problem).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("content-type", "application/problem+json"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Distinguishes a request line that is too long from headers that are; refuses TLS at once."""

    error: Error | None

    def received(self, data: bytes) -> int:
        start = b"" if self.headers_finished else self.header_plus + data
        if start.startswith(_TLS_HANDSHAKE):  # it has no end of a header, which would be waited for
            self.error = BadRequest("this port speaks HTTP without TLS; open it with http://")
            self.completed = True
            return len(data)
        consumed: int = super().received(data)
        if isinstance(self.error, RequestHeaderFieldsTooLarge):
            if b"\n" not in start.lstrip():
                self.error = _UriTooLongError("the request line is longer than 8,192 characters")
            else:
                limit = f"{_MAX_HEADER_BYTES:,}"
                self.error = RequestHeaderFieldsTooLarge(f"the headers exceed {limit} bytes")
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # half of an IPv6 address in an absolute URI
            raise ParsingError("Bad URI") from error


class _Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    error_task_class = _ProblemTask
    parser_class = _Parser
    receiving_since: float | None = None
    request: _Parser | None

    def received(self, data: bytes) -> bool:
        if self.receiving_since is None:
            self.receiving_since = time.monotonic()
        result = bool(super().received(data))
        if self.request is None:
            self.receiving_since = None
        return result

    def is_busy(self) -> bool:
        """Whether a request or its response is on its way."""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)

    def give_up(self) -> None:
        """Answer a request that did not arrive in time, and close the connection."""
        with self.requests_lock:
            if self.requests or self.request is None:
                return
            request = self.parser_class(self.adj)
            request.parse_header(b"GET / HTTP/1.0\r\n")
            seconds = f"{MAX_RECEIVE_SECONDS:.0f}"
            request.error = _TimeoutError(f"the request did not arrive within {seconds} s")
            request.completed = True
            self.request, self.receiving_since = None, None
            self.requests.append(request)
        self.server.add_task(self)


class _Lanes:
    """Two pools of threads: one for what takes long, and one for what costs nothing."""

    def __init__(self, threads: int, is_slow: IsSlow) -> None:
        self._is_slow = is_slow
        self._slow, self._quick = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        self._slow.set_thread_count(threads)
        self._quick.set_thread_count(_QUICK_THREADS)

    def add_task(self, channel: Any) -> None:
        """Queue the next request of a connection."""
        request = channel.requests[0]
        is_slow = request.error is None and self._is_slow(request.command, request.path)
        (self._slow if is_slow else self._quick).add_task(channel)

    def shutdown(self) -> None:
        """End the threads; what waits is dropped."""
        for lane in (self._slow, self._quick):
            lane.shutdown(timeout=1)


class LocalServer(TcpWSGIServer):  # type: ignore[misc]
    """Serves an application on a socket until `stop` is called."""

    channel_class = _Channel
    accepting: bool

    def __init__(
        self,
        application: "WSGIApplication",
        listener: "socket.socket",
        is_slow: IsSlow = _is_post,
    ) -> None:
        """`is_slow` says which requests take long, by method and path."""
        logging.getLogger("waitress").setLevel(logging.CRITICAL)  # no tracebacks on a terminal
        settings = Adjustments(
            sockets=[listener],
            ident="seefood",
            max_request_body_size=MAX_RECEIVED_BYTES,
            max_request_header_size=_MAX_HEADER_BYTES,
            connection_limit=_MAX_CONNECTIONS,
            backlog=_MAX_CONNECTIONS,
            channel_timeout=MAX_RECEIVE_SECONDS,
            cleanup_interval=5,
            log_socket_errors=False,
        )
        self._ends_at: float | None = None
        super().__init__(
            application,
            _sock=listener,
            dispatcher=_Lanes(max(1, min(4, (os.cpu_count() or 2) - 1)), is_slow),
            adj=settings,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def maintenance(self, now: float) -> None:
        """Close idle connections, and give up requests that arrive too slowly."""
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            since = channel.receiving_since
            if since is not None and time.monotonic() - since > MAX_RECEIVE_SECONDS:
                channel.give_up()

    def run(self) -> None:
        """Answer requests until `stop` is called, and then those that have arrived."""
        try:
            while self._ends_at is None or self._is_draining():
                wasyncore.loop(timeout=1.0, map=self._map, count=1, use_poll=True)
                if self._ends_at is not None and self.accepting:
                    self.accepting = False
                    self.del_channel()
                    self.socket.close()
        except (SystemExit, KeyboardInterrupt):
            pass
        finally:
            self.task_dispatcher.shutdown()
            self.trigger.close()

    def stop(self) -> None:
        """Let `run` return when the present requests are answered; called again, at once."""
        if self._ends_at is not None:
            raise SystemExit
        self._ends_at = time.monotonic() + _DRAIN_SECONDS
        self.pull_trigger()

    def _is_draining(self) -> bool:
        assert self._ends_at is not None  # noqa: S101 (`run` checks it)
        busy = any(channel.is_busy() for channel in list(self.active_channels.values()))
        return self.accepting or (busy and time.monotonic() < self._ends_at)


def serve_until_stopped(server: LocalServer, ready: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM; a second one ends it at once.

    `ready` is called when these signals are handled.
    """

    def stop(number: int, frame: object) -> None:
        del number, frame
        server.stop()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ready()
        server.run()
    finally:
        for number, action in previous.items():
            signal.signal(number, action)
