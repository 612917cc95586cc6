"""What obstore's exceptions mean: for one picture, for the next request, and in words."""

import re
from typing import Final

from obstore import exceptions

from seefood.errors import ErrorCode, JobError, PictureError, SeefoodError
from seefood.storage.retry import Failure

EXPIRED: Final = re.compile("(ExpiredToken|TokenRefreshRequired|RequestTimeTooSkewed)")
"""S3's words for credentials that were good and are no longer: no picture's fault."""
EXPIRED_MESSAGE: Final = (
    "the store says {code}: the credentials have expired (or this clock is wrong); renew them and "
    "run the same command again, it goes on where it stopped"
)
_STATUS: Final = re.compile(r"status code: (4\d\d)")
NO_TAG: Final = "the answer has no entity tag: something else than the store gave it"
# Every exception that obstore documents, and what it means for one picture.
_CODES: Final[tuple[tuple[type[Exception], ErrorCode, str], ...]] = (
    (FileNotFoundError, ErrorCode.NOT_FOUND, "the object is gone since it was listed"),
    (
        exceptions.PreconditionError,
        ErrorCode.CHANGED,
        "the object was replaced since it was listed",
    ),
    (exceptions.NotModifiedError, ErrorCode.CHANGED, "the object was replaced since it was listed"),
    (exceptions.PermissionDeniedError, ErrorCode.FORBIDDEN, "the credentials may not read it"),
    (exceptions.UnauthenticatedError, ErrorCode.FORBIDDEN, "the store knows no such credentials"),
    (exceptions.InvalidPathError, ErrorCode.UNSUPPORTED_NAME, "the client cannot express the name"),
    (ValueError, ErrorCode.UNSUPPORTED_NAME, "the client cannot express the name"),
    (exceptions.BaseError, ErrorCode.STORE_ERROR, "the store failed"),
    (OSError, ErrorCode.STORE_ERROR, "the store failed"),
)


class OddAnswerError(Exception):
    """Something else than the store answered."""


def read_error(error: Exception) -> SeefoodError:
    """Return what stops the job, or what `error` means for one picture."""
    if expired := EXPIRED.search(str(error)):
        return JobError(EXPIRED_MESSAGE.format(code=expired[1]))
    return translate(error)


def translate(error: Exception) -> PictureError:
    """Return what `error` of obstore means for one picture, by one table."""
    if "InvalidObjectState" in str(error):
        return PictureError(ErrorCode.STORE_ERROR, "the object is archived; restore it first")
    for kind, code, meaning in _CODES:
        if isinstance(error, kind):
            said = first_line(error) if code is ErrorCode.STORE_ERROR else ""
            return PictureError(code, f"{meaning}: {said}" if said else meaning)
    return PictureError(ErrorCode.STORE_ERROR, f"the store failed: {first_line(error)}")


def failure(error: Exception) -> Failure:
    """Return what a failure says of the next request; busy stores were tried again by obstore."""
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return Failure.PERMANENT if EXPIRED.search(str(error)) else Failure.DENIED
    passing = (exceptions.GenericError, OddAnswerError, OSError)
    if isinstance(error, FileNotFoundError) or not isinstance(error, passing):
        return Failure.PERMANENT
    status = _STATUS.search(str(error))
    if status is None or status[1] in ("408", "429"):
        return Failure.NOT_A_STORE
    refused = status[1] in ("401", "403") and not EXPIRED.search(str(error))
    return Failure.DENIED if refused else Failure.PERMANENT


def cause_of(error: Exception, doing: str) -> str:
    """Return why `doing` something else than reading failed."""
    if isinstance(error, exceptions.PermissionDeniedError):
        return f"the credentials may not {doing} it"
    return str(translate(error))


def listing_cause(error: Exception) -> str:
    """Return why a listing failed and what to look at."""
    text = str(error)
    if isinstance(error, FileNotFoundError) or "NoSuchBucket" in text:
        return "there is no such bucket; check its name and AWS_REGION"
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return "the credentials may not list it; check them and the bucket's policy"
    return f"{first_line(error)}; check the name, the region, the endpoint and the network"


def first_line(error: Exception) -> str:
    """Return the beginning of obstore's message, without addresses' query strings (signatures)."""
    line = " ".join(str(error).split("\n\nDebug source:")[0].split())
    return re.sub(r"(https?://[^\s?]+)\?\S+", r"\1", line)[:300]
