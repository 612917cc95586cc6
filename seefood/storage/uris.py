"""Locations of pictures and results: URIs, local paths and globs.

A location is a root that names a store (`s3://bucket`, `gs://bucket`, `az://container`,
`memory://name`, or `file://`) and a key inside it. URIs contain the keys of object stores
unescaped, as every S3 tool shows them, and local paths percent-encoded, as in RFC 8089.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from seefood.errors import UsageError
from seefood.sanitize import redacted, shown
from seefood.storage.archive_names import split_member

FILE_ROOT: Final = "file://"
SAFE: Final = "/~+,=@:&$!'()*;"
"""What is not percent-encoded in the URI of a local file, besides letters and digits."""
# Schemes know no case (RFC 3986), names do.
_REMOTE: Final = re.compile(r"^(s3|gs|az|memory)://([^/]+)(?:/(.*))?$", re.DOTALL | re.IGNORECASE)
# Names of buckets and containers, access points' ARNs included. Clients panic at others.
_BUCKET: Final = re.compile(r"(?!xn--)[A-Za-z0-9$][A-Za-z0-9._:$-]*")
# An access point's ARN has a slash or a colon before its name; the colon keeps a root in one piece.
_ACCESS_POINT: Final = re.compile(
    r"^(s3://arn:[^/]*:(?:outpost[/:][^/:]+[/:])?accesspoint)/", re.DOTALL | re.IGNORECASE
)
_BUCKET_ARN: Final = re.compile(r"^s3://arn:[^:/]*:s3:::([^/]*)(.*)$", re.DOTALL | re.IGNORECASE)
_OBJECT_ARN: Final = re.compile(r"arn:[^:/]*:s3:::(.+)", re.DOTALL)
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
    def is_member(self) -> bool:
        """Whether this is a member of an archive: the root is `s3://bucket/photos.tar#`."""
        return self.root.endswith("#")

    @property
    def uri(self) -> str:
        """The location as one string, as rows state it."""
        if self.is_local:
            return FILE_ROOT + quote_from_bytes(os.fsencode(self.key), safe=SAFE)
        if self.is_member:
            is_local = self.root.startswith(FILE_ROOT)
            quoted = quote_from_bytes(os.fsencode(self.key), safe=SAFE) if is_local else self.key
            return f"{self.root}{quoted}"
        return f"{self.root}/{self.key}"

    def child(self, name: str) -> "Location":
        """Return the location of `name` below this one."""
        return Location(self.root, f"{self.key.rstrip('/')}/{name}" if self.key else name)


def parse_location(text: str | os.PathLike[str]) -> Location:
    """Return the location of a URI or a local path, which may be relative.

    Raises `UsageError` for an empty text or an unknown scheme, and for what is neither.
    """
    if not isinstance(text, str):
        if not isinstance(text, os.PathLike):
            raise UsageError(f"{shown(text)} is no path or URI; give one as text or a `Path`")
        text = os.fsdecode(text)
    if not text:
        raise UsageError("an empty source or output names nothing; give a path or a URI")
    if "\0" in text and not _REMOTE.match(text):
        raise UsageError(f"{text!r} contains a NUL character, which no path can have")
    text = _with_plain_root(text)
    if match := _REMOTE.match(text):
        return _remote(match, text)
    if text[:5].lower() == "file:":
        return _file_uri(text)
    if arn := _OBJECT_ARN.match(text):
        raise UsageError(f"{text!r} is an ARN; write s3://{arn[1]}")
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() in ("s3", "gs", "az"):
        raise UsageError(f"{redacted(text)!r} names no bucket; write {scheme[1].lower()}://BUCKET/")
    if scheme:
        raise UsageError(
            f"{redacted(text)!r} has the unknown scheme {scheme[1]!r}; "
            "use a local path, s3://, gs://, az:// or file:// with a bucket's name"
        )
    return _path(text)


def _remote(match: re.Match[str], text: str) -> Location:
    scheme, name, key = match[1].lower(), match[2], match[3] or ""
    if "@" in name:
        raise UsageError(
            f"{redacted(text)!r} has a name or password before an @; credentials are read from "
            "where the cloud's own tools read them, never from a URI"
        )
    if scheme != "memory" and not _BUCKET.fullmatch(name):
        raise UsageError(
            f"{redacted(text)!r:.200} cannot be: {name!r} is no name that a bucket can have; "
            "check the name"
        )
    root = f"{scheme}://{name}"
    if member := split_member(key):
        return Location(f"{root}/{member[0]}", member[1])
    return Location(root, key)


def _file_uri(text: str) -> Location:
    quoted = os.fsencode(re.sub(r"^file:(//(localhost)?)?", "", text, flags=re.IGNORECASE))
    path = os.fsdecode(unquote_to_bytes(quoted))
    if not path.startswith("/"):
        raise UsageError(f"{text!r} is not an absolute path; write file:///folder/file")
    if member := split_member(text):
        archive = _file_uri(member[0].removesuffix("#"))
        return Location(f"{archive.uri}#", os.fsdecode(unquote_to_bytes(member[1])))
    return Location(FILE_ROOT, os.path.normpath(path))


def _path(text: str) -> Location:
    # A path may name a member of an archive too, unless a file has exactly this name.
    if (member := split_member(text)) and not os.path.lexists(text):
        archive = _path(member[0].removesuffix("#"))
        return Location(f"{archive.uri}#", member[1])
    # Unlike Path.expanduser, this takes `~unknown.jpg` for the name of a file.
    expanded = Path(os.path.expanduser(text))  # noqa: PTH111
    try:
        return Location(FILE_ROOT, os.path.normpath(expanded.absolute()))
    except FileNotFoundError as error:
        raise UsageError(
            f"the relative path {text!r} means nothing: the working directory was deleted; change "
            "to another one or give an absolute path"
        ) from error


def _with_plain_root(text: str) -> str:
    """Return `text` with an access point's ARN in one piece. Refuse a bucket's ARN."""
    if text[5:9].lower() != "arn:":
        return text
    if arn := _BUCKET_ARN.match(text):
        raise UsageError(f"{text!r} is a bucket's ARN; write s3://{arn[1]}{arn[2]}")
    return _ACCESS_POINT.sub(lambda arn: f"s3://{arn[1][5:].replace('/', ':')}:", text)


def split_glob(key: str) -> tuple[str, str | None]:
    """Return the part of `key` before its first wildcard and, if it has one, the whole pattern.

    Listing may start at that part.
    """
    wildcard = _GLOB.search(key)
    return (key, None) if wildcard is None else (key[: wildcard.start()], key)


def compile_glob(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return `pattern` as a regular expression over whole keys.

    `*` and `?` match inside one folder, `**` across folders, `**/` also no folder, `[…]` one of a
    set of characters, never a slash; an invalid set is literal. Keys are untrusted and may be made
    to match slowly, so a wildcard that is not the last of its kind takes the first match and
    never backtracks (an atomic group): matching is at most quadratic in the key's length.
    """
    groups: list[tuple[str, list[str]]] = [("", [""])]
    for mark, text in _glob_parts(pattern):
        if mark == "*":
            groups[-1][1].append("")
        elif mark:
            if groups[-1][0] == mark and groups[-1][1] == [""]:
                continue  # a repeated wildcard has no effect
            groups.append((mark, [""]))
        else:
            groups[-1][1][-1] += text
    out = [_group(*group, is_last=False) for group in groups[:-1]]
    return re.compile("".join([*out, _group(*groups[-1], is_last=True)]), re.DOTALL | flags)


