"""`seefood serve` as a child process."""

import re
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path


class Server:
    """A running `seefood serve`."""

    def __init__(self, bundle: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "seefood", "serve", "--port", "0", "--model", bundle],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        first_line = self.process.stderr.readline()
        address = re.search(r"http://localhost:(\d+)/", first_line)
        assert address is not None, first_line + self.process.stderr.read()
        self.port = int(address[1])

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        content_type: str = "image/jpeg",
    ) -> tuple[int, str, bytes]:
        """Return status, content type and body; an iterator is sent in chunks."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"content-type": content_type} if body is not None else {}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, response.headers["content-type"], data
