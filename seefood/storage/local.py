"""Files of this machine. The operating system's own calls take any name and cost the least."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from stat import S_ISLNK, S_ISREG
from typing import Final

from seefood.errors import ErrorCode, JobError, PictureError, UsageError
from seefood.records import ImageRef
from seefood.storage.uris import FILE_ROOT, Location, parse_location

TEMPORARY: Final = ".seefood-tmp-"
"""How the names of half-written files begin: hidden, so that no reader of results sees one."""


class LocalFiles:
    """The file system as a store; keys are absolute paths."""

    is_remote = False

    def list(self, prefix: str, deepest: int | None = None) -> Iterator[ImageRef]:
        """See `Store.list`. Sorted by folder; hidden files and linked folders are passed over.

        Folders that cannot hold what is wanted are not opened: those whose paths do not begin with
        `prefix`, and those with `deepest` slashes in their paths or more.
        """
        if os.path.isfile(prefix):  # noqa: PTH113 (keys hold surrogate escapes, paths of strings do)
            yield _ref(prefix, os.stat(prefix))  # noqa: PTH116
            return
        folder = prefix if os.path.isdir(prefix) else os.path.dirname(prefix)  # noqa: PTH112, PTH120

        def is_wanted(path: str) -> bool:
            return path.startswith(prefix) and (deepest is None or path.count("/") < deepest)

        for path, stat in _walk(folder, is_wanted):
            if path.startswith(prefix):
                yield _ref(path, stat)

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`. The entity tag is the time of change and the size."""
        path = parse_location(ref.uri).key
        with _reading(), open(path, "rb", buffering=0) as stream:  # noqa: PTH123 (as above)
            data = stream.readall() if first_bytes is None else stream.read(first_bytes)
            tag = _etag(os.fstat(stream.fileno()))
        if ref.etag and tag != ref.etag:
            raise PictureError(ErrorCode.CHANGED, "the file was changed since it was listed")
        return data

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`."""
        path = parse_location(ref.uri).key
        with _reading():
            return _ref(path, os.stat(path))  # noqa: PTH116 (as above)

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
        with _temporary(key, data) as temporary:
            temporary.replace(key)

    def create(self, key: str, data: bytes) -> bool:
        """See `Store.create`: a temporary file beside it, linked to the name if that is free."""
        with _temporary(key, data) as temporary:
            try:
                Path(key).hardlink_to(temporary)
            except FileExistsError:
                return False
        return True

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        try:
            Path(key).unlink(missing_ok=True)
        except OSError as error:
            raise JobError(f"cannot delete {key}: {error.strerror}") from error


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what the operating system raises for one picture into its `PictureError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise PictureError(ErrorCode.NOT_FOUND, "the file is gone since it was listed") from error
    except PermissionError as error:
        raise PictureError(ErrorCode.FORBIDDEN, "this user may not read the file") from error
    except (OSError, ValueError) as error:
        raise PictureError(ErrorCode.STORE_ERROR, f"cannot read the file: {error}") from error


@contextmanager
def _temporary(key: str, data: bytes) -> Iterator[Path]:
    """Write `data` to a hidden file beside `key`, for the block to give it its name."""
    path = Path(key)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise JobError(
            f"cannot write {key}: {error.strerror}; free space or choose another output, then "
            "run the same command again"
        ) from error


def _walk(folder: str, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files of `folder` and of the wanted ones in it, sorted, without hidden ones.

    No pipes, no devices.
    """
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
            if is_wanted(entry.path):
                yield from _walk(entry.path, is_wanted)
        elif (stat := _file_stat(entry)) is not None:
            yield entry.path, stat


def _file_stat(entry: "os.DirEntry[str]") -> os.stat_result | None:
    """Return the state of a file or of a link to nowhere, whose row will say that it is gone."""
    try:
        found = entry.stat()
    except OSError:
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # deleted since the folder was read
            return None
    return found if S_ISREG(found.st_mode) or S_ISLNK(found.st_mode) else None


def _ref(path: str, stat: os.stat_result) -> ImageRef:
    return ImageRef(Location(FILE_ROOT, path).uri, _etag(stat), stat.st_size, None, stat.st_mtime)


def _etag(stat: os.stat_result) -> str:
    return f"{stat.st_mtime_ns:x}-{stat.st_size:x}"
