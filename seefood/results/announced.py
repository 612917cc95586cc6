"""The marks of rows whose events were sent (`seefood_lambda.result_events`): one object a row.

    DEST/announced/digest=<12>/<hash of uri and etag>.final        of a row that stays
    DEST/announced/digest=<12>/<hash of uri and etag>.transient    of a failure that may pass

A mark outlives its row, which `compact` moves, because a duplicate delivery may still come. It is
of no use after `KEPT`, and goes then: by a lifecycle rule of the stack's own bucket, and with the
next compaction. Nothing else lists the marks.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from seefood.records import DIGEST_SHOWN, ImageRef
from seefood.results.files import ANNOUNCED, upload_location
from seefood.storage import list_existing, open_store
from seefood.storage.uris import Location, parse_location

KEPT: Final = timedelta(days=30)
"""Longer than SQS keeps a message, also as a dead letter: 14 days."""
_THREADS: Final = 16


def mark_location(output: Location, digest: str, ref: ImageRef, *, is_transient: bool) -> Location:
    """Return where it is marked that the event of the row of `ref` was sent."""
    name = upload_location(output, digest, ref).key.rpartition("/")[2].removesuffix(".json")
    suffix = "transient" if is_transient else "final"
    return output.child(f"{_folder(digest)}/{name}.{suffix}")


def delete_old_marks(output: Location, digest: str, now: datetime) -> int:
    """Delete the marks of the model `digest` that are older than `KEPT`; return how many.

    Idempotent. The Lambda may run meanwhile. Raises `JobError`.
    """
    folder, oldest = output.child(f"{_folder(digest)}/"), (now - KEPT).timestamp()
    old = (ref for ref in list_existing(folder) if (ref.modified or oldest) < oldest)
    delete = open_store(folder.root).delete
    deleted = 0
    with ThreadPoolExecutor(_THREADS) as pool:
        while some := [parse_location(ref.uri).key for ref in islice(old, 64 * _THREADS)]:
            list(pool.map(delete, some))
            deleted += len(some)
    return deleted


def _folder(digest: str) -> str:
    return f"{ANNOUNCED}/digest={digest[:DIGEST_SHOWN]}"
