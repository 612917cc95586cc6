"""Why an object cannot be read: one wording for obstore and for seefood's own S3 client."""

from typing import Final

from seefood.errors import JobError, UsageError

GONE: Final = "the object is gone since it was listed"
REPLACED: Final = "the object was replaced since it was listed"
ARCHIVED: Final = "the object is archived; restore it first"
DENIED: Final = "the credentials may not read it"
FAILED: Final = "the store failed"
INEXPRESSIBLE: Final = "the client cannot express the name"
NO_BUCKET: Final = "there is no such bucket; check its name and AWS_REGION"
LISTING_DENIED: Final = "the credentials may not list it; check them and the bucket's policy"
CHECK_CONNECTION: Final = "check the name, the region, the endpoint and the network"

EXPIRED_CODES: Final = ("ExpiredToken", "TokenRefreshRequired", "RequestTimeTooSkewed")
"""S3's error codes for credentials that were valid before; these stop the job."""


def expired_message(code: str) -> str:
    """Return the message for one of `EXPIRED_CODES`."""
    return (
        f"the store says {code}: the credentials have expired (or this clock is wrong); renew them "
        "and run the same command again, it goes on where it stopped"
    )


def listing_error(listed: str, cause: str, *, has_begun: bool) -> JobError | UsageError:
    """Return the error of a listing: the user's before its first page, then the job's."""
    message = f"cannot list {listed}: {cause}"
    return JobError(f"{message}; run it again") if has_begun else UsageError(message)
