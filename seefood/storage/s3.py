"""S3's own two reads, key for key: a page of a listing, and one object; and an object's tags.

obstore cannot express every name that S3 allows (`a//b`, `/a`, `a/`, `a/../b`, control characters)
and loses or renames such objects while listing. Here names are what the bucket says they are.
"""

import base64
import hashlib
import http.client
import os
import random
import re
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import getproxies, proxy_bypass
from xml.etree import ElementTree as ET

from seefood.storage.credentials import CredentialChain
from seefood.storage.sigv4 import Credentials, Request, encode_path, sign

_ANSWER_SECONDS: Final = 60.0
_TRIES: Final = 9
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 10.0
_RETRIED_STATUS: Final = frozenset({429, 500, 502, 503, 504})
_RETRIED_CODES: Final = frozenset({"RequestTimeout", "SlowDown", "InternalError"})
EXPIRED_CODES: Final = ("ExpiredToken", "TokenRefreshRequired", "RequestTimeTooSkewed")
"""S3's codes for credentials that were good and are no longer."""


class S3Error(Exception):
    """What S3 answered instead: an HTTP status and its own code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code or status}: {message}" if message else code or str(status))
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Listed:
    """One object as a listing tells of it."""

    key: str
    etag: str
    size_bytes: int
    modified: float
    """POSIX seconds."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Of which content, and how much of it."""

    etag: str = ""
    """Only while the object has this tag; not asked for where a version is named."""
    version_id: str | None = None
    first_bytes: int | None = None

    @property
    def query(self) -> dict[str, str]:
        """The query that says so."""
        return {"versionId": self.version_id} if self.version_id is not None else {}

    @property
    def headers(self) -> dict[str, str]:
        """The headers that say so."""
        headers = {}
        if self.etag and self.version_id is None:
            headers["if-match"] = f'"{self.etag}"'
        if self.first_bytes is not None:
            headers["range"] = f"bytes=0-{self.first_bytes - 1}"
        return headers


@dataclass(frozen=True, slots=True)
class _Read:
    """A request before it has a host and a signature."""

    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""


