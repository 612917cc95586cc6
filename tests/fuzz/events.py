"""The Lambda's input: events, HTTP requests, forms and settings."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from seefood.classification import ClassifyOptions
from seefood.engines.fake import FakeEngine
from seefood.errors import RetryableError, UsageError
from seefood_lambda.batch_response import build_batch_response, build_job_response
from seefood_lambda.classifier import Classifier
from seefood_lambda.events import (
    Batch,
    BatchOperations,
    Call,
    EventError,
    HttpRequest,
    Upload,
    order_of,
    parse_event,
)
from seefood_lambda.form_data import FormError, parse_form
from seefood_lambda.http_api import respond
from seefood_lambda.request_input import NotAllowedError, NotBase64Error, from_base64, named_object
from seefood_lambda.settings import HttpPolicy, read_config
from seefood_lambda.uploads import Outcome, UploadStatus
from tests.fakes import MODEL
from tests.fuzz.target import Choices, Target
from tests.pictures import jpeg

_RECORDED: Final = Path(__file__).parent.parent / "lambda" / "events"
_CLASSIFIER: Final = Classifier(FakeEngine(2), MODEL, ClassifyOptions())
_STATUSES: Final = frozenset({200, 400, 403, 404, 405, 409, 413, 415, 422})
_SETTINGS: Final = (
    "SEEFOOD_RESULTS", "SEEFOOD_WATCHED", "SEEFOOD_ALLOWED_BUCKETS", "SEEFOOD_TAG",
    "SEEFOOD_MODEL", "SEEFOOD_MODEL_DIGEST", "SEEFOOD_TOP_K", "SEEFOOD_MAX_BYTES",
    "SEEFOOD_MAX_PIXELS", "SEEFOOD_REMOVED", "SEEFOOD_TOKEN", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
)  # fmt: skip


def _event(data: bytes) -> None:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        request = parse_event(event)
    except EventError:
        return
    if isinstance(request, HttpRequest):
        _respond(request)
    elif isinstance(request, Batch):
        _answer(request)
    elif isinstance(request, Call):
        try:
            for picture in request.pictures:
                from_base64(picture)
            for upload in request.uploads:
                named_object(upload.ref.uri, frozenset({"photos"}))
        except (NotAllowedError, NotBase64Error):
            return
    else:
        json.dumps(build_job_response(request, _retried(request)))


def _respond(request: HttpRequest) -> None:
    response = respond(request, _CLASSIFIER, HttpPolicy())
    assert response.failure is None, response.failure
    event = response.as_event()
    assert event["statusCode"] in _STATUSES
    response.as_event(request.dialect)
    # The runtime sends it as UTF-8; a header has no line break.
    json.dumps(event, ensure_ascii=False).encode()
    assert not any(c in value for value in event["headers"].values() for c in "\r\n\0")


def _answer(batch: Batch) -> None:
    uploads = [upload for message in batch.messages for upload in message.uploads]
    sorted(uploads, key=order_of)
    try:
        json.dumps(build_batch_response(batch, _retried(batch)))
    except (EventError, RetryableError):
        return


def _retried(batch: Batch | BatchOperations) -> dict[Upload, Outcome]:
    return {
        upload: Outcome(upload.ref, UploadStatus.RETRY, reason="later")
        for message in batch.messages
        for upload in message.uploads
    }


def _event_seeds() -> Sequence[bytes]:
    return [file.read_bytes() for file in sorted(_RECORDED.glob("*.json"))]


def _form(data: bytes) -> None:
    """The first line is the Content-Type, the rest the body."""
    kind, _, body = data.partition(b"\n")
    try:
        for field in parse_form(body, kind.decode("latin-1")):
            assert isinstance(field.value, bytes)
    except FormError:
        return


def _form_seeds() -> Sequence[bytes]:
    head = b'Content-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    body = b"--xyz\r\n" + head + jpeg(size=(2, 2))[:200] + b"\r\n--xyz--\r\n"
    return [b"multipart/form-data; boundary=xyz\n" + body]


def _settings(data: bytes) -> None:
    choices = Choices(data)
    environment: dict[str, str] = {}
    while choices.left:
        environment[choices.pick(_SETTINGS)] = choices.text(40)
    try:
        read_config(environment)
    except UsageError:
        return


def _settings_seeds() -> Sequence[bytes]:
    values: dict[str, Any] = dict.fromkeys(_SETTINGS, "s3://b/c")
    values |= {
        "SEEFOOD_TOP_K": "3",
        "SEEFOOD_REMOVED": "keep",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    }
    pairs = ((_SETTINGS.index(name), value.encode()) for name, value in values.items())
    return [b"".join(bytes([at, len(value)]) + value for at, value in pairs)]


TARGETS: Final = (
    Target("event", _event, _event_seeds, 8192, is_json=True),
    Target("form", _form, _form_seeds),
    Target("settings", _settings, _settings_seeds, 512),
)
