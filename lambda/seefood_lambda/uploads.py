"""Uploads to rows: fetched ahead, classified one after the other, written behind, and in time.

What the store does (reading, writing, tagging) runs on a few threads; the network runs on this one.
Nothing waits past the deadline: what is not done by then is handed back.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from seefood.classify import Fetched
from seefood.errors import ErrorCode, RetryableError, UsageError
from seefood.records import ImageRef, Row, Status
from seefood.storage.uris import Location
from seefood_lambda.classifier import Classifier, fetch
from seefood_lambda.events import Upload, order_of
from seefood_lambda.object_tags import tag_object
from seefood_lambda.result_writer import Written, put_row
from seefood_lambda.settings import LambdaConfig, is_own_writing

_T = TypeVar("_T")
_THREADS: Final = 8
_AHEAD_BYTES: Final = 64 * 1024 * 1024
MARGIN_SECONDS: Final = 1.0
"""How long before the deadline work stops, so that the answer still leaves."""

# Not the picture's fault: an operator's or the moment's. The message comes back, and in the end it
# waits in the dead-letter queue, from where it is driven again when the cause is gone.
_RETRIED: Final = frozenset({ErrorCode.FORBIDDEN, ErrorCode.STORE_ERROR})


class UploadStatus(StrEnum):
    """What became of an upload."""

    LABELLED = "labelled"
    FAILED = "failed"
    """It has a row, and the row says why it has no label. Not to be tried again."""
    REPEATED = "repeated"
    """It had its row before: a duplicate or late delivery, nothing was changed."""
    REFUSED = "refused"
    """It is a result of ours and no upload. Not to be tried again."""
    RETRY = "retry"
    """It has no row yet: something else failed, or time ran out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one upload."""

    ref: ImageRef
    fate: UploadStatus
    row: Row | None = None
    reason: str | None = None
    """Why it is to be tried again, was refused, or has no tag."""
    milliseconds: float = 0.0
    """Decoding and the network; not the store."""


def label_uploads(
    uploads: Sequence[Upload],
    classifier: Classifier,
    settings: LambdaConfig,
    remaining_seconds: Callable[[], float],
) -> dict[Upload, Outcome]:
    """Return what became of each upload; all of them have an outcome, nothing is raised.

    Events of one object are taken in their order; one that is there twice is done once.
    Raises `UsageError` if there is nowhere to write.
    """
    if settings.results is None:
        raise UsageError(
            "SEEFOOD_RESULTS is not set, so the rows of uploads have no place; set it to a folder "
            "or a URI such as s3://bucket/labels"
        )

    def left() -> float:
        return max(0.0, remaining_seconds() - MARGIN_SECONDS)

    ordered = sorted(dict.fromkeys(uploads), key=order_of)
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")
    try:
        return _through(pool, ordered, classifier, settings, left)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _through(
    pool: ThreadPoolExecutor,
    ordered: Sequence[Upload],
    classifier: Classifier,
    settings: LambdaConfig,
    left: Callable[[], float],
) -> dict[Upload, Outcome]:
    assert settings.results is not None  # noqa: S101 (`label_uploads` has asked)
    results = settings.results
    outcomes: dict[Upload, Outcome] = {}
    settling: dict[Upload, Future[Outcome]] = {}
    for upload, fetched in _fetched_ahead(pool, ordered, settings, left):
        if isinstance(fetched, Outcome):
            outcomes[upload] = fetched
            continue
        began = time.perf_counter()
        row = classifier.row(fetched)
        spent = (time.perf_counter() - began) * 1000.0
        settling[upload] = pool.submit(_settle, row, results, settings.tag, spent)
    for upload, future in settling.items():
        too_late = "its row was not written before the deadline"
        outcomes[upload] = _result(upload.ref, future, left(), too_late)
    return outcomes


def _fetched_ahead(
    pool: ThreadPoolExecutor,
    ordered: Sequence[Upload],
    settings: LambdaConfig,
    left: Callable[[], float],
) -> Iterator[tuple[Upload, Fetched | Outcome]]:
    """Yield each upload with its picture, or with what became of it without one.

    Reads ahead as far as threads and `_AHEAD_BYTES` go; one picture may be larger by itself.
    """
    waiting: deque[tuple[Upload, Future[Fetched]]] = deque()
    most = settings.classify_options.limits.max_bytes
    for upload in ordered:
        if is_own_writing(upload.ref.uri, settings.results):
            reason = "it is a result of seefood: the function watches the place it writes to"
            yield upload, Outcome(upload.ref, UploadStatus.REFUSED, reason=reason)
            continue
        while waiting and _ahead_bytes(waiting, upload, most) > _AHEAD_BYTES:
            yield _take(waiting, left)
        if len(waiting) == _THREADS:
            yield _take(waiting, left)
        waiting.append((upload, pool.submit(fetch, upload.ref, settings.classify_options.limits)))
    while waiting:
        yield _take(waiting, left)


def _ahead_bytes(waiting: Iterable[tuple[Upload, object]], more: Upload, most: int) -> int:
    """Return how many bytes would be held ahead; what is above `most` is never read."""
    sizes = (upload.ref.size_bytes for upload in (more, *(upload for upload, _ in waiting)))
    return sum(size for size in sizes if size <= most)


def _take(
    waiting: deque[tuple[Upload, Future[Fetched]]], left: Callable[[], float]
) -> tuple[Upload, Fetched | Outcome]:
    upload, future = waiting.popleft()
    too_late, seconds = "it was not reached before the deadline", left()
    if seconds <= 0.0:
        return upload, Outcome(upload.ref, UploadStatus.RETRY, reason=too_late)
    return upload, _result(upload.ref, future, seconds, too_late)


def _settle(row: Row, results: Location, tag: str | None, spent: float) -> Outcome:
    """Write the row and the tag. Raises `RetryableError`."""
    ref = ImageRef(row.uri, row.etag, row.size_bytes, row.version_id)
    if row.error_code in _RETRIED:
        raise RetryableError(f"{row.error_code}: {row.error_message}")
    written = put_row(row, results)
    failed = row.status is Status.FAILED
    untagged = tag_object(ref, tag, row) if tag is not None and not failed else None
    fate = UploadStatus.FAILED if failed else UploadStatus.LABELLED
    reason = f"not tagged: {untagged}" if untagged is not None else None
    return Outcome(
        ref, UploadStatus.REPEATED if written is Written.KEPT else fate, row, reason, spent
    )


def _result(ref: ImageRef, future: "Future[_T]", seconds: float, too_late: str) -> "_T | Outcome":
    """Return what `future` brings within `seconds`; else an outcome that asks for another try."""
    try:
        return future.result(seconds)
    except FutureTimeoutError:
        return Outcome(ref, UploadStatus.RETRY, reason=too_late)
    except RetryableError as error:
        return Outcome(ref, UploadStatus.RETRY, reason=str(error))
    except Exception as error:  # noqa: BLE001 (one upload's trouble must not cost its neighbours)
        return Outcome(
            ref, UploadStatus.RETRY, reason=f"unforeseen: {type(error).__name__}: {error}"
        )
