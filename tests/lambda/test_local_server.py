import base64
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest

from seefood_lambda.events import HttpRequest, parse_event
from seefood_lambda.local_server import to_event
from tests.pictures import jpeg


class Served:
    """A `seefood serve` that is running, and what it says."""

    def __init__(self, bundle: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "seefood", "serve", "--port", "0", "--model", bundle],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.said = self.process.stderr.readline()
        found = re.search(r"http://localhost:(\d+)/", self.said)
        assert found is not None, self.said + self.process.stderr.read()
        self.port = int(found[1])

    def ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = "image/jpeg"
    ) -> tuple[int, str, bytes]:
        """Return status, content type and body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {"content-type": kind} if body is not None else {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers["content-type"], data


@pytest.fixture(scope="module")
def served(bundle_path: Path) -> Iterator[Served]:
    """One server for the tests that only ask."""
    running = Served(bundle_path)
    yield running
    running.process.kill()
    running.process.wait()


def test_the_page_and_the_classifier_answer(served: Served) -> None:
    """The very handler, over real HTTP."""
    page = served.ask("GET", "/")
    label = served.ask("POST", "/classify?heatmap=1", jpeg())

    assert (200, "text/html; charset=utf-8") == page[:2]
    assert (200, "application/json") == label[:2]
    heatmap = json.loads(label[2])["heatmap"]
    assert "score" == heatmap["kind"]
    assert len(heatmap["grid"]) > 1


def test_problems_come_through(served: Served) -> None:
    """Also those of requests that are too large to become an event, as in Lambda."""
    unknown = served.ask("POST", "/classify", b"text")
    large = served.ask("POST", "/classify", bytes(7 * 1024 * 1024))

    assert [(415, "application/problem+json"), (413, "application/problem+json")] == [
        unknown[:2],
        large[:2],
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(bundle_path: Path, number: signal.Signals) -> None:
    """Exit code 0, a word of goodbye on stderr, nothing on stdout."""
    running = Served(bundle_path)
    running.ask("GET", "/health")
    running.process.send_signal(number)
    out, err = running.process.communicate(timeout=10)

    assert (0, "") == (running.process.returncode, out)
    assert "GET /health 200" in err
    assert err.endswith("Stopped.\n")


def test_a_port_that_is_taken_is_a_usage_error(served: Served, bundle_path: Path) -> None:
    """One sentence that names the way out; exit code 2."""
    port = str(served.port)
    done = subprocess.run(
        [sys.executable, "-m", "seefood", "serve", "--port", port, "--model", bundle_path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 2 == done.returncode
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_a_request_becomes_the_event_of_a_function_url() -> None:
    """Query decoded, names of headers in lower case, bytes as base64 and JSON as text."""
    picture = to_event(
        "POST", f"/classify?q={quote('ä b')}", {"Content-Type": "image/gif"}, b"\xff"
    )
    text = to_event("POST", "/classify", {"Content-Type": "application/json"}, b"{}")

    asked = [parse_event(event) for event in (picture, text)]
    assert [HttpRequest, HttpRequest] == [type(one) for one in asked]
    assert ("POST", "/classify", {"q": "ä b"}, {"content-type": "image/gif"}) == tuple(
        getattr(asked[0], name) for name in ("method", "path", "query", "headers")
    )
    assert (base64.b64encode(b"\xff").decode(), True) == (
        picture["body"],
        picture["isBase64Encoded"],
    )
    assert ("{}", False) == (text["body"], text["isBase64Encoded"])
