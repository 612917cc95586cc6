"""Files of this machine. The operating system's own calls take any name and cost the least."""

import os
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Final

from seefood.errors import ErrorCode, JobError, PictureError, UsageError
from seefood.records import ImageRef
from seefood.uris import FILE_ROOT, Location, parse_location

TEMPORARY: Final = ".seefood-tmp-"
"""How the names of half-written files begin: hidden, so that no reader of results sees one."""


class LocalFiles:
    """The file system as a store; keys are absolute paths."""

    is_remote = False

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. Sorted by folder; hidden files and linked folders are passed over."""
        if os.path.isfile(prefix):  # noqa: PTH113 (keys hold surrogate escapes, paths of strings do)
            yield _ref(prefix, os.stat(prefix))  # noqa: PTH116
            return
        folder = prefix if os.path.isdir(prefix) else os.path.dirname(prefix)  # noqa: PTH112, PTH120
        for path, stat in _walk(folder):
            if path.startswith(prefix):
                yield _ref(path, stat)

    def fetch(self, ref: ImageRef) -> bytes:
        """See `Store.fetch`. The entity tag is the time of change and the size."""
        path = parse_location(ref.uri).key
        try:
            with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 (as above)
                data = stream.readall()
                tag = _etag(os.fstat(stream.fileno()))
        except FileNotFoundError as error:
            raise PictureError(
                ErrorCode.NOT_FOUND, "the file is gone since it was listed"
            ) from error
        except PermissionError as error:
            raise PictureError(ErrorCode.FORBIDDEN, "this user may not read the file") from error
        except (OSError, ValueError) as error:
            raise PictureError(ErrorCode.STORE_ERROR, f"cannot read the file: {error}") from error
        if ref.etag and tag != ref.etag:
            raise PictureError(ErrorCode.CHANGED, "the file was changed since it was listed")
        return data

    def read(self, key: str) -> bytes:
        """See `Store.read`."""
        try:
            return Path(key).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise JobError(f"cannot read {key}: {error.strerror}") from error

    def write(self, key: str, data: bytes) -> None:
        """See `Store.write`: a temporary file beside it, renamed."""
        path = Path(key)
        temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{token_hex(6)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(data)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise JobError(
                f"cannot write {key}: {error.strerror}; free space or choose another output, then "
                "run the same command again"
            ) from error

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        try:
            Path(key).unlink(missing_ok=True)
        except OSError as error:
            raise JobError(f"cannot delete {key}: {error.strerror}") from error


def _walk(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files below `folder`, sorted, without hidden ones."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError as error:
        raise UsageError(f"there is nothing at {folder}; check the path") from error
    except OSError as error:
        raise UsageError(
            f"cannot list {folder}: {error.strerror}; check its permissions"
        ) from error
    for entry in found:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif entry.is_file() or entry.is_symlink():
            try:
                yield entry.path, entry.stat()
            except OSError:  # a link to nowhere: listed, and its row will say that it is gone
                yield entry.path, entry.stat(follow_symlinks=False)


def _ref(path: str, stat: os.stat_result) -> ImageRef:
    return ImageRef(Location(FILE_ROOT, path).uri, _etag(stat), stat.st_size)


def _etag(stat: os.stat_result) -> str:
    return f"{stat.st_mtime_ns:x}-{stat.st_size:x}"
