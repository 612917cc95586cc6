"""Calls the application of `seefood review` and `seefood audit` as a server would."""

import io
import json
from typing import Any, Final

from seefood.local_http.address import HostCheck
from seefood.review.application import ReviewApplication
from seefood.review.heat import HeatMaps
from seefood.review.queue import Queue

TOKEN: Final = "t0"  # noqa: S105 (of tests)


class ReviewClient:
    """Sends requests without a socket."""

    def __init__(self, queue: Queue, root: str) -> None:
        self.root = root
        self._application = ReviewApplication(queue, TOKEN, HostCheck.of("127.0.0.1"), HeatMaps())
        self.status = ""
        self.headers: dict[str, str] = {}

    def call(self, path: str, body: object = None, **environ: str) -> bytes:
        """Return the body of the response; status and headers are kept."""
        path, _, query = path.partition("?")
        data = json.dumps(body).encode()
        values = {
            "REQUEST_METHOD": "GET" if body is None else "POST",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": "localhost:8017",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.input": io.BytesIO(data),
            **environ,
        }

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            self.status, self.headers = status[:3], dict(headers)

        return b"".join(self._application(values, start))

    def json(self, path: str, body: object = None, **environ: str) -> Any:
        """Return the JSON of the response to a path behind the token."""
        return json.loads(self.call(f"/{TOKEN}/{path}", body, **environ))
