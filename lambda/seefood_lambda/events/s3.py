"""S3's own notifications: `Records` with `s3`.

S3 percent-encodes keys in them (`+` for a space), also inside SQS and SNS. Other servers with S3's
interface put `s3:` before the name of the event.
"""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote_plus

from seefood_lambda.events.fields import KNOWN, get, make_ref, text, unless_folder, version_id
from seefood_lambda.events.values import EventError, Ignored, Item, Removal, Upload

_LABELLED: Final = ("ObjectCreated:", "ObjectRestore:Completed")
_REMOVED: Final = ("ObjectRemoved:", "LifecycleExpiration:")
# Need no work: the content of the object stays as it is.
_IGNORED: Final = (
    *("ObjectRestore:", "ReducedRedundancyLostObject", "Replication:", "LifecycleTransition"),
    *("IntelligentTiering", "ObjectTagging:", "ObjectAcl:", "ObjectAccessed:", "TestEvent"),
)


def is_test(event: Any) -> bool:
    """Whether S3 sent it when the notification was configured."""
    return bool(get(event, "Event") == "s3:TestEvent")


def read_test(event: Any) -> Iterable[Item]:
    """Return that a test event needs no work."""
    del event
    return (Ignored("s3:TestEvent"),)


def is_record(event: Any) -> bool:
    """Whether `event` is one record of a notification."""
    return isinstance(event, dict) and "s3" in event


def read_record(record: Any) -> Iterable[Item]:
    """Return the upload or removal of one record. Raises `EventError`."""
    name = str(get(record, "eventName") or "").removeprefix("s3:")
    if not name:
        raise EventError(f"a record of S3 lacks its eventName; {KNOWN}")
    uri = f"s3://{text(record, 's3', 'bucket', 'name')}/{_key(record)}"
    fields = record["s3"]["object"]
    if name.startswith(_REMOVED):
        # A delete marker hides the object as a whole; otherwise one version is gone.
        gone = None if "DeleteMarker" in name else version_id(fields.get("versionId"))
        return (Removal(uri, gone),)
    if name.startswith(_LABELLED):
        ref = make_ref(uri, fields.get("size"), fields.get("eTag"), fields.get("versionId"))
        return unless_folder(Upload(ref, str(fields.get("sequencer") or "")))
    if name.startswith(_IGNORED):
        return (Ignored(name),)
    raise EventError(f"a record of S3 has the unknown eventName {name[:80]!r}; {KNOWN}")


def _key(record: Any) -> str:
    return unquote_plus(text(record, "s3", "object", "key"), errors="surrogateescape")
