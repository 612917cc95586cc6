"""A store that answers, but not as a store does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront
from tests.hard_days.command import check_complete, classify, rows_once
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
    "dates that are none": (
        _HEAD + _ONE.replace(b"2026-11-23T12", b"yesterday at twelve") + b"</ListBucketResult>",
        "is not a listing",
    ),
}


@contextmanager
def _store_of(body: bytes) -> Iterator[str]:
    """Serve `body` for whatever is asked, with the status 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 (as http.server calls them)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("kind", _PAGES)
def test_a_listing_that_is_none_is_refused(
    kind: str, s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, an error's exit code, and it comes to an end: nothing passes for all keys."""
    body, why = _PAGES[kind]
    del s3  # its environment is wanted only
    with _store_of(body) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        refused = classify("s3://b/in/", tmp_path / "out")
    assert refused.code in (1, 2)
    assert "" == refused.out
    assert why in refused.sentence()
    assert not list(tmp_path.rglob("part-*"))


def test_garbage_in_a_pictures_place_is_not_its_last_word(
    s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web page with the status 200 is no picture's content: the next run tries it again."""
    for number in range(20):
        s3.put(f"in/{number:02d}.jpg", jpeg((200, 10 * number, 30)))
    s3.put("in/odd//name.jpg", jpeg())
    place = f"{s3.uri}/out"
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        front.faults += [Fault("garbage", "in/07.jpg"), Fault("garbage", "in/odd//name.jpg")]
        assert 0 == classify(f"{s3.uri}/in/", place).code
        codes = [row.error_code for row in rows_once(place) if row.error_code]
        assert ["store_error"] * 2 == codes
        # Rows that a page only seems to take are not counted as written.
        front.faults.append(Fault("garbage", "/results/", "PUT", times=1_000_000))
        refused = classify(f"{s3.uri}/in/", place)
        assert (1, "") == (refused.code, refused.out)
        assert "cannot write" in refused.sentence()
        front.faults[:] = [Fault("garbage", "/results/", "PUT"), Fault("garbage", "list-type")]
        assert 0 == classify(f"{s3.uri}/in/", place).code
    check_complete(place, 21)
