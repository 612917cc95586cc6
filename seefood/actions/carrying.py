"""Copies and moves objects between places so that no moment of a kill or a power cut loses one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from seefood.errors import JobError, SeefoodError
from seefood.records import ImageRef
from seefood.storage import current_etag, fetch, open_store
from seefood.storage.s3_store import is_expressible
from seefood.storage.uris import Location, parse_location

if TYPE_CHECKING:
    from seefood.storage.s3_client import S3Client


class Outcome(StrEnum):
    """What became of a step."""

    DONE = "done"
    """It was taken now or before."""
    CHANGED = "changed"
    """Something else is there than the step expects; nothing was touched."""


def carry(source: str, etag: str, target: str, *, keep: bool) -> Outcome:
    """Copy an object to where nothing is, or where it is already; delete the source at last."""
    found = current_etag(source)
    if found is None:
        is_moved = not keep and current_etag(target) is not None
        return Outcome.DONE if is_moved else Outcome.CHANGED
    if found != etag:
        return Outcome.CHANGED
    is_new = current_etag(target) is None and _create(source, etag, target, keep=keep)
    if is_new and keep:
        return Outcome.DONE
    if not are_equal(source, target, etag):
        return Outcome.CHANGED
    if not keep:
        return delete_one(source, target)
    return Outcome.DONE


def _create(source: str, etag: str, target: str, *, keep: bool) -> bool:
    """Create the target; of a local file with its time of modification."""
    one, other = parse_location(source), parse_location(target)
    both_local = one.is_local and other.is_local
    if both_local and not keep:
        path = Path(other.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(one.key, path, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError:  # another file system, or one without hard links
            pass
        else:
            return True
    data = fetch(ImageRef(source, etag))
    if source.startswith("s3://") and target.startswith("s3://") and not one.is_member:
        return _create_object(one, other, data, with_tags=not keep)
    created = open_store(other.root).create(other.key, data)
    if created and both_local:
        status = Path(one.key).stat()
        os.utime(other.key, ns=(status.st_atime_ns, status.st_mtime_ns))
    return created


def _create_object(source: Location, target: Location, data: bytes, *, with_tags: bool) -> bool:
    """Create an object of S3 with the metadata of another, and with its tags."""
    tags = object_tags(source.uri) if with_tags else {}
    with s3_errors(f"copy {source.uri} to {target.uri}"):
        metadata = s3_client(source).metadata(source.key)
        return s3_client(target).create(target.key, data, metadata, tags)


def are_equal(source: str, target: str, etag: str = "") -> bool:
    """Whether two objects have the same content; `etag` is what the first one must have."""
    one, other = parse_location(source), parse_location(target)
    if one.is_local and other.is_local and Path(one.key).samefile(other.key):
        return True
    return fetch(ImageRef(source, etag)) == fetch(ImageRef(target))


def delete_one(uri: str, other: str) -> Outcome:
    """Delete one of two equal objects, if that leaves the other, and on the disk."""
    one, kept = parse_location(uri), parse_location(other)
    is_same = one.is_local and kept.is_local and Path(one.key).samefile(kept.key)
    if is_same and (
        os.path.realpath(one.key) == os.path.realpath(kept.key)  # by a link
        or Path(one.key).stat().st_nlink < 2  # on a file system that ignores case
    ):
        return Outcome.CHANGED
    if kept.is_local and not is_same:  # a power cut must not leave neither
        with open(kept.key, "rb") as stream:  # noqa: PTH123 (keys hold surrogate escapes)
            os.fsync(stream.fileno())
    open_store(one.root).delete(one.key)
    return Outcome.DONE


def object_tags(uri: str) -> dict[str, str]:
    """Return the tags of an S3 object. Raises `JobError`."""
    location = parse_location(uri)
    with s3_errors(f"read the tags of {uri}"):
        return s3_client(location).tags(location.key)


def s3_client(location: Location) -> "S3Client":
    """Return the client of the bucket of an object."""
    from seefood.storage.s3_client import S3Client  # noqa: PLC0415 (botocore)

    return S3Client(location.root.removeprefix("s3://"))


@contextmanager
def s3_errors(action: str) -> Iterator[None]:
    """Turn what S3 refuses into a `JobError`: "cannot `action`"."""
    from seefood.storage.s3_responses import S3Error  # noqa: PLC0415

    try:
        yield
    except (S3Error, OSError) as error:
        raise JobError(f"cannot {action}: {error}; run it again") from error


def refuse_inexpressible(uri: str) -> None:
    """Raise `SeefoodError` for an object that no client can delete."""
    location = parse_location(uri)
    if not location.is_local and not is_expressible(location.key):
        raise SeefoodError(f"{uri} has a name that cannot be deleted safely; copy it instead")