class Bucket:
    """One bucket; any thread may call."""

    def __init__(self, name: str, credentials: CredentialChain) -> None:
        env = os.environ
        self._credentials = credentials
        self._region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"
        self._name = name
        self._endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
        self._unsigned = env.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true")
        self._local = threading.local()

    def is_readable(self) -> bool:
        """Whether there are credentials to sign with, or none are wanted."""
        return self._unsigned or self._credentials.current() is not None

    def page(self, prefix: str, after: str) -> bytes:
        """Return one page of ListObjectsV2 as it came: keys that sort after `after`.

        Raises `S3Error`, or `OSError` where there is no answer.
        """
        query = {"list-type": "2", "prefix": prefix, "encoding-type": "url", "max-keys": "1000"}
        if after:
            query["start-after"] = after
        return self._read(_Read("", query))[1]

    def get(self, key: str, options: "ReadOptions" = ReadOptions()) -> bytes:
        """Return an object's bytes. Raises `S3Error`, or `OSError` where there is no answer."""
        return self._read(_Read(key, options.query, options.headers))[1]

    def head(self, key: str, version_id: str | None = None) -> Listed:
        """Return what an object is now. Raises as `get` does."""
        options = ReadOptions(version_id=version_id)
        headers, _ = self._read(_Read(key, options.query, options.headers, "HEAD"))
        modified = headers.get("Last-Modified")
        return Listed(
            key,
            headers.get("ETag", "").strip('"'),
            int(headers.get("Content-Length", 0)),
            parsedate_to_datetime(modified).timestamp() if modified else 0.0,
        )

    def tags(self, key: str, version_id: str | None = None) -> dict[str, str]:
        """Return an object's tags. Raises as `get` does."""
        query = {"tagging": "", **ReadOptions(version_id=version_id).query}
        _, body = self._read(_Read(key, query))
        return read_tags(body)

    def put_tags(self, key: str, tags: Mapping[str, str], version_id: str | None = None) -> None:
        """Replace all of an object's tags. Idempotent. Raises as `get` does."""
        query = {"tagging": "", **ReadOptions(version_id=version_id).query}
        body = write_tags(tags)
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        self._read(_Read(key, query, {"content-md5": md5}, "PUT", body))

    def _read(self, read: "_Read") -> tuple[Message, bytes]:
        """Ask until there is an answer, with back-off and full jitter between the tries."""
        renewed = False
        for left in reversed(range(_TRIES)):
            try:
                return self._once(read)
            except S3Error as error:
                if error.code in EXPIRED_CODES and not renewed:
                    renewed = True
                    self._credentials.current(renew=True)
                    continue
                retried = error.status in _RETRIED_STATUS or error.code in _RETRIED_CODES
                if not retried or not left:
                    raise
            except (OSError, http.client.HTTPException) as error:
                self._local.connection = None
                if not left:
                    raise OSError(f"no answer: {error!r}") from error
            wait = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** (_TRIES - left - 1))
            time.sleep(random.uniform(0, wait))
        raise OSError("no answer")  # the last try has raised already

    def _once(self, read: "_Read") -> tuple[Message, bytes]:
        secure, host, base = self._address()
        path = f"{base}/{encode_path(read.key)}" if read.key else base or "/"
        request = Request(host, path, read.query, read.method, read.body)
        credentials = None if self._unsigned else self._credentials.current()
        sent = self._headers(request, credentials, read.headers)
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None or self._local.host != host:
            connection = _connect(host, secure=secure)
            self._local.connection, self._local.host = connection, host
        connection.request(read.method, request.target, read.body or None, sent)
        answer = connection.getresponse()
        body = answer.read()  # http.client raises IncompleteRead for a body that was cut off
        if answer.status in (http.client.OK, http.client.PARTIAL_CONTENT):
            return answer.headers, body
        region = answer.headers.get("x-amz-bucket-region")
        if region and region != self._region and answer.status in (301, 307, 400):
            self._region = region
            return self._once(read)
        raise _error(answer.status, body)

    def _headers(
        self, request: Request, credentials: Credentials | None, extra: Mapping[str, str]
    ) -> dict[str, str]:
        if credentials is None:
            return {"host": request.host, **extra}
        return sign(request, credentials, self._region, datetime.now(UTC), extra)

    def _address(self) -> tuple[bool, str, str]:
        """Return whether TLS is spoken, the host, and the path that the bucket lies at."""
        if self._endpoint:
            parts = urlsplit(self._endpoint)
            return parts.scheme == "https", parts.netloc, f"{parts.path.rstrip('/')}/{self._name}"
        if "." in self._name:  # no certificate covers a dot in the bucket's name
            return True, f"s3.{self._region}.amazonaws.com", f"/{self._name}"
        return True, f"{self._name}.s3.{self._region}.amazonaws.com", ""


_FIELDS: Final = re.compile(
    rb"<(?P<name>IsTruncated|EncodingType)>([^<]*)</(?P=name)>",
)
_KEY: Final = re.compile(rb"<Key>([^<]*)</Key>")
_CONTENTS: Final = re.compile(
    rb"<Contents>\s*<Key>([^<]*)</Key>\s*<LastModified>([^<]+)</LastModified>\s*"
    rb"<ETag>([^<]*)</ETag>(?:(?!<Size>|</Contents>)[\s\S])*<Size>(\d+)</Size>"
)


def page_end(page: bytes) -> tuple[bool, str]:
    """Return whether more follows a listing's page, and its last key ("" if it has none)."""
    fields = {match[1]: match[2] for match in _FIELDS.finditer(page)}
    at = page.rfind(b"<Key>")
    match = _KEY.match(page, at) if at >= 0 else None
    encoded = fields.get(b"EncodingType") == b"url"
    return fields.get(b"IsTruncated") == b"true", _plain(match[1], encoded) if match else ""


def page_keys(page: bytes) -> list[str]:
    """Return a page's keys alone, at a tenth of the cost of `read_page`."""
    encoded = b"<EncodingType>url<" in page
    return [_plain(match[1], encoded) for match in _KEY.finditer(page)]


