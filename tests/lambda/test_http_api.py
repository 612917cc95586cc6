import base64
import json
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest

from seefood.classify import ClassifyOptions
from seefood.engines.fake import FakeEngine
from seefood.errors import ErrorCode
from seefood.imaging.decode import Limits
from seefood_lambda.classifier import Classifier
from seefood_lambda.events import HttpRequest, parse_event
from seefood_lambda.http_api import respond
from seefood_lambda.problem_details import STATUS_OF
from seefood_lambda.request_input import NotAllowedError, named_object
from tests.fakes import MODEL
from tests.pictures import jpeg

Post = Callable[..., dict[str, Any]]
NONE: frozenset[str] = frozenset()


def answer(
    event: Any, classifier: Classifier, allowed: frozenset[str] = NONE
) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON body of the response to `event`."""
    request = parse_event(event)
    assert isinstance(request, HttpRequest)
    response = respond(request, classifier, allowed)
    return int(response.status), json.loads(response.body)


def form(*fields: tuple[str, bytes], cut: bool = False) -> tuple[bytes, str]:
    """Return a form's body and content type."""
    parts = [
        b'--XYZ\r\nContent-Disposition: form-data; name="%s"; filename="a.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n%s\r\n" % (name.encode(), value)
        for name, value in fields
    ]
    return b"".join(parts) + (b"" if cut else b"--XYZ--\r\n"), "multipart/form-data; boundary=XYZ"


def test_a_posted_picture_is_labelled(post: Post, classifier: Classifier) -> None:
    """The answer has label, probabilities, time, and what answered."""
    status, told = answer(post(jpeg(size=(40, 30))), classifier)

    assert 200 == status
    assert ("red", "ok", 40, 30, "JPEG") == tuple(
        told[name] for name in ("label", "status", "width", "height", "format")
    )
    assert told["score"] == pytest.approx(told["top"][0]["score"])
    assert 1.0 == pytest.approx(sum(item["score"] for item in told["top"]), abs=1e-5)
    assert (MODEL.name, MODEL.digest, "fake") == (
        told["model"],
        told["model_digest"],
        told["engine"],
    )
    assert told["milliseconds"] > 0
    assert "heatmap" not in told


def test_a_picture_may_come_in_a_form(post: Post, classifier: Classifier) -> None:
    """As browsers and `curl -F image=@a.jpg` send it."""
    body, kind = form(("note", b"lunch"), ("image", jpeg()))

    assert "red" == answer(post(body, kind), classifier)[1]["label"]


def test_a_picture_may_come_in_json(post: Post, classifier: Classifier) -> None:
    """As programs send it."""
    body = json.dumps({"image": base64.b64encode(jpeg()).decode()}).encode()

    assert "red" == answer(post(body, "application/json"), classifier)[1]["label"]


@pytest.mark.parametrize("said", ["query", "form", "json"])
def test_a_heat_map_comes_on_request_only(post: Post, classifier: Classifier, said: str) -> None:
    """Each way of asking has its place for it."""
    if said == "query":
        event = post(jpeg(), heatmap="1")
    elif said == "form":
        event = post(*form(("image", jpeg()), ("heatmap", b"1")))
    else:
        body = {"image": base64.b64encode(jpeg()).decode(), "heatmap": True}
        event = post(json.dumps(body).encode(), "application/json")

    _, told = answer(event, classifier)

    assert [7] * 7 == [len(row) for row in told["heatmap"]["grid"]]
    assert [0.0, 0.0, 1.0, 1.0] == told["heatmap"]["box"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        pytest.param(b"", "image/jpeg", 400, "empty", id="nothing"),
        pytest.param(b"hello", "image/jpeg", 415, "not_an_image", id="text called a JPEG"),
        pytest.param(b"<svg/>", "image/svg+xml", 415, "unsupported_format", id="SVG"),
        pytest.param(b"hello", "text/plain", 415, "not_an_image", id="text"),
        pytest.param(jpeg()[:200], "image/jpeg", 422, "truncated", id="half a JPEG"),
        pytest.param(b"{", "application/json", 400, "bad_json", id="half an object"),
        pytest.param(b"{}", "application/json", 400, "bad_json", id="an empty object"),
        pytest.param(b"[" * 100_000, "application/json", 400, "bad_json", id="a deep object"),
        pytest.param(b'{"image": "!"}', "application/json", 400, "bad_base64", id="no base64"),
        pytest.param(b"x", "multipart/form-data", 400, "bad_form", id="a form without a boundary"),
        pytest.param(*form(("note", b"x"), cut=True), 400, "bad_form", id="half a form"),
        pytest.param(b"--X--", "multipart/form-data; boundary=X", 400, "bad_form", id="no field"),
    ],
)
def test_what_cannot_be_labelled_is_a_problem(
    post: Post, classifier: Classifier, body: bytes, kind: str, status: int, code: str
) -> None:
    """RFC 9457: the status fits, the code is for programs, the detail for people."""
    got, problem = answer(post(body, kind), classifier)

    assert (status, status, code) == (got, problem["status"], problem["code"])
    assert HTTPStatus(status).phrase == problem["title"]
    assert "urn:request:r-1" == problem["instance"]
    assert problem["detail"]


