from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from benchmarks.loopback_s3 import BUCKET, serve


@pytest.fixture
def store(tmp_path: Path) -> Iterator[S3Store]:
    """A bucket of 1,203 objects behind the stand-in."""
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
            secret_access_key="x",  # noqa: S106 (nobody checks it)
            region="us-east-1",
        )


def test_lists_in_pages_and_gives_bytes(store: S3Store) -> None:
    """The client that ours uses finds every object, in order, and reads what lies there."""
    paths = [meta["path"] for page in obstore.list(store) for meta in page]
    assert [f"deep er/{number:04}.bin" for number in range(1203)] == paths
    assert b"1202" == bytes(obstore.get(store, paths[-1]).bytes())


def test_absent_objects_are_absent(store: S3Store) -> None:
    """A key that is not there is S3's 404."""
    with pytest.raises(FileNotFoundError):
        obstore.get(store, "nothing.bin")
