"""PutEvents: through botocore, or without it where the environment alone decides.

Importing botocore takes a third of a second of a function's first event.
"""

import datetime as dt
import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from seefood.errors import RetryableError, StopError
from seefood.storage.retry import Failure, RetryPolicy
from seefood.storage.s3_address import environment_address

if TYPE_CHECKING:
    from urllib.error import HTTPError

_ACTION: Final = "AWSEvents.PutEvents"
_TYPE: Final = "application/x-amz-json-1.1"
# Longer than requests are sent again for: a silent bus is asked once.
_TIMEOUT_SECONDS: Final = 10.0
_SERVER_ERROR: Final = 500
_THROTTLED: Final = frozenset({"ThrottlingException", "LimitExceededException", "429"})


class _RefusedError(Exception):
    """EventBridge's answer is an error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


def put_events(entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return EventBridge's answer; throttled, failed and reset requests are sent again for 4 s.

    Raises `RetryableError` if it refuses or does not answer. It may have taken the events
    nevertheless, if its answer was lost.
    """
    from http.client import HTTPException  # noqa: PLC0415 (most functions have no bus)

    # The name of a bucket that could be one: only whether the environment decides is of interest.
    address = environment_address("event-bus", os.environ)
    if address is None:
        return _through_botocore(entries)
    region = address.region
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or f"https://events.{region}.amazonaws.com"
    body = json.dumps({"Entries": entries}).encode()
    try:
        return RetryPolicy(_kind_of).call(lambda: _post(endpoint.rstrip("/"), region, body))
    except _RefusedError as error:
        raise RetryableError(f"the event bus refused an event ({error.code})") from error
    except (OSError, HTTPException, ValueError) as error:
        raise RetryableError(f"the event bus cannot be reached: {error}") from error


def _post(url: str, region: str, body: bytes) -> dict[str, Any]:
    """Send one request, signed now. Raises `_RefusedError`, and what `http.client` raises."""
    from urllib.error import HTTPError  # noqa: PLC0415 (as above)
    from urllib.request import Request, urlopen  # noqa: PLC0415 (as above)

    headers = signed_headers(url, region, body, os.environ, dt.datetime.now(dt.UTC))
    request = Request(f"{url}/", body, headers, method="POST")  # noqa: S310 (AWS's or the user's)
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 (as above)
            answer: dict[str, Any] = json.load(response)
            return answer
    except HTTPError as error:
        raise _RefusedError(error.code, _code(error)) from error


def _kind_of(error: Exception) -> Failure:
    if isinstance(error, _RefusedError):
        is_passing = error.status >= _SERVER_ERROR or error.code in _THROTTLED
        return Failure.BUSY if is_passing else Failure.PERMANENT
    return Failure.BUSY


def signed_headers(
    url: str, region: str, body: bytes, environ: Mapping[str, str], now: dt.datetime
) -> dict[str, str]:
    """Return the headers of a PutEvents request, signed with the keys in `environ`.

    AWS, "Signature Version 4 for API requests"; a test compares it with botocore's.
    """
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "content-type": _TYPE,
        "host": urlsplit(url).netloc,
        "x-amz-date": moment,
        "x-amz-target": _ACTION,
    }
    if token := environ.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = (moment[:8], region, "events", "aws4_request")
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{moment}\n{'/'.join(scope)}\n{digest}"
    key = f"AWS4{environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={environ['AWS_ACCESS_KEY_ID']}/{'/'.join(scope)}, "
        f"SignedHeaders={names}, Signature={key.hex()}"
    )
    return headers


def _code(error: "HTTPError") -> str:
    """Return AWS's name of an error, such as `AccessDeniedException`."""
    try:
        return str(json.loads(error.read(10_000))["__type"]).rpartition("#")[2][:100]
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.code)


def _through_botocore(entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (see above)

    from seefood.storage.s3_identity import service_client  # noqa: PLC0415 (see above)

    try:
        answer: dict[str, Any] = service_client("events").put_events(Entries=entries)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "?")
        raise RetryableError(f"the event bus refused an event ({code})") from error
    except (BotoCoreError, StopError) as error:
        raise RetryableError(f"the event bus cannot be reached: {error}") from error
    return answer
