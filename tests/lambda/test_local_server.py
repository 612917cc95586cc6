import json
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from seefood.errors import UsageError
from seefood.local_http.address import HostCheck, listen, phone_lines, phone_url, qr_code
from seefood_lambda.events import HttpRequest
from seefood_lambda.local_server import as_wsgi
from seefood_lambda.problem_details import STATUS_OF
from tests.local_server import Server
from tests.pictures import jpeg


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


def raw(server: Server, request: bytes) -> tuple[int, dict[str, Any]]:
    """Return status and problem details of the response to these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection)
        response.begin()
        assert "application/problem+json" == response.headers["content-type"]
        return response.status, json.loads(response.read())


_LINE = b"Host: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"POST /classify HTTP/1.1\r\n" + _LINE, 411, id="no length"),
        pytest.param(
            b"POST /classify HTTP/1.1\r\nContent-Length: 5, 6\r\n" + _LINE, 400, id="two lengths"
        ),
        pytest.param(
            b"POST /classify HTTP/1.1\r\nContent-Length: -1\r\n" + _LINE, 400, id="negative"
        ),
        pytest.param(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + _LINE, 414, id="a long path"),
        pytest.param(b"GET /" + b"a" * 50_000 + b" HTTP/1.1\r\n" + _LINE, 414, id="a longer path"),
        pytest.param(
            b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n" + _LINE, 431, id="long headers"
        ),
        pytest.param(b"TRACE /classify HTTP/1.1\r\n" + _LINE, 405, id="TRACE"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, id="another host"),
        pytest.param(b"nonsense\r\n" + _LINE, 400, id="no HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01", 400, id="TLS"),
        pytest.param(b"GET //[/ HTTP/1.1\r\n" + _LINE, 404, id="half an address as the path"),
        pytest.param(b"GET http://[::1/ HTTP/1.1\r\n" + _LINE, 400, id="half an address"),
        pytest.param(
            b"GET http://evil.example/ HTTP/1.1\r\n" + _LINE, 403, id="another host's address"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
            403,
            id="two hosts",
        ),
    ],
)
def test_every_error_of_the_protocol_is_a_problem(
    server: Server, request_bytes: bytes, status: int
) -> None:
    """With status, code and a sentence."""
    actual, problem = raw(server, request_bytes)

    assert (status, status) == (actual, problem["status"])
    assert problem["code"]
    assert problem["detail"]


def test_health_is_answered_while_a_hundred_clients_wait(server: Server) -> None:
    """No connection is reset, and /health does not wait behind pictures."""
    picture = jpeg()
    with ThreadPoolExecutor(100) as pool:
        pictures = [pool.submit(server.request, "POST", "/classify", picture) for _ in range(100)]
        waiting = []
        while not all(one.done() for one in pictures):
            waiting.append(sum(not one.done() for one in pictures))
            assert 200 == server.request("GET", "/health")[0]
            time.sleep(0.05)  # the clients need the processor too

    assert {200} == {one.result()[0] for one in pictures}
    assert max(waiting) > 1


def test_a_signal_lets_running_requests_finish(bundle_path: Path) -> None:
    """Requests that have arrived are answered before the server ends."""
    running = Server(bundle_path)
    with ThreadPoolExecutor(8) as pool:
        pictures = [
            pool.submit(running.request, "POST", "/classify?heatmap=1", jpeg()) for _ in range(8)
        ]
        while not any(one.done() for one in pictures):
            time.sleep(0.005)
        running.process.send_signal(signal.SIGTERM)
        statuses = [one.result()[0] for one in pictures]
    running.process.communicate(timeout=30)

    assert ([200] * 8, 0) == (statuses, running.process.returncode)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("localhost:8000", True),
        ("LOCALHOST", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("192.168.1.7:8000", True),
        ("photos.example:8000", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("localhost:8000, evil.example", False),
        ("localhost:800000", False),
        ("a@localhost", False),
        ("[::1", False),
        ("", False),
        (None, False),
    ],
)
def test_only_this_servers_names_are_answered_to(header: str | None, *, accepted: bool) -> None:
    """A page of another site cannot call it by a name of its own (DNS rebinding)."""
    assert accepted == HostCheck.of("127.0.0.1", ["photos.example"]).accepts(header)


def test_a_phone_gets_an_address_and_a_qr_code() -> None:
    """Of the network, not of this machine alone."""
    url = phone_url("0.0.0.0", 8000)  # noqa: S104 (what the user would give)

    assert phone_url("127.0.0.1", 8000) is None
    assert "http://192.168.1.7:8000/" == phone_url("192.168.1.7", 8000)
    assert url is None or re.fullmatch(r"http://(?!127\.)[\d.]+:8000/", url)
    assert len(qr_code("http://192.168.1.7:8000/").splitlines()) > 10
    assert [] == phone_lines("127.0.0.1", 8000, "token/")
    assert phone_lines("192.168.1.7", 8000, "token/")[0].endswith("http://192.168.1.7:8000/token/")


def test_an_address_of_another_machine_is_refused_in_one_clause() -> None:
    """The system's message repeats the address."""
    with pytest.raises(UsageError, match=r"cannot listen on 198\.51\.100\.7: [^()]+; choose"):
        listen("198.51.100.7", 0)


def test_the_description_is_valid_and_the_server_keeps_to_it(server: Server) -> None:
    """OpenAPI 3.1; schemathesis sends what it allows, and what it does not."""
    url = f"http://127.0.0.1:{server.port}/openapi.json"
    document = json.loads(server.request("GET", "/openapi.json")[2])
    validate(document)
    assert {str(int(status)) for status in STATUS_OF.values()} <= set(
        document["paths"]["/classify"]["post"]["responses"]
    )
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_schema_conformance"
    )
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "run", url, "--max-examples", "5"),
            *("--phases", "coverage,fuzzing", "--checks", checks, "--seed", "1"),
            *("--generation-database", "none"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    assert 0 == done.returncode, done.stdout[-3000:]
