"""A small S3 client: pages of a listing, reading one object, and an object's tags.

obstore cannot express every key that S3 allows (`a//b`, `/a`, `a/`, `a/../b`, control characters)
and loses or renames such objects in listings. Here keys are used unchanged.
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
from seefood.storage.read_failures import EXPIRED_CODES
from seefood.storage.retry import Failure, RetryPolicy
from seefood.storage.s3_responses import (
    ListedObject,
    S3Error,
    check_page,
    read_error,
    read_tags,
    write_tags,
)
from seefood.storage.sigv4 import Credentials, Request, encode_path, sign

_TIMEOUT_SECONDS: Final = 60.0
_RETRIED_STATUS: Final = frozenset({429, 500, 502, 503, 504})
_RETRIED_CODES: Final = frozenset({"RequestTimeout", "SlowDown", "InternalError"})


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Which content of an object to read, and how much of it."""

    etag: str = ""
    """Fail if the object has another entity tag; ignored with a `version_id`."""
    version_id: str | None = None
    first_bytes: int | None = None

    @property
    def query(self) -> dict[str, str]:
        """The options that belong in the query."""
        return {"versionId": self.version_id} if self.version_id is not None else {}

    @property
    def headers(self) -> dict[str, str]:
        """The options that belong in the headers."""
        headers = {}
        if self.etag and self.version_id is None:
            headers["if-match"] = f'"{self.etag}"'
        if self.first_bytes is not None:
            headers["range"] = f"bytes=0-{self.first_bytes - 1}"
        return headers


@dataclass(frozen=True, slots=True)
class _UnsignedRequest:
    """A request without host and signature."""

    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""


