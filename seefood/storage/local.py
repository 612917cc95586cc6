"""Local files, through the operating system, which takes any name and is the fastest."""

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EINVAL, ENOSPC
from pathlib import Path
from secrets import token_hex
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import Final

from seefood.errors import ErrorCode, JobError, PictureError, UsageError
from seefood.records import ImageRef, ListingNote
from seefood.storage.uris import FILE_ROOT, Location, parse_location

TEMPORARY: Final = ".seefood-tmp-"
"""The start of the names of half-written files: hidden, so that readers of results skip them."""


class LocalFiles:
    """The file system as a store; keys are absolute paths."""

    is_remote = False
    is_sequential = False

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. Sorted by folder, without hidden files and linked folders.

        Raises `UsageError` also for a subfolder that may not be listed.
        """
        for item in self.walk(prefix):
            if isinstance(item, ImageRef):
                yield item
            elif item.is_loss:
                path = parse_location(item.uri).key
                if os.path.lexists(path):
                    raise UsageError(f"cannot list {path}: {item.text}; check its permissions")

    def walk(self, prefix: str, max_depth: int | None = None) -> Iterator[ImageRef | ListingNote]:
        """Yield what `list` does, and a note for each subfolder that cannot be listed.

        Folders are opened only if their paths begin with `prefix` and, with `max_depth`, have
        fewer slashes than that. Raises `UsageError` if the first folder cannot be listed.
        """
        if os.path.isfile(prefix):  # noqa: PTH113 (keys hold surrogate escapes, paths of strings do)
            yield _ref(prefix, os.stat(prefix))  # noqa: PTH116
            return
        folder = prefix if os.path.isdir(prefix) else os.path.dirname(prefix)  # noqa: PTH112, PTH120

        def is_wanted(path: str) -> bool:
            return path.startswith(prefix) and (max_depth is None or path.count("/") < max_depth)

        for item in _walk(folder, is_wanted):
            if isinstance(item, ListingNote):
                yield item
            elif item[0].startswith(prefix):
                yield _ref(*item)

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`. The entity tag is made of the modification time and the size."""
        path = parse_location(ref.uri).key
        with _errors_of_one_picture(), _opened(path) as stream:
            data = stream.readall() if first_bytes is None else stream.read(first_bytes)
            tag = _etag(os.fstat(stream.fileno()))
        if ref.etag and tag != ref.etag:
            raise PictureError(ErrorCode.CHANGED, "the file was changed since it was listed")
        return data

    def fetch_range(self, ref: ImageRef, start: int, end: int) -> bytes:
        """See `Store.fetch_range`."""
        path = parse_location(ref.uri).key
        with _errors_of_one_picture(), _opened(path) as stream:
            tag = _etag(os.fstat(stream.fileno()))
            data = os.pread(stream.fileno(), end - start, start)
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
        except IsADirectoryError as error:
            raise UsageError(f"{key} is a folder; give a file") from error
        except OSError as error:
            raise JobError(f"cannot read {key}: {error.strerror}") from error

    def write(self, key: str, data: bytes) -> None:
        """See `Store.write`: writes a temporary file in the same folder and renames it."""
        with _temporary(key, data) as temporary:
            temporary.replace(key)

    def create(self, key: str, data: bytes) -> bool:
        """See `Store.create`: writes a temporary file in the same folder and hard-links it.

        On a file system without hard links (exFAT, SMB, many FUSE ones) the file is created
        exclusively and then written: a reader may see it empty for an instant.
        """
        with _temporary(key, data) as temporary:
            try:
                Path(key).hardlink_to(temporary)
            except FileExistsError:
                return False
            except OSError:
                return _create_exclusively(key, data)
        return True

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        try:
            Path(key).unlink(missing_ok=True)
        except OSError as error:
            raise JobError(f"cannot delete {key}: {error.strerror}") from error


