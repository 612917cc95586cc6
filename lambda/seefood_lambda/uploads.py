"""Labels uploads: reads ahead, classifies one after the other, writes in the background.

Reading, writing and tagging run on a few threads; the network runs on the calling thread. Work
stops at the deadline: uploads that are not done by then are to be delivered again.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from seefood.classification import Fetched
from seefood.errors import ErrorCode, RetryableError, UsageError
from seefood.records import ImageRef, Row, Status
from seefood.storage.read_failures import ARCHIVED
from seefood_lambda.classifier import Classifier, fetch
from seefood_lambda.events import Upload, order_of
from seefood_lambda.object_tags import tag_object
from seefood_lambda.result_events import announce
from seefood_lambda.result_writer import WriteResult, put_row
from seefood_lambda.settings import LambdaConfig, is_own_output

_T = TypeVar("_T")
_THREADS: Final = 8
_MAX_PREFETCHED_BYTES: Final = 64 * 1024 * 1024
MARGIN_SECONDS: Final = 1.0
"""Work stops this long before the deadline, which leaves time for the response."""

# Errors of the store or its permissions, not of the picture. The message is delivered again, and at
# last waits in the dead-letter queue until an operator has fixed the cause and starts a redrive.
_RETRIED: Final = frozenset({ErrorCode.FORBIDDEN, ErrorCode.STORE_ERROR})


class UploadStatus(StrEnum):
    """The result of processing one upload."""

    LABELLED = "labelled"
    FAILED = "failed"
    """It has a row with an error and no label. Final."""
    REPEATED = "repeated"
    """It had a row already: a duplicate or late delivery, nothing was changed."""
    REFUSED = "refused"
    """It is an object that seefood wrote, not an upload. Final."""
    RETRY = "retry"
    """It has no row yet: the store failed, or time ran out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one upload."""

    ref: ImageRef
    status: UploadStatus
    row: Row | None = None
    reason: str | None = None
    """Why it must be delivered again, was refused, or has no tag."""
    milliseconds: float = 0.0
    """Of decoding and the network, without the store."""


def label_uploads(
    uploads: Sequence[Upload],
    classifier: Classifier,
    config: LambdaConfig,
    remaining_seconds: Callable[[], float],
) -> dict[Upload, Outcome]:
    """Return the outcome of each upload; the failure of one upload is its outcome.

    Events of one object are processed in their order, duplicates once.
    Raises `UsageError` if no results location is configured.
    """
    if config.results is None:
        raise UsageError(
            "SEEFOOD_RESULTS is not set, so the rows of uploads cannot be written; set it to a "
            "folder or a URI such as s3://bucket/labels"
        )

    def seconds_left() -> float:
        return max(0.0, remaining_seconds() - MARGIN_SECONDS)

    ordered = sorted(dict.fromkeys(uploads), key=order_of)
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")
    try:
        return _process(pool, ordered, classifier, config, seconds_left)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _process(
    pool: ThreadPoolExecutor,
    ordered: Sequence[Upload],
    classifier: Classifier,
    config: LambdaConfig,
    seconds_left: Callable[[], float],
) -> dict[Upload, Outcome]:
    assert config.results is not None  # noqa: S101 (`label_uploads` checks it)
    outcomes: dict[Upload, Outcome] = {}
    writes: dict[Upload, Future[Outcome]] = {}
    for upload, fetched in _prefetched(pool, ordered, config, seconds_left):
        if isinstance(fetched, Outcome):
            outcomes[upload] = fetched
            continue
        started = time.perf_counter()
        row = classifier.row(fetched)
        milliseconds = (time.perf_counter() - started) * 1000.0
        writes[upload] = pool.submit(_write, row, config, milliseconds)
    for upload, future in writes.items():
        too_late = "its row was not written before the deadline"
        outcomes[upload] = _result(upload.ref, future, seconds_left(), too_late)
    return outcomes


def _prefetched(
    pool: ThreadPoolExecutor,
    ordered: Sequence[Upload],
    config: LambdaConfig,
    seconds_left: Callable[[], float],
) -> Iterator[tuple[Upload, Fetched | Outcome]]:
    """Yield each upload with its picture, or with its outcome if there is no picture to classify.

    Reads ahead up to `_THREADS` pictures and `_MAX_PREFETCHED_BYTES`; one picture may be larger.
    """
    pending: deque[tuple[Upload, Future[Fetched]]] = deque()
    limits = config.options.limits
    for upload in ordered:
        if is_own_output(upload.ref.uri, config.results):
            reason = "seefood wrote this object: the function watches the prefix it writes to"
            yield upload, Outcome(upload.ref, UploadStatus.REFUSED, reason=reason)
            continue
        while pending and (
            len(pending) == _THREADS
            or _total_bytes((upload, *(other for other, _ in pending)), limits.max_bytes)
            > _MAX_PREFETCHED_BYTES
        ):
            yield _next_fetched(pending, seconds_left)
        pending.append((upload, pool.submit(fetch, upload.ref, limits)))
    while pending:
        yield _next_fetched(pending, seconds_left)


def _total_bytes(uploads: Iterable[Upload], max_bytes: int) -> int:
    """Return the most that the pictures take in memory; those above `max_bytes` are never read.

    An event without an entity tag does not know the size either.
    """
    sizes = (u.ref.size_bytes if u.ref.etag else max_bytes for u in uploads)
    return sum(size for size in sizes if size <= max_bytes)


def _next_fetched(
    pending: deque[tuple[Upload, Future[Fetched]]], seconds_left: Callable[[], float]
) -> tuple[Upload, Fetched | Outcome]:
    upload, future = pending.popleft()
    too_late, seconds = "it was not reached before the deadline", seconds_left()
    if seconds <= 0.0:
        return upload, Outcome(upload.ref, UploadStatus.RETRY, reason=too_late)
    return upload, _result(upload.ref, future, seconds, too_late)


def _write(row: Row, config: LambdaConfig, milliseconds: float) -> Outcome:
    """Write the row and the tag, and send the event. Raises `RetryableError`."""
    assert config.results is not None  # noqa: S101 (`label_uploads` checks it)
    ref, tag = ImageRef(row.uri, row.etag, row.size_bytes, row.version_id), config.tag
    # An archived object is there and readable after a restore, which has an event of its own.
    if row.error_code in _RETRIED and ARCHIVED not in (row.error_message or ""):
        raise RetryableError(f"{row.error_code}: {row.error_message}")
    written = put_row(row, config.results)
    if config.event_bus is not None:
        announce(row, written, config.results, config.event_bus)
    failed = row.status is Status.FAILED
    untagged = tag_object(ref, tag, row) if tag is not None and not failed else None
    reason = f"not tagged: {untagged}" if untagged is not None else None
    status = UploadStatus.FAILED if failed else UploadStatus.LABELLED
    if written is WriteResult.KEPT:
        status = UploadStatus.REPEATED
    return Outcome(ref, status, row, reason, milliseconds)


def _result(ref: ImageRef, future: "Future[_T]", seconds: float, too_late: str) -> "_T | Outcome":
    """Return the result of `future`, waiting at most `seconds`; a RETRY outcome if it fails."""
    try:
        return future.result(seconds)
    except FutureTimeoutError:
        return Outcome(ref, UploadStatus.RETRY, reason=too_late)
    except RetryableError as error:
        return Outcome(ref, UploadStatus.RETRY, reason=str(error))
    except Exception as error:  # noqa: BLE001 (the failure of one upload must not fail the others)
        return Outcome(
            ref, UploadStatus.RETRY, reason=f"unexpected: {type(error).__name__}: {error}"
        )
