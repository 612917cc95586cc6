"""Unpacks zip and tar archives of models: inside one folder, within a bound, files only.

An archive from the internet may name files outside its folder, hold links, or be a few kilobytes
that unpack to terabytes. Each of these is refused, and nothing of the archive is kept.
"""

import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from seefood.errors import UsageError

_MAX_MEMBERS: Final = 20_000
_MAX_BYTES: Final = 4 * 1024**3
_MAX_RATIO: Final = 20
"""Weights hardly compress; text of a graph does by up to ten times."""
_FREE_BYTES: Final = 64 * 1024**2
_BLOCK: Final = 1024 * 1024


def is_archive(file: Path) -> bool:
    """Return whether `file` is a zip or a tar archive."""
    return zipfile.is_zipfile(file) or tarfile.is_tarfile(file)


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of `archive` into the empty `folder`.

    Raises `UsageError` for an archive that is damaged or encrypted, names a file outside `folder`,
    holds a link, or is larger than its size explains. What was written until then stays in
    `folder`, which the caller removes.
    """
    limit = min(_MAX_BYTES, _FREE_BYTES + _MAX_RATIO * archive.stat().st_size)
    members = _zip_members if zipfile.is_zipfile(archive) else _tar_members
    try:
        _write_all(members(archive), archive, folder, limit)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, RuntimeError) as error:
        raise UsageError(
            f"the archive {archive} cannot be unpacked ({error}); get it again, or unpack it "
            "yourself and name its folder"
        ) from error


def _write_all(
    members: Iterable[tuple[str, IO[bytes]]], archive: Path, folder: Path, limit: int
) -> None:
    written = 0
    for count, (name, stream) in enumerate(members):
        target = folder / _inside(name, archive)
        if count >= _MAX_MEMBERS:
            raise UsageError(f"{archive} holds more than {_MAX_MEMBERS:,} files: no model does")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            while block := stream.read(_BLOCK):
                written += len(block)
                if written > limit:
                    raise UsageError(
                        f"{archive} unpacks to more than {limit // 1024**2:,} MiB, far more than "
                        "its size explains; if you trust it, unpack it yourself and name its folder"
                    )
                out.write(block)


def _zip_members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            if (member.external_attr >> 16) & 0o170000 == 0o120000:
                raise UsageError(f"{archive} holds the link {member.filename!r}; none is followed")
            if not member.is_dir():
                with opened.open(member) as stream:
                    yield member.filename, stream


def _tar_members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.isdir():
                continue
            stream = opened.extractfile(member) if member.isreg() else None
            if stream is None:
                raise UsageError(f"{archive} holds the link {member.name!r}; none is followed")
            yield member.name, stream


def _inside(name: str, archive: Path) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name or not path.parts:
        raise UsageError(
            f"{archive} names the file {name[:80]!r}, which is outside its folder; nothing was "
            "kept; do not use this archive"
        )
    return path
