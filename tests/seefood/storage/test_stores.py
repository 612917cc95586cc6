"""Stores: files, memory and S3 behind one protocol."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from obstore import exceptions

from seefood.errors import ErrorCode, JobError, PictureError, UsageError
from seefood.records import ImageRef
from seefood.storage import fetch, open_store, read, write
from seefood.storage.obstore_errors import TRANSLATIONS, picture_error
from seefood.storage.uris import FILE_ROOT, Location, parse_location
from tests.conftest import Bucket

NAMES = [
    "a b.jpg",
    "a+b.jpg",
    "100% beef.jpg",
    "50%20off.jpg",
    "donut #3?.jpg",
    "ünï/ホット🌭.jpg",
    "{x}^`<>\"'.jpg",
    "~tilde.jpg",
    "back\\slash.jpg",
    "a&b=c;d,e.jpg",
]
Root = Callable[[], str]
_UNPRIVILEGED_USER = 65534


@pytest.fixture(params=["file", "memory", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path, memory: str) -> str:
    """The root of one kind of store, as a URI without a slash at its end."""
    if request.param == "file":
        return f"file://{tmp_path}/pictures"
    if request.param == "memory":
        return memory
    bucket: Bucket = request.getfixturevalue("s3")
    return bucket.uri


def _put(root: str, name: str, data: bytes) -> Location:
    location = parse_location(root).child(name)
    write(location, data)
    return location


def _list(root: str) -> list[ImageRef]:
    location = parse_location(root)
    return list(open_store(location.root).list(location.key))


def _code(ref: ImageRef) -> ErrorCode:
    with pytest.raises(PictureError) as caught:
        fetch(ref)
    return caught.value.code


def test_names_survive(root: str) -> None:
    """An object is listed and read under the name it was written to."""
    for name in NAMES:
        _put(root, name, name.encode())
    refs = _list(root)
    assert sorted(parse_location(root).child(name).uri for name in NAMES) == sorted(
        ref.uri for ref in refs
    )
    for ref in refs:
        data = fetch(ref)
        assert ref.size_bytes == len(data)
        assert parse_location(ref.uri).key.endswith(data.decode())


def test_writing_overwrites_and_deleting_twice_is_no_error(root: str) -> None:
    """Writes and deletions may be repeated."""
    location = _put(root, "x", b"one")
    write(location, b"two")
    assert b"two" == read(location)
    store = open_store(location.root)
    store.delete(location.key)
    store.delete(location.key)
    with pytest.raises(FileNotFoundError):
        read(location)


def test_one_of_several_creators_wins(root: str) -> None:
    """`create` never overwrites, and returns whether it wrote."""
    location = parse_location(root).child("lease")
    store = open_store(location.root)
    assert [True, False] == [store.create(location.key, name) for name in (b"me", b"you")]
    assert b"me" == read(location)


def test_a_replaced_object_is_changed(root: str) -> None:
    """An object that was replaced since it was listed is not read."""
    location = _put(root, "a.jpg", b"old content")
    (ref,) = _list(root)
    write(location, b"new")
    assert ErrorCode.CHANGED == _code(ref)
    (again,) = _list(root)
    assert again.etag != ref.etag
    assert b"new" == fetch(again)


def test_a_vanished_object_is_not_found(root: str) -> None:
    """An object that was deleted since it was listed has its own error code."""
    location = _put(root, "a.jpg", b"x")
    (ref,) = _list(root)
    open_store(location.root).delete(location.key)
    assert ErrorCode.NOT_FOUND == _code(ref)


def test_a_reference_without_etag_reads_the_current_content(root: str) -> None:
    """As for references from a list of names."""
    _put(root, "a.jpg", b"x")
    (ref,) = _list(root)
    assert b"x" == fetch(replace(ref, etag=""))


def test_a_prefix_is_text_in_object_stores(s3: Bucket) -> None:
    """In a bucket a prefix matches in the middle of a name; a slash makes it a folder."""
    for key in ("photos", "photos/a.jpg", "photos2/b.jpg", "pho.jpg", "z.jpg"):
        s3.put(key, b"x")

    def keys(prefix: str) -> list[str]:
        refs = open_store(s3.uri).list(prefix)
        return [ref.uri.removeprefix(f"{s3.uri}/") for ref in refs]

    assert ["photos/a.jpg"] == keys("photos/")
    assert ["photos", "photos/a.jpg", "photos2/b.jpg"] == sorted(keys("photos"))
    assert ["pho.jpg", "photos", "photos/a.jpg", "photos2/b.jpg"] == sorted(keys("pho"))
    assert [] == keys("nothing/")


def test_an_absent_bucket_is_reported(s3: Bucket) -> None:
    """A wrong bucket name is a usage error when listing and a job error when writing."""
    with pytest.raises(UsageError, match="there is no such bucket"):
        list(open_store(f"{s3.uri}-absent").list(""))
    with pytest.raises(JobError, match=f"cannot write {s3.uri}-absent/x"):
        open_store(f"{s3.uri}-absent").write("x", b"")


def test_the_etag_is_the_stores_own(s3: Bucket) -> None:
    """A row has the etag that every other tool shows, without quotes."""
    etag = s3.put("a.jpg", b"x")
    (ref,) = _list(s3.uri)
    assert (etag, 1) == (ref.etag, ref.size_bytes)


_EXPECTED = {
    "NotFoundError": ErrorCode.NOT_FOUND,
    "NotModifiedError": ErrorCode.CHANGED,
    "PreconditionError": ErrorCode.CHANGED,
    "PermissionDeniedError": ErrorCode.FORBIDDEN,
    "UnauthenticatedError": ErrorCode.FORBIDDEN,
    "InvalidPathError": ErrorCode.UNSUPPORTED_NAME,
}


@pytest.mark.parametrize("name", sorted(vars(exceptions)["__all__"]))
def test_every_exception_of_obstore_is_translated(name: str) -> None:
    """Each of obstore's exceptions has an entry of its own; a new one fails this test."""
    kind: type[Exception] = getattr(exceptions, name)
    assert kind in TRANSLATIONS
    error = picture_error(kind("the details"))
    assert _EXPECTED.get(name, ErrorCode.STORE_ERROR) == error.code
    if error.code is ErrorCode.STORE_ERROR:
        assert "the details" in str(error)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError("gone"), ErrorCode.NOT_FOUND),
        (ValueError("bad path"), ErrorCode.UNSUPPORTED_NAME),
        (TimeoutError("slow"), ErrorCode.STORE_ERROR),
        (RuntimeError("what?"), ErrorCode.STORE_ERROR),
    ],
)
def test_pythons_own_exceptions_have_a_code(error: Exception, code: ErrorCode) -> None:
    """Any other exception is translated as well."""
    assert code == picture_error(error).code


