"""A store whose responses are garbage."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront
from tests.hard_days.command import check_complete, classify, fill_bucket, rows_once
from tests.pictures import jpeg

pytestmark = pytest.mark.beam

_HEAD = (
    b'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Name>b</Name><EncodingType>url</EncodingType>"
)
_ONE = (
    b"<Contents><Key>in/a.jpg</Key><LastModified>2026-11-23T12:00:00.000Z</LastModified>"
    b"<ETag>&quot;x&quot;</ETag><Size>9</Size></Contents>"
)
_PAGES = {
    "a web page": (b"<html><body>Please log in</body></html>", "is not a listing"),
    "half a listing": (_HEAD + _ONE, "is not a listing"),
    "bytes": (bytes(range(256)) * 40, "is not a listing"),
    "an endless listing": (
        _HEAD + b"<IsTruncated>true</IsTruncated>" + _ONE + b"</ListBucketResult>",
        "has no new key",
    ),
    "invalid dates": (
        _HEAD + _ONE.replace(b"2026-11-23T12", b"yesterday at twelve") + b"</ListBucketResult>",
        "is not a listing",
    ),
}


@contextmanager
def _store_of(body: bytes) -> Iterator[str]:
    """Respond to every request with `body` and status 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 (as http.server calls them)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("kind", _PAGES)
def test_an_invalid_listing_is_refused(
    kind: str, s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends with an error and one message; it never takes such a listing for complete."""
    body, why = _PAGES[kind]
    del s3  # only its environment variables are used
    with _store_of(body) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        refused = classify("s3://b/in/", tmp_path / "out")
    assert refused.code in (1, 2)
    assert "" == refused.out
    assert why in refused.message()
    assert not list(tmp_path.rglob("part-*"))


def test_garbage_instead_of_a_picture_is_retried(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web page with status 200 is a store error, which the next run retries."""
    source = fill_bucket(s3, 20)
    s3.put("in/odd//name.jpg", jpeg())
    output = f"{s3.uri}/out"
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        front.faults += [Fault("garbage", "in/007.jpg"), Fault("garbage", "in/odd//name.jpg")]
        assert 0 == classify(source, output).code
        codes = [row.error_code for row in rows_once(output) if row.error_code]
        assert ["store_error"] * 2 == codes
        # A web page in response to a PUT does not count as written.
        front.faults.append(Fault("garbage", "/results/", "PUT", times=1_000_000))
        refused = classify(source, output)
        assert (1, "") == (refused.code, refused.out)
        assert "cannot write" in refused.message()
        front.faults[:] = [Fault("garbage", "/results/", "PUT"), Fault("garbage", "list-type")]
        assert 0 == classify(source, output).code
    check_complete(output, 21)
