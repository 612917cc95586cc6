"""`seefood serve` and the function URL answer alike."""

import base64
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from seefood_lambda.application import Application
from seefood_lambda.events import HttpRequest, parse_event
from seefood_lambda.local_server import to_event
from seefood_lambda.settings import LambdaConfig
from tests.lambda_context import Context
from tests.local_server import Server
from tests.pictures import jpeg


@pytest.fixture(scope="module")
def application(bundle_path: Path) -> Application:
    """The function with the server's model."""
    return Application(LambdaConfig(bundle_path))


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


_FORM = (
    b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    + jpeg()
    + b"\r\n--x--\r\n"
)
_BASE64 = base64.b64encode(jpeg())


@pytest.mark.parametrize(
    ("method", "path", "content_type", "body"),
    [
        ("GET", "/", None, None),
        ("GET", "/?key=a%20b", None, None),
        ("GET", "/health", None, None),
        ("GET", "/openapi.json", None, None),
        ("GET", "/icon-192.png", None, None),
        ("GET", "/nowhere", None, None),
        ("GET", "/classify", None, None),
        ("DELETE", "/classify", None, None),
        ("OPTIONS", "/classify", None, None),
        ("POST", "/", "image/jpeg", b"x"),
        ("POST", "/classify", "image/jpeg", jpeg()),
        ("POST", "/classify", "", jpeg()),
        ("POST", "/classify", "text/plain", _BASE64),
        ("POST", "/classify", "text/plain", b"a letter"),
        ("POST", "/classify", "image/jpeg", b""),
        ("POST", "/classify", "image/jpeg", jpeg()[:300]),
        ("POST", "/classify", "application/json", b'{"image": "' + _BASE64 + b'"}'),
        ("POST", "/classify", "application/json", b'{"images": ["' + _BASE64 + b'", "x"]}'),
        ("POST", "/classify", "application/json", b'{"uri": "s3://photos/a.jpg"}'),
        ("POST", "/classify", "application/json", b"{"),
        ("POST", "/classify", "application/json", b"\xff"),
        ("POST", "/classify", "multipart/form-data; boundary=x", _FORM),
        ("POST", "/classify", "multipart/form-data", _FORM),
        ("POST", "/classify", "application/x-www-form-urlencoded", b"image=" + _BASE64),
    ],
)
def test_the_server_answers_as_the_function_url_does(
    server: Server,
    application: Application,
    method: str,
    path: str,
    content_type: str | None,
    body: bytes | None,
) -> None:
    """Status, type and content are the same, but for ids and times."""
    headers = {} if content_type is None else {"content-type": content_type}
    actual = server.request(method, path, body, content_type or "")
    event = application(to_event(method, path, headers, body or b""), Context())
    content = event["body"].encode()
    expected = base64.b64decode(content) if event["isBase64Encoded"] else content

    assert (event["statusCode"], event["headers"]["content-type"]) == actual[:2]
    assert _without_ids(expected) == _without_ids(actual[2])


def _without_ids(body: bytes) -> bytes:
    return re.sub(rb'"(instance|milliseconds)": ?("[^"]*"|[\d.]+)', b"", body)
