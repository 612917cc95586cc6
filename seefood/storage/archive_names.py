"""Which names are archives, and where a URI changes from an archive to its member."""

import re
from typing import Final

SUFFIXES: Final = ("tar", "tar.gz", "tgz", "tar.bz2", "tbz2", "tar.xz", "txz", "zip")
_SUFFIX: Final = "|".join(re.escape(suffix) for suffix in SUFFIXES)
_ARCHIVE: Final = re.compile(rf".*\.({_SUFFIX})", re.IGNORECASE | re.DOTALL)
_MEMBER: Final = re.compile(rf"(.+?\.(?:{_SUFFIX})#)(.+)", re.IGNORECASE | re.DOTALL)


def is_archive(name: str) -> bool:
    """Whether an object with this key or URI is an archive by its name."""
    return _ARCHIVE.fullmatch(name) is not None and not is_member(name)


def is_zip(name: str) -> bool:
    """Whether an archive is a zip file, by its name."""
    return name.lower().rstrip("#").endswith(".zip")


def is_member(uri: str) -> bool:
    """Whether a URI names a member of an archive."""
    return split_member(uri) is not None


def split_member(text: str) -> tuple[str, str] | None:
    """Return the archive with its final `#` and the member's name; None for other texts."""
    match = _MEMBER.fullmatch(text) if "#" in text else None
    return None if match is None else (match[1], match[2])
