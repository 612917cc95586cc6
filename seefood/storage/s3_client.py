"""S3's own two reads, key for key: a page of a listing, and one object; and an object's tags.

obstore cannot express every name that S3 allows (`a//b`, `/a`, `a/`, `a/../b`, control characters)
and loses or renames such objects while listing. Here names are what the bucket says they are.
"""

import base64
import hashlib
import http.client
import os
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from seefood.storage.credentials import CredentialChain
from seefood.storage.retry import Failure, RetryPolicy
from seefood.storage.s3_responses import (
    Listed,
    S3Error,
    check_page,
    read_error,
    read_tags,
    write_tags,
)
from seefood.storage.sigv4 import Credentials, Request, encode_path, sign

_ANSWER_SECONDS: Final = 60.0
_RETRIED_STATUS: Final = frozenset({429, 500, 502, 503, 504})
_RETRIED_CODES: Final = frozenset({"RequestTimeout", "SlowDown", "InternalError"})
EXPIRED_CODES: Final = ("ExpiredToken", "TokenRefreshRequired", "RequestTimeTooSkewed")
"""S3's codes for credentials that were good and are no longer."""


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
        self._again = RetryPolicy(_meaning)

    def is_readable(self) -> bool:
        """Whether there are credentials to sign with, or none are wanted."""
        return self._unsigned or self._credentials.current() is not None

    def page(self, prefix: str, after: str) -> bytes:
        """Return one page of ListObjectsV2 as it came: keys that sort after `after`.

        Raises `S3Error`, also for an answer that is no listing, or `OSError` where there is none.
        """
        query = {"list-type": "2", "prefix": prefix, "encoding-type": "url", "max-keys": "1000"}
        if after:
            query["start-after"] = after

        def ask() -> bytes:
            page = self._ask(_Read("", query))[1]
            check_page(page)
            return page

        return self._again.send(ask, "list")

    def get(self, key: str, options: "ReadOptions" = ReadOptions()) -> bytes:
        """Return an object's bytes. Raises `S3Error`, or `OSError` where there is no answer."""
        headers, body = self._read(_Read(key, options.query, options.headers))
        tag = headers.get("ETag", "").strip('"')
        if options.etag and options.version_id is None and tag != options.etag:
            raise S3Error(412 if tag else 200, "", "the answer has another entity tag or none")
        return body

    def head(self, key: str, version_id: str | None = None) -> Listed:
        """Return what an object is now. Raises as `get` does."""
        options = ReadOptions(version_id=version_id)
        headers, _ = self._read(_Read(key, options.query, options.headers, "HEAD"))
        modified = headers.get("Last-Modified")
        try:
            return Listed(
                key,
                headers.get("ETag", "").strip('"'),
                int(headers.get("Content-Length", 0)),
                parsedate_to_datetime(modified).timestamp() if modified else 0.0,
            )
        except (ValueError, OverflowError) as error:
            raise S3Error(200, "", f"the answer describes no object: {error}") from error

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
        return self._again.send(lambda: self._ask(read))

    def _ask(self, read: "_Read") -> tuple[Message, bytes]:
        """Ask once; twice if the credentials have expired and others are found."""
        try:
            return self._once(read)
        except S3Error as error:
            if error.code not in EXPIRED_CODES:
                raise
            self._credentials.current(renew=True)
            return self._once(read)

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
        try:
            connection.request(read.method, request.target, read.body or None, sent)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:  # also a body that was cut off
            self._local.connection = None
            raise OSError(f"no answer: {error!r}") from error
        if answer.status in (http.client.OK, http.client.PARTIAL_CONTENT):
            return answer.headers, body
        region = answer.headers.get("x-amz-bucket-region")
        if region and region != self._region and answer.status in (301, 307, 400):
            self._region = region
            return self._once(read)
        raise read_error(answer.status, body)

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


def _meaning(error: Exception) -> Failure:
    """Return what a failure says of the next request."""
    if not isinstance(error, S3Error):
        return Failure.THROTTLED if isinstance(error, OSError) else Failure.PERMANENT
    if error.status in _RETRIED_STATUS or error.code in _RETRIED_CODES:
        return Failure.THROTTLED
    if error.status == http.client.OK:
        return Failure.NOT_A_STORE
    refused = error.status in (401, 403) and error.code not in EXPIRED_CODES
    return Failure.DENIED if refused else Failure.PERMANENT


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