def read_tags(answer: bytes) -> dict[str, str]:
    """Return the tags of a GetObjectTagging answer. Raises `S3Error` for another answer."""
    try:
        root = ET.fromstring(answer)  # noqa: S314 (as below)
    except ET.ParseError as error:
        raise S3Error(200, "", f"the answer holds no tags: {error}") from error
    texts = [
        {child.tag.rpartition("}")[2]: child.text or "" for child in tag}
        for tag in root.iter()
        if tag.tag.rpartition("}")[2] == "Tag"
    ]
    return {text["Key"]: text.get("Value", "") for text in texts if "Key" in text}


def write_tags(tags: Mapping[str, str]) -> bytes:
    """Return the body of a PutObjectTagging request."""
    root = ET.Element("Tagging", xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
    each = ET.SubElement(root, "TagSet")
    for name, value in tags.items():
        tag = ET.SubElement(each, "Tag")
        ET.SubElement(tag, "Key").text = name
        ET.SubElement(tag, "Value").text = value
    return bytes(ET.tostring(root, encoding="utf-8"))


def read_page(page: bytes) -> list[Listed]:
    """Return a page's objects. Raises `S3Error` for an answer that is no listing."""
    if b"<EncodingType>url<" in page:
        # As S3 writes it: a regular expression takes a third of what a parser does.
        found = _CONTENTS.findall(page)
        if len(found) == page.count(b"<Contents>") and page.rstrip().endswith(b"Result>"):
            return [
                Listed(
                    _unquote(key.decode()),
                    etag.replace(b"&quot;", b"").strip(b'"').decode(),
                    int(size),
                    datetime.fromisoformat(modified.decode()).timestamp(),
                )
                for key, modified, etag, size in found
            ]
    return _parse_page(page)


def _parse_page(page: bytes) -> list[Listed]:
    try:
        root = ET.fromstring(page)  # noqa: S314 (expat of today refuses entity bombs)
    except ET.ParseError as error:
        raise S3Error(200, "", f"the answer is no listing: {error}") from error
    space = root.tag.rpartition("}")[0] + "}" if "}" in root.tag else ""
    encoded = root.findtext(f"{space}EncodingType") == "url"
    listed = []
    for item in root.iter(f"{space}Contents"):
        values = {child.tag.rpartition("}")[2]: child.text or "" for child in item}
        key = values.get("Key", "")
        listed.append(
            Listed(
                _unquote(key) if encoded else key,
                values.get("ETag", "").strip('"'),
                int(values.get("Size") or 0),
                datetime.fromisoformat(
                    values.get("LastModified") or "1970-01-01T00:00:00Z"
                ).timestamp(),
            )
        )
    return listed


def _plain(key: bytes, encoded: bool) -> str:  # noqa: FBT001 (one of two spellings)
    if encoded:
        return _unquote(key.decode())
    text = key.decode()
    if "&" in text:
        for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'")):
            text = text.replace(entity, character)
        text = re.sub(r"&#(x?)([0-9A-Fa-f]+);", lambda m: chr(int(m[2], 16 if m[1] else 10)), text)
        text = text.replace("&amp;", "&")
    return text


def _unquote(key: str) -> str:
    if "%" not in key and "+" not in key:
        return key
    return unquote_to_bytes(key.replace("+", " ")).decode("utf-8", "surrogateescape")


def _connect(host: str, *, secure: bool) -> http.client.HTTPConnection:
    proxy = getproxies().get("https" if secure else "http")
    target = urlsplit(proxy).netloc if proxy and not proxy_bypass(host) else host
    connection: http.client.HTTPConnection
    if secure:
        bundle = os.environ.get("AWS_CA_BUNDLE")
        context = ssl.create_default_context(cafile=bundle)
        connection = http.client.HTTPSConnection(target, timeout=_ANSWER_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(target, timeout=_ANSWER_SECONDS)
    if target != host:
        connection.set_tunnel(host)
    return connection


def _error(status: int, body: bytes) -> S3Error:
    code = re.search(rb"<Code>([^<]*)</Code>", body)
    said = re.search(rb"<Message>([^<]*)</Message>", body)
    return S3Error(
        status,
        code[1].decode(errors="replace") if code else "",
        said[1].decode(errors="replace")[:200] if said else "",
    )
