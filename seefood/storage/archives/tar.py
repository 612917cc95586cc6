"""Lists the members of a tar file, also a compressed one, in one pass over its headers."""

import io
import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from seefood.storage.archives.members import DAMAGE, PACKED_TAR, TAR, ArchiveError, Member, Skipped

_MAX_HEADER_BYTES: Final = 16 * 1024 * 1024
_MAX_RATIO: Final = 200
_FREE_BYTES: Final = 1024**3
"""A compressed tar file may have this size when it is decompressed, or 200 times its own."""
_BLOCK: Final = 512


class _Bounded(io.RawIOBase):
    """A decompressed tar file that refuses to become a bomb."""

    def __init__(self, stream: BinaryIO, archive_bytes: int) -> None:
        self._stream = stream
        self._limit = max(_FREE_BYTES, archive_bytes * _MAX_RATIO)

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_HEADER_BYTES:
            raise ArchiveError(f"a header has more than {_MAX_HEADER_BYTES:,} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset > self._limit:
            raise ArchiveError(
                f"it would be larger than {self._limit:,} bytes, {_MAX_RATIO} times its size"
            )
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def tar_members(
    stream: BinaryIO, archive_bytes: int, *, is_compressed: bool
) -> Iterator[Member | Skipped]:
    """Yield the files in `stream`, which is decompressed and at its beginning.

    Raises `ArchiveError` where the archive is no tar file, is damaged or is a bomb.
    """
    bounded: Any = _Bounded(stream, archive_bytes) if is_compressed else stream
    count = 0
    try:
        with tarfile.open(fileobj=bounded, mode="r:") as archive:
            while (item := archive.next()) is not None:
                # Otherwise it keeps every header.
                archive.members.clear()  # type: ignore[attr-defined]  # not in the stubs
                count += 1
                yield from _member(item, PACKED_TAR if is_compressed else TAR)
            _check_end(bounded, archive.offset)
    except DAMAGE as error:
        raise ArchiveError(f"damaged after {count:,} members ({error})") from error
    except ArchiveError as error:
        raise ArchiveError(f"left after {count:,} members: {error}") from error


def _member(item: tarfile.TarInfo, method: int) -> Iterator[Member | Skipped]:
    if item.isdir():
        return
    if item.islnk() or item.issym():
        yield Skipped("links")
    elif not item.isreg():
        yield Skipped("devices and pipes")
    elif item.issparse():
        yield Skipped("sparse files")
    else:
        yield Member(item.name, item.offset_data, item.size, method)


def _check_end(stream: BinaryIO, offset: int) -> None:
    """Raise `ArchiveError` unless the archive ends at `offset`: tarfile stops at any bad header."""
    stream.seek(offset)
    block = stream.read(_BLOCK)
    if block.strip(b"\0"):
        raise ArchiveError(f"byte {offset:,} is no header")