def test_problems_say_their_media_type(post: Post, classifier: Classifier) -> None:
    """So that a client need not guess."""
    request = parse_event(post(b""))
    assert isinstance(request, HttpRequest)

    event = respond(request, classifier, NONE).as_event()

    assert "application/problem+json" == event["headers"]["content-type"]
    assert "nosniff" == event["headers"]["x-content-type-options"]


def test_what_nobody_foresaw_is_a_500_without_its_insides(post: Post) -> None:
    """The caller gets a problem, the logs get the error."""
    broken = Classifier(FakeEngine(2), MODEL, None)  # type: ignore[arg-type]
    request = parse_event(post(jpeg()))
    assert isinstance(request, HttpRequest)

    response = respond(request, broken, NONE)

    assert 500 == response.status
    assert isinstance(response.failure, AttributeError)
    assert "NoneType" not in response.body


def test_every_error_code_has_a_status() -> None:
    """No picture's failure is without its HTTP status."""
    assert set(ErrorCode) == set(STATUS_OF)


def test_a_body_that_is_no_base64_is_a_problem(post: Post, classifier: Classifier) -> None:
    """A gateway's mistake is told, not decoded to rubbish."""
    event = post(jpeg()) | {"body": "§§§"}

    assert (400, "bad_base64") == (
        (told := answer(event, classifier))[0],
        told[1]["code"],
    )


def test_too_large_a_picture_is_413(post: Post) -> None:
    """Bytes and pixels alike."""
    small = Classifier(FakeEngine(2), MODEL, ClassifyOptions(limits=Limits(max_bytes=10)))
    narrow = Classifier(FakeEngine(2), MODEL, ClassifyOptions(limits=Limits(max_pixels=10)))

    assert [(413, "too_large"), (413, "too_many_pixels")] == [
        (status, problem["code"])
        for status, problem in (answer(post(jpeg()), one) for one in (small, narrow))
    ]


@pytest.mark.parametrize(
    "uri",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://example.org/a.jpg",
        "file:///etc/passwd",
        "/etc/passwd",
        "s3://secrets/a.jpg",
        "s3://photos",
        "s3://photos/",
        "S3://photos/a.jpg",
        "gs://photos/a.jpg",
        "memory://photos/a.jpg",
        "s3://photos@secrets/a.jpg",
        "s3:///photos/a.jpg",
        "",
    ],
)
def test_no_name_of_the_callers_choice_is_fetched(
    post: Post, classifier: Classifier, uri: str
) -> None:
    """Only S3 objects, only of buckets on the list; no web address, no file."""
    body = json.dumps({"uri": uri}).encode()

    status, problem = answer(post(body, "application/json"), classifier, frozenset({"photos"}))

    assert (403, "not_allowed") == (status, problem["code"])
    with pytest.raises(NotAllowedError):
        named_object(uri, frozenset({"photos"}))


def test_a_named_object_of_a_listed_bucket_is_labelled(
    post: Post, classifier: Classifier, s3: Any
) -> None:
    """The list is what opens a bucket to callers."""
    s3.put("in/a b.jpg", jpeg())
    body = json.dumps({"uri": f"{s3.uri}/in/a b.jpg"}).encode()

    status, told = answer(post(body, "application/json"), classifier, frozenset({s3.name}))

    assert (200, "red") == (status, told["label"])


def test_a_named_object_that_is_not_there_is_404(
    post: Post, classifier: Classifier, s3: Any
) -> None:
    """A store's answer becomes the caller's."""
    body = json.dumps({"uri": f"{s3.uri}/gone.jpg"}).encode()

    status, problem = answer(post(body, "application/json"), classifier, frozenset({s3.name}))

    assert (404, "not_found") == (status, problem["code"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/health", 200),
        ("GET", "/classify", 405),
        ("POST", "/", 405),
        ("GET", "/nothing", 404),
        ("GET", "/../etc/passwd", 404),
    ],
)
def test_paths_and_methods(
    classifier: Classifier, post: Post, method: str, path: str, status: int
) -> None:
    """What is there answers; what is not is a problem."""
    request = parse_event(post(b""))
    assert isinstance(request, HttpRequest)

    response = respond(replace(request, method=method, path=path), classifier, NONE)

    assert status == response.status
    if status == 405:
        assert ("POST" if path == "/classify" else "GET, HEAD") == response.headers["allow"]


def test_health_names_the_model(recorded: Callable[[str], Any], classifier: Classifier) -> None:
    """One look tells which model answers, with the digest that rows carry."""
    event = recorded("function_url_page") | {"rawPath": "/health"}

    status, told = answer(event, classifier)

    assert (200, "ok", MODEL.digest) == (status, told["status"], told["model_digest"])
