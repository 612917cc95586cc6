"""Serves a queue's page on this machine until SIGINT or SIGTERM."""

import socket
from collections.abc import Callable
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from seefood.errors import UsageError
from seefood.local_http.address import HostCheck, listen, phone_lines, url_of
from seefood.local_http.server import LocalServer, serve_until_stopped
from seefood.review.application import ReviewApplication, is_slow, new_path
from seefood.review.heat import HeatMaps
from seefood.review.queue import Queue

PORT: Final = 8017
"""The usual port: a browser keeps an unsent answer by the port of the page."""


def serve_queue(
    queue: Queue,
    listener: socket.socket,
    host: str,
    say: Callable[[str], None],
    model: Path | None = None,
) -> None:
    """Serve the page of `queue` on a listening socket.

    `say` is called with the address when requests are answered. `model` is the bundle for heat
    maps of models that are not built in.
    """
    token = token_urlsafe(24)
    application = ReviewApplication(queue, token, HostCheck.of(host), HeatMaps(model))
    port = int(listener.getsockname()[1])

    def ready() -> None:
        say(f"Open {url_of(host, port)}{new_path(token)}")
        for line in phone_lines(host, port, new_path(token)):
            say(line)
        say("Ctrl-C ends it.")

    serve_until_stopped(LocalServer(application, listener, is_slow), ready)


def listen_somewhere(host: str, port: int | None) -> socket.socket:
    """Return a listening socket on `port`; without one, on the usual port or any that is free."""
    if port is not None:
        return listen(host, port)
    try:
        return listen(host, PORT)
    except UsageError:
        return listen(host, 0)
