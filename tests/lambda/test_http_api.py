import base64
import json
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest

from seefood.classification import ClassifyOptions
from seefood.engines.fake import FakeEngine
from seefood.errors import ErrorCode
from seefood.imaging.decode import Limits
from seefood_lambda.classifier import Classifier
from seefood_lambda.events import HttpRequest, parse_event
from seefood_lambda.http_api import respond
from seefood_lambda.problem_details import STATUS_OF
from seefood_lambda.request_input import NotAllowedError, named_object
from seefood_lambda.settings import HttpPolicy
from tests.fakes import MODEL
from tests.pictures import jpeg

Post = Callable[..., dict[str, Any]]
NONE = HttpPolicy()


def respond_to(
    event: Any, classifier: Classifier, policy: HttpPolicy = NONE
) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON body of the response to `event`."""
    request = parse_event(event)
    assert isinstance(request, HttpRequest)
    response = respond(request, classifier, policy)
    return int(response.status), json.loads(response.body)


def by_iam(event: dict[str, Any]) -> dict[str, Any]:
    """Return `event` as AWS sends it when it has checked the caller's signature."""
    iam = {"userArn": "arn:aws:iam::123456789012:user/cook", "accountId": "123456789012"}
    return event | {"requestContext": event["requestContext"] | {"authorizer": {"iam": iam}}}


def form(*fields: tuple[str, bytes], cut: bool = False) -> tuple[bytes, str]:
    """Return a form's body and content type."""
    parts = [
        b'--XYZ\r\nContent-Disposition: form-data; name="%s"; filename="a.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n%s\r\n" % (name.encode(), value)
        for name, value in fields
    ]
    return b"".join(parts) + (b"" if cut else b"--XYZ--\r\n"), "multipart/form-data; boundary=XYZ"


def test_a_posted_picture_is_labelled(post: Post, classifier: Classifier) -> None:
    """The response has label, probabilities, time and model."""
    status, body = respond_to(post(jpeg(size=(40, 30))), classifier)

    assert 200 == status
    assert ("red", "ok", 40, 30, "JPEG") == tuple(
        body[name] for name in ("label", "status", "width", "height", "format")
    )
    assert body["score"] == pytest.approx(body["top"][0]["score"])
    assert 1.0 == pytest.approx(sum(item["score"] for item in body["top"]), abs=1e-5)
    assert (MODEL.name, MODEL.digest, "fake") == (
        body["model"],
        body["model_digest"],
        body["engine"],
    )
    assert body["milliseconds"] > 0
    assert "heatmap" not in body


def test_a_picture_may_be_in_a_form(post: Post, classifier: Classifier) -> None:
    """As browsers and `curl -F image=@a.jpg` send it."""
    body, content_type = form(("note", b"lunch"), ("image", jpeg()))

    assert "red" == respond_to(post(body, content_type), classifier)[1]["label"]


def test_a_picture_may_be_in_json(post: Post, classifier: Classifier) -> None:
    """As programs send it."""
    body = json.dumps({"image": base64.b64encode(jpeg()).decode()}).encode()

    assert "red" == respond_to(post(body, "application/json"), classifier)[1]["label"]


