"""Opens a manifest as a stream, so that a list of any length takes little memory.

A compressed one is decompressed, an object of a bucket is read in blocks.
"""

import bz2
import codecs
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, TextIO

from seefood.errors import JobError, PictureError
from seefood.records import ImageRef
from seefood.sources.manifests.entries import ListError
from seefood.storage import open_store
from seefood.storage.range_reader import RangeReader
from seefood.storage.uris import Location

_HEAD_BYTES: Final = 1 << 18
_BOMS: Final = (  # UTF-32 first: its mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMPRESSIONS: Final[tuple[tuple[bytes, Callable[[BinaryIO], Any]], ...]] = (
    (b"\x1f\x8b", lambda raw: gzip.GzipFile(fileobj=raw)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
)
_COMPRESSED_SUFFIXES: Final = (".gz", ".bz2", ".xz")
_FOREIGN: Final = (
    (b"PK\x03\x04", "a zip or an Excel workbook", "save the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook", "save the table as CSV"),
    (b"ARROW1", "an Arrow file", "write it as Parquet"),
    (b"\xff\xff\xff\xff", "an Arrow stream", "write it as Parquet"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"Obj\x01", "an Avro file", "write it as Parquet"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "decompress it first"),
    (b"\xff\xd8\xff", "a JPEG picture", "give it as a SOURCE"),
    (b"\x89PNG", "a PNG picture", "give it as a SOURCE"),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file with `git lfs pull`"),
    (b"<", "XML or HTML", "save the names as text, one a line"),
)


@dataclass(frozen=True, slots=True)
class OpenList:
    """A file with a list, open for any number of passes."""

    location: Location
    head: bytes
    """The first bytes, decompressed."""
    is_whole: bool
    """Whether `head` is all of it."""
    encoding: str

    @property
    def suffix(self) -> str:
        """The name's ending in small letters, without that of a compression: `csv`."""
        name = self.location.key.rpartition("/")[2].lower()
        for compressed in _COMPRESSED_SUFFIXES:
            name = name.removesuffix(compressed)
        return name.rpartition(".")[2] if "." in name else ""

    @property
    def head_text(self) -> str:
        """The first bytes as text, without a mark at its beginning."""
        decoder = codecs.getincrementaldecoder(self.encoding)("surrogateescape")
        return decoder.decode(self.head).removeprefix("\ufeff")

    @contextmanager
    def binary(self) -> Iterator[BinaryIO]:
        """Open it, decompressed."""
        with _open(self.location) as stream:
            yield stream

    @contextmanager
    def text(self, newline: str = "\n") -> Iterator[TextIO]:
        """Open it as text; bytes that are not UTF-8 become surrogates."""
        with (
            _open(self.location) as stream,
            io.TextIOWrapper(stream, self.encoding, "surrogateescape", newline) as text,
        ):
            yield text


def open_list(location: Location) -> OpenList:
    """Return the list at `location`.

    Raises `FileNotFoundError`, or `ListError` for something that is known to be no list.
    """
    with _open(location) as stream:
        head = stream.read(_HEAD_BYTES)
    encoding = _encoding(head)
    opened = OpenList(location, head, len(head) < _HEAD_BYTES, encoding)
    if head.startswith(b"PAR1"):
        return opened
    for magic, kind, cure in _FOREIGN:
        if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(magic):
            raise ListError(f"it is {kind}; {cure}")
    if "\0" in opened.head_text:
        raise ListError("it holds NUL bytes, so it is no text; write one name a line")
    return opened


@contextmanager
def _open(location: Location) -> Iterator[BinaryIO]:
    """Open an object, decompressed by what its first bytes are."""
    if location.is_local:
        raw: BinaryIO = open(location.key, "rb")  # noqa: PTH123, SIM115 (the path has any bytes)
    else:
        try:
            raw = io.BufferedReader(RangeReader(open_store(location.root), ImageRef(location.uri)))
        except PictureError as error:
            if error.code == "not_found":
                raise FileNotFoundError(location.uri) from error
            raise JobError(f"cannot read {location.uri}: {error}") from error
    with raw:
        magic = raw.read(6)
        raw.seek(0)
        opener = next((each for mark, each in _COMPRESSIONS if magic.startswith(mark)), None)
        if opener is None:
            yield raw
        else:
            with opener(raw) as stream:
                yield stream


def _encoding(head: bytes) -> str:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    sample = head[:4096]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > len(sample) / 8 and not even and b"\n\0" in sample:
        return "utf-16-le"
    if even > len(sample) / 8 and not odd and b"\0\n" in sample:
        return "utf-16-be"
    return "utf-8"
