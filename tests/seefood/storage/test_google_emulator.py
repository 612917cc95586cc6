"""Refusals of Google's emulator have the sentences of every other store."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from obstore.store import MemoryStore

from seefood.errors import JobError
from seefood.storage.google_emulator import EmulatorStore


class _Refusing(BaseHTTPRequestHandler):
    """Answers each upload with the status that its key is."""

    def do_POST(self) -> None:
        """Respond."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(self.path.partition("name=")[2][:3]))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Print nothing."""


@pytest.fixture
def store() -> Iterator[EmulatorStore]:
    """A bucket that takes nothing."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield EmulatorStore("gs://photos", MemoryStore(), f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "words"), [("403", "credentials may not write"), ("404", "no such bucket")]
)
def test_a_refusal_says_why(store: EmulatorStore, status: str, words: str) -> None:
    """A forbidden bucket, and one that is not there."""
    with pytest.raises(JobError, match=words):
        store.write(status, b"x")


def test_an_object_that_is_there_is_not_created(store: EmulatorStore) -> None:
    """`create` says so."""
    assert not store.create("412", b"x")
