"""PutEvents is signed as botocore signs it, sent again where that may help, and costs no row."""

import datetime as dt
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from seefood.errors import RetryableError
from seefood.records import utc_now
from seefood.results.files import read_rows
from seefood.storage.uris import parse_location
from seefood_lambda.event_bus import put_events, signed_headers
from seefood_lambda.result_events import announce
from seefood_lambda.result_writer import put_row
from tests.fakes import make_row


@pytest.mark.parametrize("token", ["", "a/token+="])
@pytest.mark.parametrize("url", ["https://events.eu-west-1.amazonaws.com", "http://127.0.0.1:9"])
def test_the_signature_is_botocores(url: str, token: str) -> None:
    """With and without a session token, at AWS and at a stand-in."""
    environ = {
        "AWS_ACCESS_KEY_ID": "AK",
        "AWS_SECRET_ACCESS_KEY": "s/k",
        "AWS_SESSION_TOKEN": token,
    }
    moment, body = dt.datetime.now(dt.UTC), b'{"Entries": []}'
    ours = signed_headers(url, "eu-west-1", body, environ, moment)
    sent = {name: ours[name] for name in ("content-type", "x-amz-target")}
    request = AWSRequest("POST", f"{url}/", sent, body)
    SigV4Auth(Credentials("AK", "s/k", token or None), "events", "eu-west-1").add_auth(request)
    theirs = signed_headers(
        url,
        "eu-west-1",
        body,
        environ,
        dt.datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%S%z"),
    )
    assert request.headers["Authorization"] == theirs["authorization"]


Answer = tuple[int, dict[str, object]]
_TAKEN: Answer = (200, {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
_BUSY: Answer = (400, {"__type": "com.amazon#ThrottlingException"})
_BROKEN: Answer = (500, {})
_DENIED: Answer = (400, {"__type": "AccessDeniedException"})
_FAILED: Answer = (200, {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})


@contextmanager
def _bus(environ: pytest.MonkeyPatch, answers: list[Answer]) -> Iterator[list[str]]:
    """Answer PutEvents in this order, and then reset; yield the URIs of the events."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.extend(json.loads(entry["Detail"])["uri"] for entry in body["Entries"])
            if not answers:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, document = answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as there)
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "AK",
            "AWS_SECRET_ACCESS_KEY": "SK",
            "AWS_REGION": "eu-west-1",
        }.items():
            environ.setenv(name, value)
        try:
            yield seen
        finally:
            server.shutdown()


_ENTRIES = [{"Detail": json.dumps({"uri": "a"})}]


@pytest.mark.parametrize("first", [_BUSY, _BROKEN], ids=["throttled", "failed"])
def test_what_may_pass_is_sent_again(monkeypatch: pytest.MonkeyPatch, first: Answer) -> None:
    """Within one delivery."""
    with _bus(monkeypatch, [first, _TAKEN]) as seen:
        assert 0 == put_events(_ENTRIES)["FailedEntryCount"]
    assert ["a", "a"] == seen


def test_a_refusal_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request, and AWS's name of the error."""
    with (
        _bus(monkeypatch, [_DENIED, _TAKEN]) as seen,
        pytest.raises(RetryableError, match="AccessDeniedException"),
    ):
        put_events(_ENTRIES)
    assert ["a"] == seen


@pytest.mark.parametrize("answer", [_DENIED, _FAILED], ids=["refused", "failed entry"])
def test_a_failed_event_neither_loses_nor_doubles_a_row(
    monkeypatch: pytest.MonkeyPatch, memory: str, answer: Answer
) -> None:
    """The next delivery sends the event of the row that is there, and the one after that none."""
    output = parse_location(memory)
    row = make_row("s3://b/1.jpg", classified_at=utc_now() - dt.timedelta(minutes=6))

    with _bus(monkeypatch, [answer, _TAKEN]) as seen:
        with pytest.raises(RetryableError):
            announce(row, put_row(row, output), output, "default")
        assert [row.uri] == [each.uri for each in read_rows(output)]
        again = make_row("s3://b/1.jpg", classified_at=utc_now())
        sent = [announce(again, put_row(again, output), output, "default") for _ in range(2)]

    assert [True, False] == sent
    assert [row.uri, row.uri] == seen
    assert [row.classified_at] == [each.classified_at for each in read_rows(output)]


def test_a_reset_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that never answers is told as such after the few tries of `SHORT_BACKOFF`."""
    with (
        _bus(monkeypatch, []) as seen,
        pytest.raises(RetryableError, match="cannot be reached"),
    ):
        put_events(_ENTRIES)
    assert 2 <= len(seen) <= 5
