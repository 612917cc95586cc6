import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from seefood.classification import ClassifyOptions
from seefood.engines.fake import FakeEngine
from seefood.storage.uris import parse_location
from seefood_lambda.classifier import Classifier
from seefood_lambda.settings import LambdaConfig
from tests.fakes import MODEL
from tests.local_server import Server

EVENTS: Final = Path(__file__).parent / "events"


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Any]:
    """Return the recorded AWS event of that name."""
    return lambda name: json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def server(bundle_path: Path) -> Iterator[Server]:
    """One server for the tests of a module that do not stop it."""
    running = Server(bundle_path)
    yield running
    running.process.kill()
    running.process.wait()


@pytest.fixture
def classifier() -> Classifier:
    """A classifier without a network: red pictures get the label `red`, green ones `green`."""
    return Classifier(FakeEngine(2), MODEL, ClassifyOptions())


@pytest.fixture
def config(memory: str) -> LambdaConfig:
    """The configuration of a handler that writes to a store in memory."""
    return LambdaConfig(Path("unused"), results=parse_location(f"{memory}/labels"))


class _Refusing(BaseHTTPRequestHandler):
    """An S3 server that refuses every request."""

    def do_GET(self) -> None:
        """Respond with 403."""
        self.send_error(403)

    do_HEAD = do_PUT = do_GET  # noqa: N815 (the base class calls them so)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Print nothing."""


@pytest.fixture
def refusing_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of a bucket that these credentials may not read."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield f"s3://not-ours-{uuid4().hex[:8]}"
        server.shutdown()


@pytest.fixture
def post() -> Callable[..., dict[str, Any]]:
    """Return the Function URL event of a POST to /classify."""

    def make(body: bytes, content_type: str = "image/jpeg", **query: str) -> dict[str, Any]:
        return {
            "version": "2.0",
            "rawPath": "/classify",
            "headers": {"content-type": content_type},
            "queryStringParameters": query,
            "requestContext": {"http": {"method": "POST"}, "requestId": "r-1"},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }

    return make
