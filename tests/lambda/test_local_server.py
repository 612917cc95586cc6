import base64
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from seefood_lambda.events import HttpRequest, parse_event
from seefood_lambda.local_address import HostCheck
from seefood_lambda.local_server import as_wsgi, to_event
from tests.pictures import jpeg


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
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"content-type": content_type} if body is not None else {}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, response.headers["content-type"], data


@pytest.fixture(scope="module")
def server(bundle_path: Path) -> Iterator[Server]:
    """One server for the tests that do not stop it."""
    running = Server(bundle_path)
    yield running
    running.process.kill()
    running.process.wait()


def test_the_page_and_the_classifier_respond(server: Server) -> None:
    """The Lambda's handler works over real HTTP."""
    page = server.request("GET", "/")
    label = server.request("POST", "/classify?heatmap=1", jpeg())

    assert (200, "text/html; charset=utf-8") == page[:2]
    assert (200, "application/json") == label[:2]
    heatmap = json.loads(label[2])["heatmap"]
    assert "score" == heatmap["kind"]
    assert len(heatmap["grid"]) > 1


def test_head_gets_the_headers_of_get_without_a_body(server: Server) -> None:
    """The length is that of the page."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    lengths = []
    for method in ("GET", "HEAD"):
        connection.request(method, "/")
        response = connection.getresponse()
        lengths.append((int(response.headers["content-length"]), len(response.read())))
    connection.close()

    ((length, sent), (head_length, head_sent)) = lengths
    assert (length, length, 0) == (sent, head_length, head_sent)


def test_a_body_may_be_sent_in_chunks(server: Server) -> None:
    """Clients that do not know the length use chunked encoding."""
    data = jpeg()

    status, _, body = server.request("POST", "/classify", iter([data[:100], data[100:]]))

    assert (200, "JPEG") == (status, json.loads(body)["format"])


def test_errors_are_problem_details(server: Server) -> None:
    """Also for requests above Lambda's limit, which become no event."""
    unknown = server.request("POST", "/classify", b"text")
    large = server.request("POST", "/classify", bytes(7 * 1024 * 1024))

    assert [(415, "application/problem+json"), (413, "application/problem+json")] == [
        unknown[:2],
        large[:2],
    ]
    assert "7,340,032 bytes are more than the 4,718,592" in json.loads(large[2])["detail"]


def test_a_failing_handler_is_a_500_without_details(capfd: pytest.CaptureFixture[str]) -> None:
    """The error is in the log only."""

    def broken(request: HttpRequest) -> Any:
        raise RuntimeError(f"secret of {request.path}")

    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": "/",
        "HTTP_HOST": "localhost",
        "wsgi.input": BytesIO(),
    }
    application = as_wsgi(broken, HostCheck.of("127.0.0.1"))
    body = b"".join(application(environ, lambda *status: started.append(status)))  # type: ignore[arg-type]

    assert "500 Internal Server Error" == started[0][0]
    assert b"secret" not in body
    assert "the handler failed: RuntimeError: secret of /" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(bundle_path: Path, number: signal.Signals) -> None:
    """Exit code 0, one line for each request on stderr, nothing on stdout."""
    running = Server(bundle_path)
    running.request("GET", "/health")
    running.process.send_signal(number)
    out, err = running.process.communicate(timeout=10)

    assert (0, "") == (running.process.returncode, out)
    assert "GET /health 200" in err
    assert err.endswith("Stopped.\n")


def test_a_port_that_is_taken_is_a_usage_error(server: Server, bundle_path: Path) -> None:
    """The message names the address and the options; the exit code is 2."""
    port = str(server.port)
    done = subprocess.run(
        [sys.executable, "-m", "seefood", "serve", "--port", port, "--model", bundle_path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 2 == done.returncode
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "choose another --port or --host" in done.stderr


def test_a_request_becomes_the_event_of_a_function_url() -> None:
    """The query is decoded, header names are in lower case, bytes are base64 and JSON is text."""
    picture = to_event(
        "POST", f"/classify?q={quote('ä b')}", {"Content-Type": "image/gif"}, b"\xff"
    )
    text = to_event("POST", "/classify", {"Content-Type": "application/json"}, b"{}")

    requests = [parse_event(event) for event in (picture, text)]
    assert [HttpRequest, HttpRequest] == [type(request) for request in requests]
    assert ("POST", "/classify", {"q": "ä b"}, {"content-type": "image/gif"}) == tuple(
        getattr(requests[0], name) for name in ("method", "path", "query", "headers")
    )
    assert (base64.b64encode(b"\xff").decode(), True) == (
        picture["body"],
        picture["isBase64Encoded"],
    )
    assert ("{}", False) == (text["body"], text["isBase64Encoded"])
