from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from benchmarks.loopback_s3 import BUCKET, serve


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Store]:
    """A bucket of 1,203 objects behind the fake server."""
    folder = tmp_path / "objects"
    (folder / "deep er").mkdir(parents=True)
    for number in range(1203):
        (folder / "deep er" / f"{number:04}.bin").write_bytes(b"%d" % number)
    with serve(folder, 0.01) as environment:
        yield S3Store(
            BUCKET,
            endpoint=environment["AWS_ENDPOINT_URL"],
            client_options={"allow_http": True},
            access_key_id="x",
            secret_access_key="x",
            region="us-east-1",
        )


def test_lists_in_pages_and_returns_bytes(store: S3Store) -> None:
    """A client lists every object, in order, and reads its content."""
    paths = [meta["path"] for page in obstore.list(store) for meta in page]
    assert [f"deep er/{number:04}.bin" for number in range(1203)] == paths
    assert b"1202" == bytes(obstore.get(store, paths[-1]).bytes())


def test_missing_objects_are_not_found(store: S3Store) -> None:
    """The server responds 404 to a missing key."""
    with pytest.raises(FileNotFoundError):
        obstore.get(store, "nothing.bin")
