"""S3 through botocore: pages of a listing, reading one object, and an object's tags and metadata.

obstore cannot express every key that S3 allows (`a//b`, `/a`, `a/`, `a/../b`, control characters)
and loses or renames such objects in listings. Here keys are used unchanged. botocore addresses,
signs and sends each request; of a listing's response only the page's bytes are used.
"""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from botocore import exceptions
from botocore.parsers import ResponseParserError

from seefood.storage.aws_errors import CredentialsError, explain
from seefood.storage.read_failures import EXPIRED_CODES
from seefood.storage.retry import Failure, Permission, RetryPolicy
from seefood.storage.s3_identity import Identity, forget, identity_of
from seefood.storage.s3_responses import ListedObject, S3Error, check_page

_T = TypeVar("_T")
_RETRIED_STATUS: Final = frozenset({429, 500, 502, 503, 504})
_RETRIED_CODES: Final = frozenset({"RequestTimeout", "SlowDown", "InternalError"})
_STATED: Final = (
    "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType",
    "Metadata", "WebsiteRedirectLocation", "StorageClass",
)  # fmt: skip
# No response, or one that ended too early.
_BROKEN: Final = (
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    exceptions.ConnectionError,
)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Which content of an object to read, and how much of it."""

    etag: str = ""
    """Fail if the object has another entity tag; ignored with a `version_id`."""
    version_id: str | None = None
    first_bytes: int | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The options as botocore's parameters."""
        parameters = {}
        if self.version_id is not None:
            parameters["VersionId"] = self.version_id
        elif self.etag:
            parameters["IfMatch"] = f'"{self.etag}"'
        if self.first_bytes is not None:
            parameters["Range"] = f"bytes=0-{self.first_bytes - 1}"
        return parameters


class S3Client:
    """The client of one bucket. Thread-safe."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._retry = RetryPolicy(_classify_failure)

    def list_page(self, prefix: str, after: str) -> bytes:
        """Return one page of ListObjectsV2, unparsed: keys that sort after `after`.

        Raises `S3Error`, also for a response that is not a listing, or `OSError` without response.
        """
        start = {"StartAfter": after} if after else {}

        def get(client: Any, **common: str) -> bytes:
            page: bytes = client.list_objects_v2(
                **common, Prefix=prefix, MaxKeys=1000, EncodingType="url", **start
            )["Page"]
            check_page(page)
            return page

        return self._call(get, "list")

    def find_region(self) -> None:
        """Let botocore learn the bucket's region from a refusal; any other refusal is ignored."""
        try:
            self._send(lambda client, **common: client.list_objects_v2(**common, MaxKeys=1))
        except (S3Error, OSError):
            return

    def get(self, key: str, options: ReadOptions = ReadOptions()) -> bytes:
        """Return an object's bytes. Raises `S3Error`, or `OSError` without response."""

        def get(client: Any, **common: str) -> tuple[str, bytes]:
            response = client.get_object(**common, Key=key, **options.parameters)
            return response.get("ETag", "").strip('"'), response["Body"].read()

        etag, body = self._call(get)
        if options.etag and options.version_id is None and etag != options.etag:
            raise S3Error(412 if etag else 200, "", "the response has another entity tag or none")
        return body

    def head(self, key: str, version_id: str | None = None) -> ListedObject:
        """Return an object's current metadata. Raises as `get` does."""
        options = ReadOptions(version_id=version_id).parameters
        response = self._call(
            lambda client, **common: client.head_object(**common, Key=key, **options)
        )
        modified = response.get("LastModified")
        return ListedObject(
            key,
            response.get("ETag", "").strip('"'),
            int(response.get("ContentLength", 0)),
            modified.timestamp() if modified else 0.0,
        )

    def metadata(self, key: str) -> dict[str, Any]:
        """Return what an object's writer stated about it, as `create` takes it. Raises as `get`."""
        response = self._call(lambda client, **common: client.head_object(**common, Key=key))
        return {name: response[name] for name in _STATED if name in response}

    def create(
        self, key: str, data: bytes, metadata: Mapping[str, Any], tags: Mapping[str, str]
    ) -> bool:
        """Write an object unless there is one; return whether it was written. Raises as `get`.

        If the response to a successful request is lost, the retry returns False.
        """
        tagging = {"Tagging": urlencode(tags)} if tags else {}
        try:
            self._call(
                lambda client, **common: client.put_object(
                    **common, Key=key, Body=data, IfNoneMatch="*", **metadata, **tagging
                )
            )
        except S3Error as error:
            if error.status == http.client.PRECONDITION_FAILED:
                return False
            raise
        return True

    def tags(self, key: str, version_id: str | None = None) -> dict[str, str]:
        """Return an object's tags. Raises as `get` does."""
        options = ReadOptions(version_id=version_id).parameters
        response = self._call(
            lambda client, **common: client.get_object_tagging(**common, Key=key, **options)
        )
        return {tag["Key"]: tag["Value"] for tag in response.get("TagSet", [])}

    def put_tags(self, key: str, tags: Mapping[str, str], version_id: str | None = None) -> None:
        """Replace all of an object's tags. Idempotent. Raises as `get` does."""
        options = ReadOptions(version_id=version_id).parameters
        tag_set = [{"Key": name, "Value": value} for name, value in tags.items()]
        self._call(
            lambda client, **common: client.put_object_tagging(
                **common, Key=key, Tagging={"TagSet": tag_set}, **options
            )
        )

    def _call(self, request: Callable[..., _T], permission: Permission | None = None) -> _T:
        return self._retry.call(lambda: self._send(request), permission)

    def _send(self, request: Callable[..., _T]) -> _T:
        """Send a request, and once more with renewed credentials if they have expired."""
        identity = identity_of(self._name)
        try:
            return self._send_once(identity, request)
        except S3Error as error:
            if error.code not in EXPIRED_CODES:
                raise
            forget(identity)
            return self._send_once(identity_of(self._name), request)

    def _send_once(self, identity: Identity, request: Callable[..., _T]) -> _T:
        payer = {"RequestPayer": "requester"} if identity.payer else {}
        identity.frozen()  # raises what is wrong with the credentials, in our words
        try:
            return request(identity.client, Bucket=self._name, **payer)
        except exceptions.ClientError as error:
            raise _refusal(error.response) from error
        except ResponseParserError as error:
            raise S3Error(200, "", "the response is not the store's") from error
        except _BROKEN as error:
            raise OSError(f"no response: {_words(error)}") from error
        except exceptions.BotoCoreError as error:
            raise CredentialsError(explain(error, identity.session)) from error


def _refusal(response: Mapping[str, Any]) -> S3Error:
    """Return the error of a response with another status than 200."""
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    error = response.get("Error", {})
    code = str(error.get("Code", ""))
    return S3Error(status, "" if code.isdigit() else code, str(error.get("Message", ""))[:200])


def _words(error: Exception) -> str:
    """Return botocore's message without the query of its URL."""
    return str(error).partition("?")[0][:300]


def _classify_failure(error: Exception) -> Failure:
    if not isinstance(error, S3Error):
        return Failure.THROTTLED if isinstance(error, OSError) else Failure.PERMANENT
    if error.status in _RETRIED_STATUS or error.code in _RETRIED_CODES:
        return Failure.THROTTLED
    if error.status == http.client.OK:
        return Failure.NOT_A_STORE
    is_denied = error.status in (401, 403) and error.code not in EXPIRED_CODES
    return Failure.DENIED if is_denied else Failure.PERMANENT
