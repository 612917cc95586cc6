"""Members of archives are objects of their own: listed, read and refused one by one."""

import bz2
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.records import ImageRef
from seefood.sources.filters import Selection
from seefood.sources.listing import list_sources
from seefood.sources.manifests import parse_manifest
from seefood.sources.notes import ListingNotes
from seefood.sources.registry import parse_source
from seefood.storage import fetch, open_store, write
from seefood.storage.archive_names import is_archive
from seefood.storage.archives.members import Member, Skipped, parse_tag
from seefood.storage.archives.store import ArchiveStore
from seefood.storage.range_reader import BLOCK_BYTES, RangeStore
from seefood.storage.uris import Location, parse_location
from tests.conftest import Bucket

_FILES: Final = {
    "img/a.jpg": b"a" * 3000,
    "img/ü #1.jpg": b"b" * 70_000,
    "../up.jpg": b"",
    "c": b"c",
}


def _tar(files: Mapping[str, bytes], mode: str = "w", *, pad: bool = True) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            item = tarfile.TarInfo(name)
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
    return sink.getvalue() if pad else sink.getvalue().rstrip(b"\0")


def _zip(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


def _zip_64(files: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, data in files.items():
            with archive.open(name, "w", force_zip64=True) as stream:
                stream.write(data)
    return sink.getvalue()


_ARCHIVES: Final[dict[str, Callable[[Mapping[str, bytes]], bytes]]] = {
    "x.tar": _tar,
    "no_padding.tar": lambda files: _tar(files)[: -10 * 512],
    "x.tar.gz": lambda files: _tar(files, "w:gz"),
    "x.TGZ": lambda files: _tar(files, "w:gz"),
    "x.tar.bz2": lambda files: bz2.compress(_tar(files)),
    "x.txz": lambda files: lzma.compress(_tar(files)),
    "gzip_in_spite_of_its_name.tar": lambda files: _tar(files, "w:gz"),
    "x.zip": _zip,
    "stored.zip": lambda files: _zip(files, zipfile.ZIP_STORED),
    "comment.zip": lambda files: _zip(files)[:-2] + b"\x0b\0PK\x05\x06 inside",
    "bzip2.zip": lambda files: _zip(files, zipfile.ZIP_BZIP2),
    "large.zip": _zip_64,
    "program.zip": lambda files: b"#!/bin/sh\n" * 99 + _zip(files),
}


@pytest.mark.parametrize("root", ["disk", "memory"])
@pytest.mark.parametrize("name", _ARCHIVES)
def test_members_are_listed_and_read(name: str, root: str, tmp_path: Path, memory: str) -> None:
    """With the names and the bytes that were packed, from a disk and from a bucket."""
    base = tmp_path.as_uri() if root == "disk" else memory
    archive = parse_location(f"{base}/{name}")
    write(archive, _ARCHIVES[name](_FILES))
    refs = list(list_sources([parse_source(archive.uri)]))
    assert {key: len(data) for key, data in _FILES.items()} == {
        parse_location(ref.uri).key: ref.size_bytes for ref in refs
    }
    assert list(_FILES.values()) == [fetch(ref) for ref in refs]
    assert list(reversed(_FILES.values())) == [fetch(ref) for ref in reversed(refs)]
    for ref in refs:  # a name without its place, as in a manifest
        assert ref == open_store(parse_location(ref.uri).root).stat(ImageRef(ref.uri))


def test_what_is_left_out_is_counted(memory: str) -> None:
    """Companions, hidden files, links, inner archives and repeated names, each with its number."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name in ("./1.jpg", "1.json", "1.cls", ".x.jpg", "__MACOSX/1.jpg", "in.zip", "1.jpg"):
            archive.addfile(tarfile.TarInfo(name))
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "1.jpg"
        archive.addfile(link)
    write(parse_location(f"{memory}/x.tar"), sink.getvalue())
    notes = ListingNotes()
    refs = list(list_sources([parse_source(f"{memory}/")], notes=notes))
    assert [f"{memory}/x.tar#1.jpg"] == [ref.uri for ref in refs]
    prefix = f"{memory}/x.tar: left out: "
    assert {
        f"{prefix}files that are no pictures by their names": 2,
        f"{prefix}hidden files": 2,
        f"{prefix}archives inside the archive": 1,
        f"{prefix}members with the name of an earlier one": 1,
        f"{prefix}links": 1,
    } == notes.remarks
    assert {} == notes.left_out


@pytest.mark.parametrize(
    ("name", "data", "listed", "note"),
    [
        ("cut.tar", _tar(_FILES)[:20_000], 2, "damaged after 2 members"),
        ("bad.tar", _tar({"a.jpg": b"a"}, pad=False) + b"x" * 1024, 1, "byte 1,024 is no header"),
        ("cut.tgz", _tar(_FILES, "w:gz")[:-150], 1, "damaged after"),
        ("cut.zip", _zip(_FILES).replace(b"PK\x01\x02", b"PK\x01\x03", 3)[:], 0, ""),
    ],
)
def test_a_damaged_archive_keeps_its_first_members(
    name: str, data: bytes, listed: int, note: str, memory: str
) -> None:
    """What cannot be listed is said; nothing at all is a row of the archive itself."""
    write(parse_location(f"{memory}/{name}"), data)
    notes = ListingNotes()
    refs = list(list_sources([parse_source(f"{memory}/{name}")], notes=notes))
    if not note:
        assert [f"{memory}/{name}"] == [ref.uri for ref in refs]
        return
    assert listed <= len(refs)
    (text,) = notes.left_out
    assert note in text


def _first(memory: str, name: str, data: bytes) -> ImageRef:
    write(parse_location(f"{memory}/{name}"), data)
    return next(iter(list_sources([parse_source(f"{memory}/{name}")])))


def _flagged(data: bytes, place: int, value: int) -> bytes:
    """Return a zip file of one member with another value in both of its headers."""
    at = data.index(b"PK\x01\x02") + place + 2
    return data[:place] + bytes([value]) + data[place + 1 : at] + bytes([value]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("locked.zip", _flagged(_zip({"a.jpg": b"a" * 99}), 6, 1), ErrorCode.FORBIDDEN),
        ("method.zip", _flagged(_zip({"a.jpg": b"a" * 99}), 8, 9), ErrorCode.UNSUPPORTED_FORMAT),
        ("size.zip", _flagged(_zip({"a.jpg": b"a" * 99}), 22, 9), ErrorCode.CORRUPT),
        ("sum.zip", _flagged(_zip({"a.jpg": b"a" * 99}), 14, 9), ErrorCode.CORRUPT),
        ("cut.tar", _tar({"a.jpg": b"a" * 9999})[:2000], ErrorCode.TRUNCATED),
    ],
)
def test_a_bad_member_is_one_row(name: str, data: bytes, code: ErrorCode, memory: str) -> None:
    """Encrypted, packed in an unknown way, larger than it says, damaged, cut off."""
    ref = _first(memory, name, data)
    with pytest.raises(PictureError) as error:
        fetch(ref)
    assert code == error.value.code


def test_a_bomb_is_not_unpacked(memory: str) -> None:
    """A header that announces eight gigabytes in a small compressed file ends the listing."""
    item = tarfile.TarInfo("zeros.jpg")
    item.size = 8 * 1024**3
    data = bz2.compress(_tar({"a.jpg": b"a"}, pad=False).ljust(1024, b"\0") + item.tobuf())
    write(parse_location(f"{memory}/bomb.tar.bz2"), data)
    notes = ListingNotes()
    names = [ref.uri for ref in list_sources([parse_source(f"{memory}/")], notes=notes)]
    assert f"{memory}/bomb.tar.bz2#a.jpg" == names[0]
    assert "it would be larger than 1,073,741,824 bytes" in next(iter(notes.left_out))


def test_a_replaced_archive_is_changed(memory: str) -> None:
    """A member is never read from another archive than the one that was listed."""
    ref = _first(memory, "x.tar", _tar({"a.jpg": b"a", "b.jpg": b"b"}))
    write(parse_location(f"{memory}/x.tar"), _tar({"b.jpg": b"b", "a.jpg": b"a"}))
    with pytest.raises(PictureError) as error:
        fetch(ref)
    assert ErrorCode.CHANGED == error.value.code


def test_filters_see_members_and_archives(memory: str) -> None:
    """Patterns match members' names; an excluded archive is not opened."""
    for name in ("x.tar", "y.tar"):
        write(parse_location(f"{memory}/{name}"), _tar({"img/a.jpg": b"a", "img/b.png": b"b"}))
    chosen = Selection(include=("img/*.jpg",), exclude=("y.tar",))
    refs = list_sources([parse_source(f"{memory}/*.tar")], selection=chosen)
    assert [f"{memory}/x.tar#img/a.jpg"] == [ref.uri for ref in refs]
    refs = list_sources([parse_source(f"{memory}/x.tar#img/b")])
    assert [f"{memory}/x.tar#img/b.png"] == [ref.uri for ref in refs]


def test_manifests_name_archives_and_members(memory: str) -> None:
    """A list of shards lists their members; a member may be named itself."""
    write(parse_location(f"{memory}/x.tar"), _tar({"a.jpg": b"a", "b.jpg": b"bb"}))
    write(parse_location(f"{memory}/m.txt"), b"x.tar#b.jpg\nx.tar\n")
    refs = list(list_sources([parse_manifest(f"{memory}/m.txt")]))
    assert [(f"{memory}/x.tar#b.jpg", 2), (f"{memory}/x.tar#a.jpg", 1)] == [
        (ref.uri, ref.size_bytes) for ref in refs
    ]


@dataclass
class _Counting:
    """A store that counts the ranges that are read."""

    store: RangeStore
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def stat(self, ref: ImageRef) -> ImageRef:
        return self.store.stat(ref)

    def fetch_range(self, ref: ImageRef, start: int, end: int) -> bytes:
        self.ranges.append((start, end))
        return self.store.fetch_range(ref, start, end)


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.zip"])
def test_a_shard_is_read_in_one_pass(name: str, memory: str) -> None:
    """In the archive's order, members cost one request for eight megabytes, not one each."""
    files = {f"{number:04d}.jpg": bytes([number % 251]) * 20_000 for number in range(1000)}
    data = _ARCHIVES[name](files)
    write(parse_location(f"{memory}/{name}"), data)
    store = _Counting(open_store(memory))
    archive = ArchiveStore(f"{memory}/{name}#", store)
    refs = [each[0] for each in archive.members(archive.archive) if not isinstance(each, Skipped)]
    listed = len(store.ranges)
    assert list(files.values()) == [archive.fetch(ref) for ref in refs]
    blocks = len(data) // BLOCK_BYTES + 2
    assert blocks >= len(store.ranges) - listed
    assert 2 * blocks + 2 >= len(store.ranges)


def test_a_shard_in_a_bucket(s3: Bucket) -> None:
    """Members are read from S3 by ranges; a shard that is replaced meanwhile is changed."""
    s3.put("x.tar", _tar(_FILES))
    s3.put("y//z.zip", _zip(_FILES))
    refs = list(list_sources([parse_source(f"{s3.uri}/")]))
    assert 2 * list(_FILES.values()) == [fetch(ref) for ref in refs]
    s3.put("x.tar", _tar({"a.jpg": b"a"}))
    with pytest.raises(PictureError) as error:
        ArchiveStore(f"{s3.uri}/x.tar#", open_store(s3.uri)).fetch(refs[1])
    assert ErrorCode.CHANGED == error.value.code


def test_names() -> None:
    """Which names are archives, and where a member's name begins."""
    assert [True, True, False, False] == [
        is_archive(name)
        for name in ("s3://b/x.tar", "a/X.TAR.GZ", "x.tar.jpg", "s3://b/x.tar#a.zip")
    ]
    assert Location("s3://b/x.tar#", "a#b.jpg") == parse_location("s3://b/x.tar#a#b.jpg")
    assert "file:///a%23b.tar#c%20d" == parse_location("file:///a%23b.tar#c%20d").uri
    assert Location("s3://b", "a#b.jpg") == parse_location("s3://b/a#b.jpg")


@pytest.mark.parametrize(
    "member", [Member("", 512, 9), Member("", 5, 9, 8, 7, 3, is_encrypted=True)]
)
def test_a_tag_holds_the_place(member: Member) -> None:
    """A worker reads a member without the archive's directory."""
    assert ("etag-2", member) == parse_tag(member.tag("etag-2"))
    assert parse_tag("etag-2") is None


def test_an_archive_that_is_none(memory: str) -> None:
    """It is listed itself: its row says what it is."""
    write(parse_location(f"{memory}/x.zip"), b"no zip")
    (ref,) = list_sources([parse_source(f"{memory}/x.zip")])
    assert f"{memory}/x.zip" == ref.uri
    with pytest.raises(UsageError, match="it is no zip file"):
        list(parse_source(f"{memory}/x.zip#img/").list())
