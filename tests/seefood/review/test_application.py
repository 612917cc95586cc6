import io
import json
from typing import Any, Final

import pytest
from PIL import Image

from seefood.corrections import read_corrections
from seefood.local_http.address import HostCheck
from seefood.review.application import ReviewApplication
from seefood.review.heat import HeatMaps
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import failed, make_row, put_all
from tests.pictures import jpeg
from tests.seefood.review.test_output_queue import open_queue

_TOKEN: Final = "t0"  # noqa: S105 (of this test)


class _Client:
    """Calls the application as a server would."""

    def __init__(self, application: ReviewApplication, root: str) -> None:
        self.root = root
        self._application = application
        self.status = ""
        self.headers: dict[str, str] = {}

    def call(self, path: str, body: object = None, **environ: str) -> bytes:
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
        return json.loads(self.call(f"/{_TOKEN}/{path}", body, **environ))


@pytest.fixture
def client(memory: str) -> _Client:
    """Return a client for two pictures and a failed one."""
    refs = put_all(memory, {"in/1.jpg": jpeg((255, 0, 0)), "in/2.jpg": b"no picture"})
    rows = [make_row(ref.uri, etag=ref.etag, score=0.5 + at / 10) for at, ref in enumerate(refs)]
    queue = open_queue(memory, *rows, failed("s3://b/3.jpg", "corrupt", "broken <b>"))
    return _Client(ReviewApplication(queue, _TOKEN, HostCheck.of("127.0.0.1"), HeatMaps()), memory)


def test_the_page_is_served_with_its_policy(client: _Client) -> None:
    """Nothing is loaded from elsewhere, and nobody may frame it."""
    page = client.call(f"/{_TOKEN}/").decode()
    assert "200" == client.status
    assert "default-src 'none'" in client.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in client.headers["content-security-policy"]
    assert "http://" not in page
    assert "https://" not in page


def test_only_who_has_the_token_is_answered(client: _Client) -> None:
    """Another path, another host name and another type of body are refused."""
    for path in ("/", "/x/", "/t01/state", f"/x/{_TOKEN}/state"):
        client.call(path)
        assert "403" == client.status
    client.call(f"/{_TOKEN}/unknown")
    assert "404" == client.status
    client.json("state", HTTP_HOST="evil.example")
    assert "403" == client.status
    client.json("answers", {"id": "a1", "answers": []}, CONTENT_TYPE="text/plain")
    assert "415" == client.status


def test_cards_have_what_the_page_shows(client: _Client) -> None:
    """The least sure first, the failed last, with its reason."""
    first, second, third = client.json("cards?start=0&count=9")["cards"]
    assert (0, "1.jpg", "red", 0.5) == tuple(
        first[name] for name in ("position", "name", "label", "score")
    )
    assert "2.jpg" == second["name"]
    assert ("failed", "corrupt", "broken <b>") == tuple(
        third[name] for name in ("status", "error", "reason")
    )
    assert third["meaning"]


def test_an_answer_returns_the_next_picture(client: _Client) -> None:
    """One request writes the answer and brings what is shown next."""
    (card,) = client.json("cards?start=0&count=1")["cards"]
    letter = {"id": "a1", "answers": [{"number": card["number"], "label": "red", "note": None}]}
    reply = client.json("answers?start=1&count=5", letter)
    assert "200" == client.status
    assert 1 == reply["position"]
    assert ["2.jpg", "3.jpg"] == [each["name"] for each in reply["cards"]]
    (correction,) = read_corrections(parse_location(client.root)).values()
    assert card["uri"] == correction.uri
    assert 1 == client.json("state")["answered"]
    by_name = {"uri": card["uri"], "etag": card["etag"], "label": None}
    client.json("answers", {"id": "a2", "answers": [by_name]})
    assert 0 == client.json("next?start=0")["position"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("answers", {"id": "a", "answers": []}, "400"),
        ("answers", {"id": "../x", "answers": [{"number": 0, "label": "red"}]}, "400"),
        ("answers", {"id": "a", "answers": [{"number": 99, "label": "red"}]}, "404"),
        ("answers", {"id": "a", "answers": [{"number": "0", "label": "red"}]}, "400"),
        ("answers", {"id": "a", "answers": [{"uri": "x", "etag": "", "label": "red"}]}, "409"),
        ("answers", {"id": "a", "answers": [{"number": 0, "label": "unknown"}]}, "400"),
        ("answers", [], "400"),
        ("labels", {"label": " "}, "400"),
        ("cards?start=x&count=1", None, "400"),
        ("cards?start=0&count=1&order=x", None, "400"),
        ("picture/0/77", None, "400"),
        ("picture/99/320", None, "404"),
        ("heat/99", None, "404"),
    ],
)
def test_wrong_requests_get_a_sentence(
    path: str, body: object, status: str, client: _Client
) -> None:
    """And change nothing."""
    assert client.json(path, body)["detail"]
    assert status == client.status
    assert {} == dict(read_corrections(parse_location(client.root)))


def test_pictures_are_small_jpegs_or_a_reason(client: _Client) -> None:
    """What cannot be decoded, or was replaced since, says so."""
    image = Image.open(io.BytesIO(client.call(f"/{_TOKEN}/picture/0/320")))
    assert "JPEG" == image.format
    assert "not_an_image" == client.json("picture/1/320")["code"]
    assert "422" == client.status
    write(parse_location(f"{client.root}/in/1.jpg"), jpeg((0, 255, 0)))
    assert "changed" == client.json("picture/0/1600")["code"]
