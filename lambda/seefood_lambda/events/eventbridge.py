"""EventBridge: S3's events, API calls that CloudTrail saw, schedules, and events around ours.

EventBridge and CloudTrail do not encode keys.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from seefood_lambda.events.fields import KNOWN, get, make_ref, text, unless_folder, version_id
from seefood_lambda.events.values import EventError, Ignored, Item, Removal, Upload

_LABELLED: Final = frozenset({"Object Created", "Object Restore Completed"})
_REMOVED: Final = "Object Deleted"
_IGNORED: Final = frozenset(
    {
        "Object Access Tier Changed",
        "Object ACL Updated",
        "Object Restore Expired",
        "Object Restore Initiated",
        "Object Storage Class Changed",
        "Object Tags Added",
        "Object Tags Deleted",
        "Scheduled Event",  # a schedule that keeps the function warm
    }
)
_CLOUDTRAIL: Final = "AWS API Call via CloudTrail"
_WRITING_CALLS: Final = frozenset(
    {"PutObject", "CopyObject", "CompleteMultipartUpload", "PostObject", "POST.Object"}
)


def is_event(event: Any) -> bool:
    """Whether EventBridge made the envelope."""
    return isinstance(event, dict) and "source" in event and "detail" in event


def read_event(event: Any, unwrap: Callable[[Any], Iterable[Item]]) -> Iterable[Item]:
    """Return what one event asks for. Raises `EventError`."""
    kind, source = str(event.get("detail-type", "")), str(event["source"])
    if kind == _CLOUDTRAIL:
        return _read_call(event["detail"])
    if kind in _IGNORED:
        return (Ignored(kind),)
    if source == "aws.s3":
        return _read_s3(kind, event["detail"])
    try:
        return unwrap(event["detail"])
    except EventError as error:
        raise EventError(
            f"an EventBridge event {kind[:80]!r} of {source[:80]!r} is not supported: {error}"
        ) from error


def _read_s3(kind: str, detail: Any) -> Iterable[Item]:
    if kind not in _LABELLED and kind != _REMOVED:
        raise EventError(f"EventBridge's S3 event {kind[:80]!r} is unknown; {KNOWN}")
    uri = f"s3://{text(detail, 'bucket', 'name')}/{text(detail, 'object', 'key')}"
    fields = detail["object"]
    if kind == _REMOVED:
        hidden = get(detail, "deletion-type") == "Delete Marker Created"
        return (Removal(uri, None if hidden else version_id(fields.get("version-id"))),)
    ref = make_ref(uri, fields.get("size"), fields.get("etag"), fields.get("version-id"))
    return unless_folder(Upload(ref, str(fields.get("sequencer") or "")))


def _read_call(detail: Any) -> Iterable[Item]:
    """Return the object that an API call wrote; CloudTrail knows neither its size nor its tag."""
    name = text(detail, "eventName")
    service = text(detail, "eventSource")
    if service != "s3.amazonaws.com":
        raise EventError(f"CloudTrail reports {name} of {service}, which is not S3; {KNOWN}")
    if get(detail, "errorCode"):
        return (Ignored(f"CloudTrail: {name}, which failed with {detail['errorCode']}"),)
    if name not in _WRITING_CALLS and name != "DeleteObject":
        return (Ignored(f"CloudTrail: {name}"),)
    bucket = text(detail, "requestParameters", "bucketName")
    uri = f"s3://{bucket}/{text(detail, 'requestParameters', 'key')}"
    if name == "DeleteObject":
        return (Removal(uri, version_id(detail["requestParameters"].get("versionId"))),)
    version = get(get(detail, "responseElements"), "x-amz-version-id")
    return (Upload(make_ref(uri, None, None, version)),)