class S3Client:
    """The client of one bucket. Thread-safe."""

    def __init__(self, name: str, credentials: CredentialChain) -> None:
        env = os.environ
        self._credentials = credentials
        self._region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"
        self._name = name
        self._endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
        self._unsigned = env.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true")
        self._local = threading.local()
        self._retry = RetryPolicy(_classify_failure)

    def has_credentials(self) -> bool:
        """Whether there are credentials to sign with, or none are needed."""
        return self._unsigned or self._credentials.current() is not None

    def list_page(self, prefix: str, after: str) -> bytes:
        """Return one page of ListObjectsV2, unparsed: keys that sort after `after`.

        Raises `S3Error`, also for a response that is not a listing, or `OSError` without response.
        """
        query = {"list-type": "2", "prefix": prefix, "encoding-type": "url", "max-keys": "1000"}
        if after:
            query["start-after"] = after

        def get() -> bytes:
            page = self._send(_UnsignedRequest("", query))[1]
            check_page(page)
            return page

        return self._retry.call(get, "list")

    def get(self, key: str, options: ReadOptions = ReadOptions()) -> bytes:
        """Return an object's bytes. Raises `S3Error`, or `OSError` without response."""
        headers, body = self._call(_UnsignedRequest(key, options.query, options.headers))
        etag = headers.get("ETag", "").strip('"')
        if options.etag and options.version_id is None and etag != options.etag:
            raise S3Error(412 if etag else 200, "", "the response has another entity tag or none")
        return body

    def head(self, key: str, version_id: str | None = None) -> ListedObject:
        """Return an object's current metadata. Raises as `get` does."""
        options = ReadOptions(version_id=version_id)
        headers, _ = self._call(_UnsignedRequest(key, options.query, options.headers, "HEAD"))
        modified = headers.get("Last-Modified")
        try:
            return ListedObject(
                key,
                headers.get("ETag", "").strip('"'),
                int(headers.get("Content-Length", 0)),
                parsedate_to_datetime(modified).timestamp() if modified else 0.0,
            )
        except (ValueError, OverflowError) as error:
            raise S3Error(200, "", f"the response does not describe an object: {error}") from error

    def tags(self, key: str, version_id: str | None = None) -> dict[str, str]:
        """Return an object's tags. Raises as `get` does."""
        query = {"tagging": "", **ReadOptions(version_id=version_id).query}
        _, body = self._call(_UnsignedRequest(key, query))
        return read_tags(body)

    def put_tags(self, key: str, tags: Mapping[str, str], version_id: str | None = None) -> None:
        """Replace all of an object's tags. Idempotent. Raises as `get` does."""
        query = {"tagging": "", **ReadOptions(version_id=version_id).query}
        body = write_tags(tags)
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        self._call(_UnsignedRequest(key, query, {"content-md5": md5}, "PUT", body))

    def _call(self, request: _UnsignedRequest) -> tuple[Message, bytes]:
        return self._retry.call(lambda: self._send(request))

    def _send(self, request: _UnsignedRequest) -> tuple[Message, bytes]:
        """Send a request, and once more with renewed credentials if they have expired."""
        try:
            return self._send_once(request)
        except S3Error as error:
            if error.code not in EXPIRED_CODES:
                raise
            self._credentials.current(renew=True)
            return self._send_once(request)

    def _send_once(self, unsigned: _UnsignedRequest) -> tuple[Message, bytes]:
        secure, host, base = self._address()
        path = f"{base}/{encode_path(unsigned.key)}" if unsigned.key else base or "/"
        request = Request(host, path, unsigned.query, unsigned.method, unsigned.body)
        credentials = None if self._unsigned else self._credentials.current()
        headers = self._headers(request, credentials, unsigned.headers)
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None or self._local.host != host:
            connection = _connect(host, secure=secure)
            self._local.connection, self._local.host = connection, host
        try:
            connection.request(request.method, request.target, request.body or None, headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:  # also a truncated body
            self._local.connection = None
            raise OSError(f"no response: {error!r}") from error
        if response.status in (http.client.OK, http.client.PARTIAL_CONTENT):
            return response.headers, body
        region = response.headers.get("x-amz-bucket-region")
        if region and region != self._region and response.status in (301, 307, 400):
            self._region = region
            return self._send_once(unsigned)
        raise read_error(response.status, body)

    def _headers(
        self, request: Request, credentials: Credentials | None, extra: Mapping[str, str]
    ) -> dict[str, str]:
        if credentials is None:
            return {"host": request.host, **extra}
        return sign(request, credentials, self._region, datetime.now(UTC), extra)

    def _address(self) -> tuple[bool, str, str]:
        """Return whether to use TLS, the host, and the path of the bucket."""
        if self._endpoint:
            parts = urlsplit(self._endpoint)
            return parts.scheme == "https", parts.netloc, f"{parts.path.rstrip('/')}/{self._name}"
        if "." in self._name:  # certificates do not cover names with a dot
            return True, f"s3.{self._region}.amazonaws.com", f"/{self._name}"
        return True, f"{self._name}.s3.{self._region}.amazonaws.com", ""


def _classify_failure(error: Exception) -> Failure:
    if not isinstance(error, S3Error):
        return Failure.THROTTLED if isinstance(error, OSError) else Failure.PERMANENT
    if error.status in _RETRIED_STATUS or error.code in _RETRIED_CODES:
        return Failure.THROTTLED
    if error.status == http.client.OK:
        return Failure.NOT_A_STORE
    is_denied = error.status in (401, 403) and error.code not in EXPIRED_CODES
    return Failure.DENIED if is_denied else Failure.PERMANENT


def _connect(host: str, *, secure: bool) -> http.client.HTTPConnection:
    proxy = getproxies().get("https" if secure else "http")
    target = urlsplit(proxy).netloc if proxy and not proxy_bypass(host) else host
    connection: http.client.HTTPConnection
    if secure:
        bundle = os.environ.get("AWS_CA_BUNDLE")
        context = ssl.create_default_context(cafile=bundle)
        connection = http.client.HTTPSConnection(target, timeout=_TIMEOUT_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(target, timeout=_TIMEOUT_SECONDS)
    if target != host:
        connection.set_tunnel(host)
    return connection
