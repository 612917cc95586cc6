"""Where pictures and results are: URIs, local paths and globs, as plain values.

A location is a root that names a store (`s3://bucket`, `gs://bucket`, `az://container`,
`memory://name`, or `file://`) and a key inside it. Keys of object stores stand in URIs as they are,
unescaped, as every S3 tool shows them; local paths are percent-encoded, as RFC 8089 has them.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from seefood.errors import UsageError

FILE_ROOT: Final = "file://"
_REMOTE: Final = re.compile(r"^(s3|gs|az|memory)://([^/]+)(?:/(.*))?$", re.DOTALL)
_SCHEME: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_GLOB: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Location:
    """A store and a key in it."""

    root: str
    key: str
    """For local files the absolute path, with surrogate escapes for bytes that are not UTF-8."""

    @property
    def is_local(self) -> bool:
        """Whether this is a path of this machine."""
        return self.root == FILE_ROOT

    @property
    def uri(self) -> str:
        """The location as one string, the form that rows use."""
        if self.is_local:
            return FILE_ROOT + quote_from_bytes(os.fsencode(self.key), safe="/~+,=@:&$!'()*;")
        return f"{self.root}/{self.key}"

    def child(self, name: str) -> "Location":
        """Return the location of `name` below this one."""
        return Location(self.root, f"{self.key.rstrip('/')}/{name}" if self.key else name)


def parse_location(text: str) -> Location:
    """Return the location of a URI or a local path, relative paths from the working directory.

    Raises `UsageError` for an empty text or a scheme that no store here speaks.
    """
    if not text:
        raise UsageError("an empty source or output names nothing; give a path or a URI")
    match = _REMOTE.match(text)
    if match:
        return Location(f"{match[1]}://{match[2]}", match[3] or "")
    if text.startswith("file:"):
        quoted = os.fsencode(re.sub(r"^file:(//(localhost)?)?", "", text))
        path = os.fsdecode(unquote_to_bytes(quoted))
        if not path.startswith("/"):
            raise UsageError(f"{text!r} names no absolute path; write file:///folder/file")
        return Location(FILE_ROOT, os.path.normpath(path))
    scheme = _SCHEME.match(text)
    if scheme:
        raise UsageError(
            f"{text!r} has the scheme {scheme[1]!r}, which no store here speaks; use a local path, "
            "s3://, gs://, az:// or file:// with a bucket's name"
        )
    # Unlike Path.expanduser, this takes `~nobody.jpg` for the name of a file.
    absolute = Path(os.path.expanduser(text)).absolute()  # noqa: PTH111
    return Location(FILE_ROOT, os.path.normpath(absolute))


def split_glob(key: str) -> tuple[str, str | None]:
    """Return the literal beginning of `key` and, if it has a wildcard, the whole pattern.

    The beginning ends where the first wildcard stands: listing may start there.
    """
    wildcard = _GLOB.search(key)
    return (key, None) if wildcard is None else (key[: wildcard.start()], key)


def compile_glob(pattern: str) -> re.Pattern[str]:
    """Return `pattern` as a regular expression over whole keys.

    `*` and `?` stay inside one folder, `**` crosses folders, `[…]` is a set of characters.
    """
    out, at = [], 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif pattern.startswith("**", at):
            out.append(".*")
            at += 2
        elif pattern[at] == "*":
            out.append("[^/]*")
            at += 1
        elif pattern[at] == "?":
            out.append("[^/]")
            at += 1
        elif pattern[at] == "[" and (end := pattern.find("]", at + 2)) > 0:
            body = pattern[at + 1 : end].replace("\\", "\\\\")
            out.append(f"[{'^' + body[1:] if body[0] in '!^' else body}]")
            at = end + 1
        else:
            out.append(re.escape(pattern[at]))
            at += 1
    return re.compile("".join(out), re.DOTALL)