@pytest.mark.parametrize("where", ["query", "form", "json"])
def test_a_heat_map_can_be_requested(post: Post, classifier: Classifier, where: str) -> None:
    """In the query, in a form's field or in JSON."""
    if where == "query":
        event = post(jpeg(), heatmap="1")
    elif where == "form":
        event = post(*form(("image", jpeg()), ("heatmap", b"1")))
    else:
        document = {"image": base64.b64encode(jpeg()).decode(), "heatmap": True}
        event = post(json.dumps(document).encode(), "application/json")

    _, body = respond_to(event, classifier)

    assert [7] * 7 == [len(row) for row in body["heatmap"]["grid"]]
    assert [0.0, 0.0, 1.0, 1.0] == body["heatmap"]["box"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
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
def test_a_request_that_cannot_be_labelled_gets_problem_details(
    post: Post, classifier: Classifier, body: bytes, content_type: str, status: int, code: str
) -> None:
    """RFC 9457: a fitting status, a code for programs, a detail for people."""
    actual, problem = respond_to(post(body, content_type), classifier)

    assert (status, status, code) == (actual, problem["status"], problem["code"])
    assert HTTPStatus(status).phrase == problem["title"]
    assert "urn:request:r-1" == problem["instance"]
    assert problem["detail"]


def test_problems_have_their_media_type(post: Post, classifier: Classifier) -> None:
    """A client can recognise problem details."""
    request = parse_event(post(b""))
    assert isinstance(request, HttpRequest)

    event = respond(request, classifier, NONE).as_event()

    assert "application/problem+json" == event["headers"]["content-type"]
    assert "nosniff" == event["headers"]["x-content-type-options"]


def test_an_unexpected_error_is_a_500_without_details(post: Post) -> None:
    """The caller gets problem details, the log gets the error."""
    broken = Classifier(FakeEngine(2), MODEL, None)  # type: ignore[arg-type]
    request = parse_event(post(jpeg()))
    assert isinstance(request, HttpRequest)

    response = respond(request, broken, NONE)

    assert 500 == response.status
    assert isinstance(response.failure, AttributeError)
    assert "NoneType" not in response.body


def test_every_error_code_has_a_status() -> None:
    """Each error of a picture has an HTTP status."""
    assert set(ErrorCode) == set(STATUS_OF)


def test_a_body_that_is_not_base64_is_a_problem(post: Post, classifier: Classifier) -> None:
    """It is not decoded to other bytes."""
    event = post(jpeg()) | {"body": "§§§"}

    status, problem = respond_to(event, classifier)

    assert (400, "bad_base64") == (status, problem["code"])


def test_a_too_large_picture_is_413(post: Post) -> None:
    """In bytes or in pixels."""
    small = Classifier(FakeEngine(2), MODEL, ClassifyOptions(limits=Limits(max_bytes=10)))
    narrow = Classifier(FakeEngine(2), MODEL, ClassifyOptions(limits=Limits(max_pixels=10)))

    assert [(413, "too_large"), (413, "too_many_pixels")] == [
        (status, problem["code"])
        for status, problem in (respond_to(post(jpeg()), one) for one in (small, narrow))
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
def test_only_objects_in_allowed_buckets_are_read(
    post: Post, classifier: Classifier, uri: str
) -> None:
    """No web address, no file, no other bucket."""
    request = json.dumps({"uri": uri}).encode()

    status, problem = respond_to(
        by_iam(post(request, "application/json")), classifier, HttpPolicy(frozenset({"photos"}))
    )

    assert (403, "not_allowed") == (status, problem["code"])
    with pytest.raises(NotAllowedError):
        named_object(uri, frozenset({"photos"}))


def test_a_named_object_in_an_allowed_bucket_is_labelled(
    post: Post, classifier: Classifier, s3: Any
) -> None:
    """The list of buckets is the permission."""
    s3.put("in/a b.jpg", jpeg())
    request = json.dumps({"uri": f"{s3.uri}/in/a b.jpg"}).encode()

    policy = HttpPolicy(frozenset({s3.name}))
    status, body = respond_to(by_iam(post(request, "application/json")), classifier, policy)

    assert (200, "red") == (status, body["label"])


@pytest.mark.parametrize("field", ["uri", "uris"])
@pytest.mark.parametrize("authorizer", [None, {"jwt": {"claims": {}}}, {"iam": None}, {"iam": {}}])
def test_a_stranger_learns_nothing_about_private_pictures(
    post: Post, classifier: Classifier, s3: Any, field: str, authorizer: Any
) -> None:
    """Without an IAM caller, present, absent and foreign objects give the same response."""
    s3.put("private.jpg", jpeg())
    policy = HttpPolicy(frozenset({s3.name}))
    uris = [f"{s3.uri}/private.jpg", f"{s3.uri}/absent.jpg", "s3://foreign/a.jpg", "x"]
    answers = []
    for uri in uris:
        document = {field: uri if field == "uri" else [uri]}
        event = post(json.dumps(document).encode(), "application/json")
        event["requestContext"]["authorizer"] = authorizer
        event["headers"]["authorization"] = "AWS4-HMAC-SHA256 Credential=pretended"
        answers.append(respond_to(event, classifier, policy))

    assert [403] * 4 == [status for status, _ in answers]
    assert [answers[0][1]] * 4 == [problem for _, problem in answers]


def test_a_missing_named_object_is_404(post: Post, classifier: Classifier, s3: Any) -> None:
    """The error of the store has an HTTP status."""
    request = json.dumps({"uri": f"{s3.uri}/gone.jpg"}).encode()

    policy = HttpPolicy(frozenset({s3.name}))
    status, problem = respond_to(by_iam(post(request, "application/json")), classifier, policy)

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
    """Other paths are 404, other methods 405."""
    request = parse_event(post(b""))
    assert isinstance(request, HttpRequest)

    response = respond(replace(request, method=method, path=path), classifier, NONE)

    assert status == response.status
    if status == 405:
        assert ("POST" if path == "/classify" else "GET, HEAD") == response.headers["allow"]


def test_health_names_the_model(recorded: Callable[[str], Any], classifier: Classifier) -> None:
    """With the digest that rows have."""
    event = recorded("function_url_page") | {"rawPath": "/health"}

    status, body = respond_to(event, classifier)

    assert (200, "ok", MODEL.digest) == (status, body["status"], body["model_digest"])
