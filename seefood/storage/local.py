"""Local files, through the operating system, which takes any name and is the fastest."""

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
"""The start of the names of half-written files: hidden, so that readers of results skip them."""


class LocalFiles:
    """The file system as a store; keys are absolute paths."""

    is_remote = False

    def list(self, prefix: str, max_depth: int | None = None) -> Iterator[ImageRef]:
        """See `Store.list`. Sorted by folder, without hidden files and linked folders.

        Folders are opened only if their paths begin with `prefix` and, with `max_depth`, have
        fewer slashes than that.
        """
        if os.path.isfile(prefix):  # noqa: PTH113 (keys hold surrogate escapes, paths of strings do)
            yield _ref(prefix, os.stat(prefix))  # noqa: PTH116
            return
        folder = prefix if os.path.isdir(prefix) else os.path.dirname(prefix)  # noqa: PTH112, PTH120

        def is_wanted(path: str) -> bool:
            return path.startswith(prefix) and (max_depth is None or path.count("/") < max_depth)

        for path, stat in _walk(folder, is_wanted):
            if path.startswith(prefix):
                yield _ref(path, stat)

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`. The entity tag is made of the modification time and the size."""
        path = parse_location(ref.uri).key
        with _errors_of_one_picture(), open(path, "rb", buffering=0) as stream:  # noqa: PTH123 (as above)
            data = stream.readall() if first_bytes is None else stream.read(first_bytes)
            tag = _etag(os.fstat(stream.fileno()))
        if ref.etag and tag != ref.etag:
            raise PictureError(ErrorCode.CHANGED, "the file was changed since it was listed")
        return data

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`."""
        path = parse_location(ref.uri).key
        with _errors_of_one_picture():
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
        """See `Store.write`: writes a temporary file in the same folder and renames it."""
        with _temporary(key, data) as temporary:
            temporary.replace(key)

    def create(self, key: str, data: bytes) -> bool:
        """See `Store.create`: writes a temporary file in the same folder and hard-links it."""
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
def _errors_of_one_picture() -> Iterator[None]:
    """Turn the operating system's exceptions into `PictureError`."""
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
    """Write `data` to a hidden file in the folder of `key`; delete it after the block."""
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
    """Yield the files of `folder` and of its wanted subfolders, sorted.

    Without hidden files, pipes and devices.
    """
    try:
        with os.scandir(folder) as entries:
            children = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError as error:
        raise UsageError(f"there is nothing at {folder}; check the path") from error
    except OSError as error:
        raise UsageError(
            f"cannot list {folder}: {error.strerror}; check its permissions"
        ) from error
    for entry in children:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if is_wanted(entry.path):
                yield from _walk(entry.path, is_wanted)
        elif (stat := _file_stat(entry)) is not None:
            yield entry.path, stat


def _file_stat(entry: "os.DirEntry[str]") -> os.stat_result | None:
    """Return the status of a file or of a broken link; None for anything else.

    A broken link gets a row that says that the file is gone.
    """
    try:
        stat = entry.stat()
    except OSError:
        try:
            stat = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # deleted since the folder was read
            return None
    return stat if S_ISREG(stat.st_mode) or S_ISLNK(stat.st_mode) else None


def _ref(path: str, stat: os.stat_result) -> ImageRef:
    return ImageRef(Location(FILE_ROOT, path).uri, _etag(stat), stat.st_size, None, stat.st_mtime)


def _etag(stat: os.stat_result) -> str:
    return f"{stat.st_mtime_ns:x}-{stat.st_size:x}"