def _glob_parts(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield (wildcard, "") for `**/`, `**` and `*`, and ("", expression) for the rest."""
    at = 0
    while at < len(pattern):
        stars = len(pattern) - at - len(pattern[at:].lstrip("*"))
        end = pattern.find("]", at + 2) if pattern[at] == "[" else -1
        if stars > 1:
            folders = pattern[at - 1 : at] in ("", "/") and pattern.startswith("/", at + stars)
            yield "**/" if folders else "**", ""
            at += stars + folders
        elif stars:
            yield "*", ""
            at += 1
        elif pattern[at] == "?":
            yield "", "[^/]"
            at += 1
        elif end > 0 and (expression := _set(pattern[at + 1 : end])) is not None:
            yield "", expression
            at = end + 1
        else:
            yield "", re.escape(pattern[at])
            at += 1


def _set(body: str) -> str | None:
    """Return the expression for `[body]`, which never matches a slash; None if it is invalid."""
    negated = body[0] in "!^"
    inner = re.sub(r"([\\\[&|~])", r"\\\1", body[negated:])
    expression = f"(?!/)[{'^' * negated}{inner}]"
    try:
        re.compile(expression)
    except re.error:
        return None
    return expression


def _group(mark: str, runs: list[str], *, is_last: bool) -> str:
    """Return the expression for one `**` or `**/` (or the start) and the rest up to the next one.

    `runs` are the expressions between single stars.
    """
    ends_open = is_last and len(runs) > 1
    body = runs[0] + "".join(f"(?>[^/]*?{run})" for run in runs[1 : -1 if ends_open else None])
    if ends_open:
        body += f"[^/]*{runs[-1]}"
    if not mark:
        return body
    if is_last:
        return f"(?:.*/)?{body}" if mark == "**/" else f".*{body}"
    return f"(?>(?:.*?/)??{body})" if mark == "**/" else f"(?>.*?{body})"
