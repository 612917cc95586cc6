"""obstore's exceptions, translated: into a row's error code, a retry decision and a message."""

import re
from collections.abc import Callable
from typing import Final, TypeVar

from obstore import exceptions

from seefood.errors import ErrorCode, JobError, PictureError, SeefoodError
from seefood.storage.read_failures import (
    ARCHIVED,
    CHECK_CONNECTION,
    DENIED,
    EXPIRED_CODES,
    FAILED,
    GONE,
    INEXPRESSIBLE,
    LISTING_DENIED,
    NO_BUCKET,
    REPLACED,
    expired_message,
)
from seefood.storage.retry import Failure

_T = TypeVar("_T")
EXPIRED: Final = re.compile("|".join(EXPIRED_CODES))
_STATUS: Final = re.compile(r"status code: (4\d\d)")
_NO_BUCKET: Final = re.compile("NoSuchBucket|ContainerNotFound")
NO_ETAG: Final = "the response has no entity tag, so it is not from the store"


class NotAStoreError(Exception):
    """Something else than the store replied, such as a proxy."""


class ClientPanicError(Exception):
    """obstore broke off: a Rust panic, which Python sees as a `BaseException`."""


def without_panics(call: Callable[[], _T]) -> _T:
    """Return what `call` returns. Raises `ClientPanicError` instead of a panic.

    A panic's message may repeat any value, so it is dropped.
    """
    try:
        return call()
    except Exception:
        raise
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ClientPanicError("the client broke off, which is a defect of obstore") from None


TRANSLATIONS: Final[dict[type[Exception], tuple[ErrorCode, str, Failure]]] = {
    exceptions.NotFoundError: (ErrorCode.NOT_FOUND, GONE, Failure.PERMANENT),
    exceptions.PreconditionError: (ErrorCode.CHANGED, REPLACED, Failure.PERMANENT),
    exceptions.NotModifiedError: (ErrorCode.CHANGED, REPLACED, Failure.PERMANENT),
    exceptions.PermissionDeniedError: (ErrorCode.FORBIDDEN, DENIED, Failure.DENIED),
    exceptions.UnauthenticatedError: (
        ErrorCode.FORBIDDEN,
        "the store does not know these credentials",
        Failure.DENIED,
    ),
    exceptions.InvalidPathError: (ErrorCode.UNSUPPORTED_NAME, INEXPRESSIBLE, Failure.PERMANENT),
    exceptions.AlreadyExistsError: (ErrorCode.STORE_ERROR, FAILED, Failure.PERMANENT),
    exceptions.JoinError: (ErrorCode.STORE_ERROR, FAILED, Failure.PERMANENT),
    exceptions.NotSupportedError: (ErrorCode.STORE_ERROR, FAILED, Failure.PERMANENT),
    exceptions.UnknownConfigurationKeyError: (ErrorCode.STORE_ERROR, FAILED, Failure.PERMANENT),
    exceptions.GenericError: (ErrorCode.STORE_ERROR, FAILED, Failure.NOT_A_STORE),
    exceptions.BaseError: (ErrorCode.STORE_ERROR, FAILED, Failure.PERMANENT),
    FileNotFoundError: (ErrorCode.NOT_FOUND, GONE, Failure.PERMANENT),
    OSError: (ErrorCode.STORE_ERROR, FAILED, Failure.NOT_A_STORE),
    ValueError: (ErrorCode.UNSUPPORTED_NAME, INEXPRESSIBLE, Failure.PERMANENT),
    NotAStoreError: (ErrorCode.STORE_ERROR, FAILED, Failure.NOT_A_STORE),
    ClientPanicError: (ErrorCode.STORE_ERROR, FAILED, Failure.PERMANENT),
    Exception: (ErrorCode.STORE_ERROR, FAILED, Failure.PERMANENT),
}
"""For every exception that obstore raises: the row's error code and message, and the retry."""


def _translation(error: Exception) -> tuple[ErrorCode, str, Failure]:
    """Return the entry of the most specific class."""
    return next(TRANSLATIONS[kind] for kind in type(error).__mro__ if kind in TRANSLATIONS)


def read_error(error: Exception) -> SeefoodError:
    """Return the error to raise where an object could not be read: the job's or the picture's."""
    if expired := EXPIRED.search(str(error)):
        return JobError(expired_message(expired[0]))
    return picture_error(error)


def picture_error(error: Exception) -> PictureError:
    """Return `error` as the error of one picture."""
    if "InvalidObjectState" in str(error):
        return PictureError(ErrorCode.STORE_ERROR, ARCHIVED)
    code, message, _ = _translation(error)
    details = first_line(error) if code is ErrorCode.STORE_ERROR else ""
    return PictureError(code, f"{message}: {details}" if details else message)


def classify_failure(error: Exception) -> Failure:
    """Return whether the request may be sent again; obstore has retried throttling itself."""
    failure = _translation(error)[2]
    if failure is Failure.NOT_A_STORE:
        status = _STATUS.search(str(error))
        if status is not None and status[1] in ("401", "403"):
            failure = Failure.DENIED
        elif status is not None and status[1] not in ("408", "429"):
            failure = Failure.PERMANENT
    if failure is Failure.DENIED and EXPIRED.search(str(error)):
        return Failure.PERMANENT
    return failure


def cause_of(error: Exception, action: str) -> str:
    """Return why `action`, a verb such as "write", failed."""
    if isinstance(error, exceptions.PermissionDeniedError):
        return f"the credentials may not {action} it"
    if action == "write" and isinstance(error, FileNotFoundError | exceptions.NotFoundError):
        return NO_BUCKET
    return str(picture_error(error))


def listing_cause(error: Exception) -> str:
    """Return why a listing failed and what to check."""
    if isinstance(error, FileNotFoundError) or _NO_BUCKET.search(str(error)):
        return NO_BUCKET
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return LISTING_DENIED
    return f"{first_line(error)}; {CHECK_CONNECTION}"


def first_line(error: Exception) -> str:
    """Return the start of obstore's message, without the query strings (signatures) of URLs."""
    line = " ".join(str(error).split("\n\nDebug source:")[0].split())
    return re.sub(r"(https?://[^\s?]+)\?\S+", r"\1", line)[:300]
