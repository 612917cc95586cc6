"""A member of an archive, and its entity tag: the archive's tag, `#`, and the member's place."""

import lzma
import re
import struct
import tarfile
import zlib
from dataclasses import dataclass
from typing import Final

TAR: Final = -1
"""In the place of a zip file's compression method."""
PACKED_TAR: Final = -2
"""The same for a tar file that is compressed as a whole."""
_LETTERS: Final = {TAR: "t", PACKED_TAR: "p"}
_TAG: Final = re.compile(
    r"(?P<archive>.*)#(?:(?P<tar>[tp])|z(?P<method>\d+)(?P<encrypted>e?)\.(?P<packed>\d+)\.(?P<crc>\d+)\.)"
    r"(?P<offset>\d+)\+(?P<size>\d+)",
    re.DOTALL,
)


DAMAGE: Final = (
    tarfile.TarError, EOFError, OSError, ValueError, OverflowError, zlib.error, lzma.LZMAError,
    struct.error,
)  # fmt: skip
"""What the standard library raises for damaged archives."""


class ArchiveError(Exception):
    """The archive, or the rest of it, cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, and where it lies."""

    name: str
    """As the archive has it, without `./` at its beginning; surrogates for bytes not UTF-8."""
    offset: int
    """Of the content in the (decompressed) tar file, or of the local header in the zip file."""
    size_bytes: int
    method: int = TAR
    """The zip file's compression method."""
    packed_bytes: int = 0
    crc: int = 0
    is_encrypted: bool = False

    def tag(self, archive_etag: str) -> str:
        """Return the entity tag, from which `parse_tag` gives the place."""
        end = f"{self.offset}+{self.size_bytes}"
        if letter := _LETTERS.get(self.method):
            return f"{archive_etag}#{letter}{end}"
        kind = f"z{self.method}{'e' if self.is_encrypted else ''}"
        return f"{archive_etag}#{kind}.{self.packed_bytes}.{self.crc}.{end}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A member that is no picture, and why it is left out."""

    reason: str


def parse_tag(tag: str) -> tuple[str, Member] | None:
    """Return the archive's entity tag and the place of the member; None for another tag."""
    match = _TAG.fullmatch(tag)
    if match is None:
        return None
    offset, size = int(match["offset"]), int(match["size"])
    if match["method"] is None:
        method = TAR if match["tar"] == "t" else PACKED_TAR
        return match["archive"], Member("", offset, size, method)
    packed, crc = int(match["packed"]), int(match["crc"])
    encrypted = bool(match["encrypted"])
    return match["archive"], Member("", offset, size, int(match["method"]), packed, crc, encrypted)
