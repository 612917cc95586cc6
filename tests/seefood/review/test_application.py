import io

import pytest
from PIL import Image

from seefood.corrections import read_corrections
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.fakes import failed, make_row, put_all
from tests.pictures import jpeg
from tests.review_client import TOKEN, ReviewClient
from tests.seefood.review.test_output_queue import open_queue


@pytest.fixture
def client(memory: str) -> ReviewClient:
    """Return a client for two pictures and a failed one."""
    refs = put_all(memory, {"in/1.jpg": jpeg((255, 0, 0)), "in/2.jpg": b"no picture"})
    rows = [make_row(ref.uri, etag=ref.etag, score=0.5 + at / 10) for at, ref in enumerate(refs)]
    queue = open_queue(memory, *rows, failed("s3://b/3.jpg", "corrupt", "broken <b>"))
    return ReviewClient(queue, memory)


def test_the_page_is_served_with_its_policy(client: ReviewClient) -> None:
    """Nothing is loaded from elsewhere, and nobody may frame it."""
    page = client.call(f"/{TOKEN}/").decode()
    assert "200" == client.status
    assert "default-src 'none'" in client.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in client.headers["content-security-policy"]
    assert "http://" not in page
    assert "https://" not in page


def test_only_who_has_the_token_is_answered(client: ReviewClient) -> None:
    """Another path, another host name and another type of body are refused."""
    for path in ("/", "/x/", "/t01/state", f"/x/{TOKEN}/state"):
        client.call(path)
        assert "403" == client.status
    client.call(f"/{TOKEN}/unknown")
    assert "404" == client.status
    client.json("state", HTTP_HOST="evil.example")
    assert "403" == client.status
    client.json("answers", {"id": "a1", "answers": []}, CONTENT_TYPE="text/plain")
    assert "415" == client.status


def test_cards_have_what_the_page_shows(client: ReviewClient) -> None:
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


def test_an_answer_returns_the_next_picture(client: ReviewClient) -> None:
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
        ("answers", {"id": "a", "answers": [{"uri": "x", "etag": "", "label": "red"}]}, "400"),
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
    path: str, body: object, status: str, client: ReviewClient
) -> None:
    """And change nothing."""
    assert client.json(path, body)["detail"]
    assert status == client.status
    assert {} == dict(read_corrections(parse_location(client.root)))


def test_pictures_are_small_jpegs_or_a_reason(client: ReviewClient) -> None:
    """What cannot be decoded, or was replaced since, says so."""
    image = Image.open(io.BytesIO(client.call(f"/{TOKEN}/picture/0/320")))
    assert "JPEG" == image.format
    assert "not_an_image" == client.json("picture/1/320")["code"]
    assert "422" == client.status
    write(parse_location(f"{client.root}/in/1.jpg"), jpeg((0, 255, 0)))
    assert "changed" == client.json("picture/0/1600")["code"]