def cache_folder() -> Path:
    """Return this user's folder for caches; a user without a home has one among temporary files."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # neither HOME nor an entry in the system's list of users
        folder = Path(tempfile.gettempdir(), f"seefood-cache-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise UsageError(
            f"{folder} belongs to another user; set XDG_CACHE_HOME to a folder of your own"
        )
    return folder


def _opened(path: str) -> io.FileIO:
    """Open a regular file for reading; a pipe or a device would block for ever."""
    return open(path, "rb", buffering=0, opener=_regular)


def _regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(EINVAL, "it is a folder, a pipe or a device")
    return descriptor


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
        reason = getattr(error, "strerror", None) or error
        raise PictureError(ErrorCode.STORE_ERROR, f"cannot read the file: {reason}") from error


def _create_exclusively(key: str, data: bytes) -> bool:
    try:
        descriptor = os.open(key, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as stream:
            if stream.write(data) != len(data):
                raise OSError(ENOSPC, "the file system took only a part of it")
    except OSError:
        Path(key).unlink(missing_ok=True)
        raise
    return True


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Yield the path of a hidden file in the folder of `path`; delete that file after the block."""
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{token_hex(6)}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _temporary(key: str, data: bytes) -> Iterator[Path]:
    """Write `data` to a hidden file in the folder of `key`; delete it after the block."""
    try:
        Path(key).parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(Path(key)) as temporary:
            temporary.write_bytes(data)
            yield temporary
    except OSError as error:
        raise JobError(
            f"cannot write {key}: {error.strerror}; free space or choose another output, then "
            "run the same command again"
        ) from error


def _walk(
    root: str, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, os.stat_result | None] | ListingNote]:
    """Yield the files of `root` and of its wanted subfolders, sorted by folder.

    Without hidden files, pipes and devices. The status is None where it may not be read. Folders
    are kept on a list of its own, because their depth may exceed Python's recursion limit. Raises
    `UsageError` if `root` cannot be listed; a subfolder that cannot be listed is a note.
    """
    children, failure = _children(root)
    if isinstance(failure, FileNotFoundError):
        raise UsageError(f"there is nothing at {root}; check the path") from failure
    if failure is not None and not children:
        raise UsageError(
            f"cannot list {root}: {failure.strerror}; check its permissions"
        ) from failure
    if failure is not None:
        yield _loss(root, failure)
    open_folders = [iter(children)]
    while open_folders:
        entry = next(open_folders[-1], None)
        if entry is None:
            open_folders.pop()
        elif entry.name.startswith("."):
            continue
        elif _is_folder(entry):
            if is_wanted(entry.path):
                children, failure = _children(entry.path)
                if failure is not None:
                    yield _loss(entry.path, failure)
                open_folders.append(iter(children))
        else:
            yield from _file(entry)


def _children(folder: str) -> tuple[list["os.DirEntry[str]"], OSError | None]:
    """Return what can be read of a folder, sorted, and why that is not all."""
    children: list[os.DirEntry[str]] = []
    failure = None
    try:
        with os.scandir(folder) as entries:
            children.extend(entries)
    except OSError as error:
        failure = error
    return sorted(children, key=lambda entry: entry.name), failure


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _file(
    entry: "os.DirEntry[str]",
) -> Iterator[tuple[str, os.stat_result | None] | ListingNote]:
    """Yield a file with its status, a broken link with its own, a linked folder as a note.

    A broken link and a file without a status get a row that says what is wrong with them.
    """
    try:
        stat = entry.stat()
    except OSError:
        try:
            stat = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # deleted since the folder was read
            return
        except OSError:
            yield entry.path, None
            return
    if S_ISREG(stat.st_mode) or S_ISLNK(stat.st_mode):
        yield entry.path, stat
    elif S_ISDIR(stat.st_mode):
        uri = Location(FILE_ROOT, entry.path).uri
        text = "a link to a folder is not followed; name the folder as a source of its own"
        yield ListingNote(uri, text, is_loss=False)


def _loss(folder: str, error: OSError) -> ListingNote:
    return ListingNote(Location(FILE_ROOT, folder).uri, error.strerror or str(error))


def _ref(path: str, stat: os.stat_result | None) -> ImageRef:
    uri = Location(FILE_ROOT, path).uri
    if stat is None:
        return ImageRef(uri)
    return ImageRef(uri, _etag(stat), stat.st_size, None, stat.st_mtime)


def _etag(stat: os.stat_result) -> str:
    return f"{stat.st_mtime_ns:x}-{stat.st_size:x}"
