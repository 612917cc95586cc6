"""Items of a Step Functions Distributed Map, alone or in batches (`Items`, `BatchInput`).

An item is an object as S3 lists it (`Key`, `Etag`, `Size`), a line of an S3 Inventory (all values
are strings, and the key is URL-encoded), one of the function's own forms, or a URI. A list of S3
names no bucket, so it stands in `BatchInput`, or an `ItemSelector` adds it. AWS's example of a
selector puts the item into `ContextValue`.
"""

from typing import Any
from urllib.parse import unquote_plus

from seefood_lambda.events.fields import KNOWN, get, make_ref
from seefood_lambda.events.own import is_own, read_call
from seefood_lambda.events.values import Call, EventError, Upload


def is_item(event: Any) -> bool:
    """Whether `event` is an item as S3 lists objects, or a batch of items."""
    if not isinstance(event, dict) or "Records" in event:  # MinIO adds `Key` to its notifications
        return False
    item = event.get("ContextValue", event)
    return isinstance(event.get("Items"), list) or isinstance(get(item, "Key"), str)


def read_items(event: Any) -> Call:
    """Return the objects to label. Raises `EventError`."""
    if not isinstance(event.get("Items"), list):
        return Call((_read_item(event, None),))
    if not event["Items"]:
        raise EventError("a batch of Step Functions has no Items; check the state's ItemReader")
    bucket = _bucket(event.get("BatchInput")) or _bucket(event)
    return Call(tuple(_read_item(item, bucket) for item in event["Items"]), is_list=True)


def _read_item(item: Any, bucket: str | None) -> Upload:
    if isinstance(item, dict) and "ContextValue" in item:
        item, bucket = item["ContextValue"], _bucket(item) or bucket
    if is_own(item):
        call = read_call(item)
        if len(call.uploads) != 1:
            raise EventError("an item of Step Functions must name one object")
        return call.uploads[0]
    key, own_bucket = get(item, "Key", get(item, "key")), _bucket(item) or bucket
    if not isinstance(key, str) or not key:
        raise EventError(f"an item of Step Functions names no object; {KNOWN}")
    if own_bucket is None:
        raise EventError(
            f"the item {key[:100]!r} of Step Functions names no bucket; put it into the batch's "
            'BatchInput as {"Bucket": "…"}, or add it to each item with an ItemSelector'
        )
    size = item.get("Size")
    if isinstance(size, str):  # a line of an inventory
        key, size = unquote_plus(key, errors="surrogateescape"), None
    etag = item.get("Etag", item.get("ETag"))
    ref = make_ref(f"s3://{own_bucket}/{key}", size, etag, item.get("VersionId"))
    return Upload(ref, is_named=True)


def _bucket(value: Any) -> str | None:
    for name in ("Bucket", "bucket", "BucketName", "bucketName"):
        found = get(value, name)
        if isinstance(found, str) and found:
            return found
    return None
