"""Lists the members of a zip file from its directory, and unpacks single members.

The standard library's `zipfile` reads a whole directory into memory, about 500 bytes a member.
"""

import bz2
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from seefood.errors import ErrorCode, PictureError
from seefood.storage.archives.members import DAMAGE, ArchiveError, Member, Skipped

_SIGNATURE: Final = b"PK\x05\x06"
_END: Final = struct.Struct("<4s4H2LH")
_LOCATOR: Final = struct.Struct("<4sLQL")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
HEADER: Final = struct.Struct("<4s5H3L2H")
"""The local header in front of a member's content, without name and extra field."""
_MAX_COMMENT: Final = 0xFFFF
_MAX_16: Final = 0xFFFF
_MAX_32: Final = 0xFFFFFFFF
_UTF_8: Final = 0x800
_ENCRYPTED: Final = 0x41
_STORED, _DEFLATED, _BZIP2 = 0, 8, 12
_UNIX: Final = 3
_LINK: Final = 0o120000
_KIND: Final = 0o170000


def zip_members(stream: BinaryIO, archive_bytes: int) -> Iterator[Member | Skipped]:
    """Yield the files of the zip file in `stream`, in the order of its directory.

    Raises `ArchiveError` where it is no zip file or its directory is damaged.
    """
    at, total, shift = _directory(stream, archive_bytes)
    stream.seek(at)
    for number in range(total):
        data = stream.read(_ENTRY.size)
        if len(data) < _ENTRY.size or not data.startswith(b"PK\x01\x02"):
            raise ArchiveError(f"the directory is damaged after {number:,} of {total:,} members")
        fields = _ENTRY.unpack(data)
        name_length, extra_length, comment_length = fields[10:13]
        name = stream.read(name_length)
        extra = stream.read(extra_length)
        stream.read(comment_length)
        if name.endswith(b"/") or not name:
            continue
        made_by, flags, method, crc = fields[1], fields[3], fields[4], fields[7]
        if made_by >> 8 == _UNIX and (fields[15] >> 16) & _KIND == _LINK:
            yield Skipped("links")
            continue
        packed, size, offset = _large(fields[8], fields[9], fields[16], extra)
        yield Member(
            _name(name, flags),
            offset + shift,
            size,
            method,
            packed,
            crc,
            is_encrypted=bool(flags & _ENCRYPTED),
        )


def unpack(member: Member, data: bytes) -> bytes:
    """Return the content of a member whose packed bytes are `data`. Raises `PictureError`."""
    limit = member.size_bytes + 1
    try:
        if member.method == _STORED:
            content = data
        elif member.method == _DEFLATED:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, limit)
        else:
            content = bz2.BZ2Decompressor().decompress(data, limit)
    except DAMAGE as error:
        raise PictureError(ErrorCode.CORRUPT, f"the archive's data is damaged: {error}") from error
    if len(content) != member.size_bytes or zlib.crc32(content) != member.crc:
        raise PictureError(ErrorCode.CORRUPT, "the archive's checksum or size does not fit")
    return content


def check_readable(member: Member) -> None:
    """Raise `PictureError` for a member that cannot be unpacked, or is a bomb."""
    if member.is_encrypted:
        raise PictureError(ErrorCode.FORBIDDEN, "it is encrypted; unpack the archive first")
    if member.method not in (_STORED, _DEFLATED, _BZIP2):
        message = f"the zip file's compression method {member.method}; unpack the archive first"
        raise PictureError(ErrorCode.UNSUPPORTED_FORMAT, message)
    if member.packed_bytes > member.size_bytes + member.size_bytes // 50 + 4096:
        raise PictureError(ErrorCode.CORRUPT, "the archive says that it is larger when packed")


def _directory(stream: BinaryIO, archive_bytes: int) -> tuple[int, int, int]:
    """Return where the directory begins, how many entries it has, and what offsets lack."""
    tail_bytes = min(archive_bytes, _END.size + _MAX_COMMENT + _LOCATOR.size)
    stream.seek(archive_bytes - tail_bytes)
    tail = stream.read(tail_bytes)
    found = _find_end(tail)
    if found < 0 or len(tail) - found < _END.size:
        raise ArchiveError("it is no zip file, or its end is missing")
    end = archive_bytes - tail_bytes + found
    _, _, _, _, total, size, offset, _ = _END.unpack_from(tail, found)
    before = found - _LOCATOR.size
    if before >= 0 and tail.startswith(b"PK\x06\x07", before):
        end -= _LOCATOR.size
        *_, disks = _LOCATOR.unpack_from(tail, before)
        stream.seek(end - _END_64.size)
        data = stream.read(_END_64.size)
        if disks > 1 or not data.startswith(b"PK\x06\x06"):
            raise ArchiveError("it is split or its end is damaged")
        total, size, offset = _END_64.unpack(data)[7:10]
        end -= _END_64.size
    elif total == _MAX_16 or _MAX_32 in (size, offset):
        raise ArchiveError("its end is damaged")
    shift = end - size - offset  # of a program that unpacks itself
    if shift < 0:
        raise ArchiveError("it is split or its end is damaged")
    return offset + shift, total, shift


def _find_end(tail: bytes) -> int:
    """Return where the last record begins in the end of a file; below 0 if there is none.

    A comment may contain its signature. Something that is no comment may follow the record.
    """
    last = found = tail.rfind(_SIGNATURE)
    while found >= 0:
        after = len(tail) - found - _END.size
        if after >= 0 and _END.unpack_from(tail, found)[-1] == after:
            return found
        found = tail.rfind(_SIGNATURE, 0, found)
    return last


def _large(packed: int, size: int, offset: int, extra: bytes) -> tuple[int, int, int]:
    """Return sizes and offset with those from the extra field for large files."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + length]
            values = list(struct.unpack_from(f"<{len(field) // 8}Q", field))
            size = values.pop(0) if size == _MAX_32 and values else size
            packed = values.pop(0) if packed == _MAX_32 and values else packed
            offset = values.pop(0) if offset == _MAX_32 and values else offset
        at += 4 + length
    return packed, size, offset


def _name(name: bytes, flags: int) -> str:
    """Return a name; many programs write UTF-8 without its flag."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("utf-8", "surrogateescape") if flags & _UTF_8 else name.decode("cp437")
