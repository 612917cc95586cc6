"""An environment in which a test sets what AWS's tools honour, before an S3 server that records."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.s3_client import S3Client
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.recording_front import Kind, RecordingFront

PLAIN, ODD = "in/a b.jpg", "in//odd.jpg"


@dataclass
class Place:
    """An environment with nothing but what a test sets: a home folder, fronts, variables."""

    bucket: Bucket
    home: Path
    patch: pytest.MonkeyPatch
    stack: ExitStack
    fronts: list[RecordingFront] = field(default_factory=list)

    def front(self, kind: Kind, certificate: str | None = None) -> RecordingFront:
        """Start a front before the S3 server."""
        front = RecordingFront(kind, self.bucket.endpoint, certificate)
        self.fronts.append(front)
        return self.stack.enter_context(front.running())

    def endpoint(self, kind: Kind) -> RecordingFront:
        """Start a front and name it in the environment."""
        front = self.front(kind)
        self.patch.setenv("AWS_ENDPOINT_URL_S3", front.url)
        return front

    def set(self, **variables: str) -> None:
        """Set variables of the environment."""
        for name, value in variables.items():
            self.patch.setenv(name, value)

    def without_keys(self) -> None:
        """Remove the key pair from the environment."""
        self.patch.delenv("AWS_ACCESS_KEY_ID")
        self.patch.delenv("AWS_SECRET_ACCESS_KEY")

    def write(self, name: str, text: str) -> Path:
        """Write a file below the home folder."""
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


def use(uri: str) -> None:
    """List, read, ask for, create, overwrite, tag and delete objects."""
    store = open_store(uri)
    refs = {parse_location(ref.uri).key: ref for ref in store.list("in/")}
    assert {PLAIN, ODD} == set(refs)
    assert (b"plain", b"odd") == (store.fetch(refs[PLAIN]), store.fetch(refs[ODD]))
    for key in (PLAIN, ODD):
        assert refs[key].etag == store.stat(ImageRef(refs[key].uri)).etag
    assert store.create("out/lease", b"1")
    assert not store.create("out/lease", b"2")
    store.write("out/lease", b"3")
    assert b"3" == store.read("out/lease")
    client = S3Client(uri.removeprefix("s3://"))
    client.put_tags("out/lease", {"seefood": "red"})
    assert {"seefood": "red"} == client.tags("out/lease")
    store.delete("out/lease")


def containers_key(place: Place, token: str = "", *, as_file: bool = True) -> RecordingFront:
    """Take the key pair from a container's service, which asks for `token`; return the service."""
    place.without_keys()
    service = place.front("credentials")
    place.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{service.url}/creds")
    if token and as_file:
        file = place.write("token", token)
        place.set(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(file))
    elif token:
        place.set(AWS_CONTAINER_AUTHORIZATION_TOKEN=token)
    return service
