"""One archive as a store: its keys are the names of its members."""

import bz2
import gzip
import io
import lzma
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, BinaryIO, Final
from urllib.parse import quote_from_bytes

from seefood.errors import ErrorCode, JobError, PictureError, UsageError
from seefood.records import ImageRef
from seefood.storage.archive_names import is_zip, split_member
from seefood.storage.archives import zip as zip_file
from seefood.storage.archives.members import (
    DAMAGE,
    PACKED_TAR,
    TAR,
    ArchiveError,
    Member,
    Skipped,
    parse_tag,
)
from seefood.storage.archives.tar import tar_members
from seefood.storage.range_reader import RangeReader, RangeStore
from seefood.storage.uris import FILE_ROOT, SAFE

_DECOMPRESS: Final[tuple[tuple[bytes, Callable[[BinaryIO], Any]], ...]] = (
    (b"\x1f\x8b", lambda raw: gzip.GzipFile(fileobj=raw)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
)


@dataclass
class ArchiveStore:
    """The members of the archive at `root`, which ends in `#`, inside another store.

    Members of a bucket's archive, and of a compressed tar file, are read from one stream: in the
    order of the archive that is one pass over it.
    """

    root: str
    base: RangeStore
    """The store that the archive is in."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _open: tuple[str, BinaryIO] | None = None
    """The stream that is read, and the archive's entity tag."""

    is_remote = False

    @property
    def is_sequential(self) -> bool:
        """Whether reading in the order of the archive is much faster."""
        is_plain = self.root.lower().endswith((".tar#", ".zip#"))
        return not (self._is_local and is_plain)

    @property
    def _is_local(self) -> bool:
        return self.root.startswith(FILE_ROOT)

    @property
    def archive(self) -> ImageRef:
        """The archive itself, without entity tag."""
        return ImageRef(self.root.removesuffix("#"))

    def members(self, archive: ImageRef) -> Iterator[tuple[ImageRef, str] | Skipped]:
        """Yield each member with its name, in the archive's order.

        Raises `ArchiveError` where the archive cannot be read, `PictureError` as `fetch` does.
        """
        if not (archive.etag and archive.size_bytes):
            archive = self.base.stat(archive)
        with _decompressed(self.base, archive) as (stream, is_compressed):
            items = (
                zip_file.zip_members(stream, archive.size_bytes)
                if is_zip(self.root)
                else tar_members(stream, archive.size_bytes, is_compressed=is_compressed)
            )
            for item in items:
                if isinstance(item, Skipped):
                    yield item
                    continue
                name = _shown_name(item.name)
                tag = item.tag(archive.etag)
                uri = self.uri(name)
                yield ImageRef(uri, tag, item.size_bytes, None, archive.modified), name

    def uri(self, name: str) -> str:
        """Return the URI of a member."""
        if self._is_local:
            return self.root + quote_from_bytes(name.encode("utf-8", "surrogateescape"), safe=SAFE)
        # Parquet and JSON take no lone surrogates.
        data = name.encode("utf-8", "surrogateescape")
        return self.root + data.decode("utf-8", "backslashreplace")

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`."""
        try:
            for item in self.members(self.archive):
                if not isinstance(item, Skipped) and item[1].startswith(prefix):
                    yield item[0]
        except (ArchiveError, PictureError) as error:
            raise UsageError(f"cannot list {self.root}: {error}") from error

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`. Fails if the archive was replaced since it was listed."""
        found = parse_tag(ref.etag) or parse_tag(self.stat(ref).etag)
        if found is None:
            raise PictureError(ErrorCode.NOT_FOUND, "the archive has no such member")
        etag, member = found
        data = self._read(etag, member)
        return data if first_bytes is None else data[:first_bytes]

    def fetch_range(self, ref: ImageRef, start: int, end: int) -> bytes:
        """See `Store.fetch_range`."""
        return self.fetch(ref)[start:end]

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`. The first call reads the archive's directory."""
        try:
            found = self._index.get(ref.uri)
        except ArchiveError as error:
            raise PictureError(ErrorCode.CORRUPT, f"the archive: {error}") from error
        if found is None:
            raise PictureError(ErrorCode.NOT_FOUND, "the archive has no such member")
        return found

    def read(self, key: str) -> bytes:
        """See `Store.read`."""
        try:
            return self.fetch(ImageRef(self.uri(key)))
        except PictureError as error:
            if error.code is ErrorCode.NOT_FOUND:
                raise FileNotFoundError(self.uri(key)) from error
            raise JobError(f"cannot read {self.uri(key)}: {error}") from error

    def write(self, key: str, data: bytes) -> None:
        """Raise `JobError`: archives are not written."""
        del data
        raise JobError(f"cannot write {self.uri(key)}: it is in an archive; choose another output")

    def create(self, key: str, data: bytes) -> bool:
        """Raise `JobError`, as `write` does."""
        self.write(key, data)
        return False

    def delete(self, key: str) -> None:
        """Raise `JobError`, as `write` does."""
        self.write(key, b"")

    @cached_property
    def _index(self) -> dict[str, ImageRef]:
        members = (item for item in self.members(self.archive) if not isinstance(item, Skipped))
        index: dict[str, ImageRef] = {}
        for ref, _ in members:
            index.setdefault(ref.uri, ref)
        return index

    def _read(self, etag: str, member: Member) -> bytes:
        if member.method in (TAR, PACKED_TAR):
            is_direct = self._is_local and member.method == TAR
            data = self._bytes(etag, member.offset, member.size_bytes, is_direct=is_direct)
            if len(data) < member.size_bytes:
                raise PictureError(ErrorCode.TRUNCATED, "the archive ends in the middle of it")
            return data
        zip_file.check_readable(member)
        is_direct = self._is_local
        header = self._bytes(etag, member.offset, zip_file.HEADER.size, is_direct=is_direct)
        if not header.startswith(b"PK\x03\x04") or len(header) < zip_file.HEADER.size:
            raise PictureError(ErrorCode.CORRUPT, "the archive has no header at its place")
        *_, name_length, extra_length = zip_file.HEADER.unpack(header)
        start = member.offset + zip_file.HEADER.size + name_length + extra_length
        data = self._bytes(etag, start, member.packed_bytes, is_direct=is_direct)
        return zip_file.unpack(member, data)

    def _bytes(self, etag: str, start: int, length: int, *, is_direct: bool) -> bytes:
        """Return bytes of the (decompressed) archive, fewer at its end.

        Directly, or from the stream that this store keeps open.
        """
        archive = ImageRef(self.archive.uri, etag)
        if is_direct:
            return self.base.fetch_range(archive, start, start + length)
        with self._lock:
            try:
                if self._open is None or self._open[0] != etag:
                    self._open = etag, _decompressed(self.base, archive).stream
                stream = self._open[1]
                stream.seek(start)
                return stream.read(length)
            except DAMAGE as error:
                self._open = None
                message = f"the archive cannot be read: {error}"
                raise PictureError(ErrorCode.CORRUPT, message) from error
            except PictureError:
                self._open = None
                raise


class _decompressed:  # noqa: N801 (a context manager)
    """Opens an archive; decompressed if its first bytes are those of a compression."""

    def __init__(self, base: RangeStore, archive: ImageRef) -> None:
        self._raw = io.BufferedReader(RangeReader(base, archive), 1 << 16)
        magic = self._raw.read(6)
        self._raw.seek(0)
        opener = next((each for mark, each in _DECOMPRESS if magic.startswith(mark)), None)
        self.is_compressed = opener is not None
        self.stream: Any = self._raw if opener is None else opener(self._raw)

    def __enter__(self) -> tuple[Any, bool]:
        return self.stream, self.is_compressed

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self._raw.close()


def _shown_name(name: str) -> str:
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    return name


def open_archive(root: str, open_base: Callable[[str], RangeStore]) -> ArchiveStore:
    """Return the store of the archive at `root`; `open_base` opens the store that it is in."""
    split = split_member(f"{root}x")
    if split is None:
        raise UsageError(f"{root} is no archive")
    scheme, _, rest = root.partition("://")
    base_root = FILE_ROOT if scheme == "file" else f"{scheme}://{rest.partition('/')[0]}"
    return ArchiveStore(root, open_base(base_root))