def test_messages_hold_no_signature() -> None:
    """A presigned URL in obstore's message loses its query, because rows are shared."""
    error = picture_error(
        OSError("GET https://b.s3/k?X-Amz-Signature=secret failed\n\nDebug source:")
    )
    assert "secret" not in str(error)
    assert "https://b.s3/k failed" in str(error)


def test_hidden_files_links_and_devices(tmp_path: Path) -> None:
    """Hidden files, linked folders, pipes and links to them are skipped; nothing blocks."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    (tmp_path / ".hidden.jpg").write_bytes(b"x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.jpg").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.jpg").write_bytes(b"x")
    (tmp_path / "linked folder").symlink_to(tmp_path / "folder")
    (tmp_path / "linked.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "nowhere.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "linked pipe.jpg").symlink_to(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    refs = {Path(parse_location(ref.uri).key).name: ref for ref in _list(str(tmp_path))}
    assert ["a.jpg", "b.jpg", "linked.jpg", "loop.jpg", "nowhere.jpg"] == sorted(refs)
    assert b"x" == fetch(refs["linked.jpg"])
    assert ErrorCode.NOT_FOUND == _code(refs["nowhere.jpg"])
    assert ErrorCode.STORE_ERROR == _code(refs["loop.jpg"])


@pytest.mark.parametrize("name", ["pipe.jpg", "zero.jpg", "folder"])
def test_a_manifest_may_name_what_is_no_file(tmp_path: Path, name: str) -> None:
    """Reading it fails at once: a pipe would block for ever, and a device has no end."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    ref = ImageRef((tmp_path / name).as_uri())
    with pytest.raises(PictureError, match="it is a folder, a pipe or a device"):
        fetch(ref)
    with pytest.raises(PictureError, match="it is a folder, a pipe or a device"):
        open_store(FILE_ROOT).fetch_range(ref, 0, 9)


def test_listing_is_sorted(tmp_path: Path) -> None:
    """Files come in the order of their folders, independent of the file system."""
    for name in ("b/2.jpg", "b/1.jpg", "a.jpg", "c.jpg", "b/a/0.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    names = [ref.uri.removeprefix(f"file://{tmp_path}/") for ref in _list(str(tmp_path))]
    assert ["a.jpg", "b/1.jpg", "b/2.jpg", "b/a/0.jpg", "c.jpg"] == names


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    """A file whose name is any bytes has a URI and is read by it."""
    with open(os.fsencode(tmp_path) + b"/caf\xe9 \xff.jpg", "wb") as stream:  # noqa: PTH123
        stream.write(b"x")
    (ref,) = _list(str(tmp_path))
    assert f"file://{tmp_path}/caf%E9%20%FF.jpg" == ref.uri
    assert b"x" == fetch(ref)


def test_a_file_that_became_a_folder(tmp_path: Path) -> None:
    """An error of the operating system becomes a row."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    (ref,) = _list(str(tmp_path))
    (tmp_path / "a.jpg").unlink()
    (tmp_path / "a.jpg").mkdir()
    assert ErrorCode.STORE_ERROR == _code(ref)


@contextmanager
def _as_a_mere_user() -> Iterator[None]:
    """Drop root's permission to read everything while the block runs."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(_UNPRIVILEGED_USER)
    try:
        yield
    finally:
        os.seteuid(before)


def test_an_unreadable_file_is_forbidden(tmp_path: Path) -> None:
    """A file that this user may not read has its own error code."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    (ref,) = _list(str(tmp_path))
    (tmp_path / "a.jpg").chmod(0)
    with _as_a_mere_user():
        assert ErrorCode.FORBIDDEN == _code(ref)


def test_a_failed_write_is_explained(tmp_path: Path) -> None:
    """The message says where, why, and what to do."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(JobError, match=r"cannot write .*/file/x: .*; free space or choose another"):
        open_store(FILE_ROOT).write(str(tmp_path / "file" / "x"), b"")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """A failed write leaves no temporary file."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(JobError):
        open_store(FILE_ROOT).write(str(tmp_path / "taken"), b"data")
    assert ["taken"] == [path.name for path in tmp_path.iterdir()]
