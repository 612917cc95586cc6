import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seefood.records import ImageRef
from seefood_lambda.events import (
    Batch,
    EventError,
    HttpRequest,
    Upload,
    order_of,
    parse_event,
)

relaxed = settings(deadline=None)  # a busy machine is no failure
Recorded = Callable[[str], Any]

KEYS: Final = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
).filter(lambda key: not key.endswith("/"))


def batch(event: Any) -> Batch:
    parsed = parse_event(event)
    assert isinstance(parsed, Batch)
    return parsed


def test_a_notification_of_many_records_is_one_message(recorded: Recorded) -> None:
    """Each record is an upload, also with a multipart tag, a copy or an unversioned object."""
    (message,) = batch(recorded("s3_many")).messages

    assert [
        ("s3://photos/a.jpg", "aaaa0000aaaa0000aaaa0000aaaa0000", True),
        ("s3://photos/b c.jpg", "bbbb0000bbbb0000bbbb0000bbbb0000-3", False),
        ("s3://photos/d+e.jpg", "cccc0000cccc0000cccc0000cccc0000", False),
    ] == [(u.ref.uri, u.ref.etag, u.ref.version_id is None) for u in message.uploads]


def test_a_malformed_message_fails_alone(recorded: Recorded) -> None:
    """The other messages of the batch are parsed."""
    messages = batch(recorded("sqs_mixed")).messages

    assert [1, 0, 0, 0, 3] == [len(message.uploads) for message in messages]
    assert [False, True, True, False, False] == [m.error is not None for m in messages]
    assert "not JSON" in (messages[1].error or "")
    assert "order" in (messages[2].error or "")


@relaxed
@given(KEYS)
def test_any_key_survives_s3_encoding(key: str) -> None:
    """Spaces, plus signs, percent signs, slashes and Unicode are unchanged."""
    event = s3_event({"key": quote_plus(key, safe="/"), "size": 1, "eTag": "e"})

    assert f"s3://photos/{key}" == batch(event).messages[0].uploads[0].ref.uri


@relaxed
@given(KEYS)
def test_any_key_survives_eventbridge(key: str) -> None:
    """EventBridge does not encode keys, so nothing is decoded."""
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "photos"}, "object": {"key": key, "size": 1, "etag": "e"}},
    }

    assert f"s3://photos/{key}" == batch(event).messages[0].uploads[0].ref.uri


@pytest.mark.parametrize("fields", [{"size": 5}, {"eTag": "e"}, {"size": "5", "eTag": "e"}])
def test_without_size_or_tag_the_reference_has_no_tag(fields: dict[str, Any]) -> None:
    """Then the reader requests both from the store."""
    event = s3_event({"key": "a.jpg", **fields})

    assert ImageRef("s3://photos/a.jpg") == batch(event).messages[0].uploads[0].ref


def test_an_unversioned_objects_version_is_none() -> None:
    """S3 writes `null` for an object that was put before versioning was switched on."""
    event = s3_event({"key": "a.jpg", "size": 1, "eTag": "e", "versionId": "null"})

    assert batch(event).messages[0].uploads[0].ref.version_id is None


def test_sequencers_of_different_lengths_are_padded_on_the_right() -> None:
    """AWS documents this comparison."""
    uploads = [Upload(ImageRef("s3://b/k"), mark) for mark in ("0055AED6DD", "0055AED6DCD9", "00")]

    assert ["00", "0055AED6DCD9", "0055AED6DD"] == [
        upload.sequencer for upload in sorted(uploads, key=order_of)
    ]


def test_a_function_url_request_is_read(recorded: Recorded) -> None:
    """Method, path, query, headers and the body's encoding are parsed."""
    request = parse_event(recorded("function_url_classify"))

    assert isinstance(request, HttpRequest)
    assert ("POST", "/classify", {"heatmap": "1"}) == (request.method, request.path, request.query)
    assert ("image/gif", True) == (request.headers["content-type"], request.is_base64)
    assert "e1506fd5-9e7b-434f-bd42-4f8fa224b599" == request.id


def test_an_api_gateways_stage_is_no_part_of_the_path(recorded: Recorded) -> None:
    """The page works below `/prod` as at a Function URL."""
    request = parse_event(recorded("api_gateway_classify"))

    assert isinstance(request, HttpRequest)
    assert "/classify" == request.path


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(None, id="nothing"),
        pytest.param([], id="a list"),
        pytest.param({}, id="empty"),
        pytest.param({"hello": "world"}, id="unknown fields"),
        pytest.param({"uri": "s3://b/k", "image": "AA=="}, id="both calls at once"),
        pytest.param({"uri": 7}, id="a URI that is a number"),
        pytest.param({"uri": ""}, id="an empty URI"),
        pytest.param({"Records": [{"eventSource": "aws:kinesis"}]}, id="another source"),
        pytest.param({"Records": [None]}, id="an empty record"),
        pytest.param({"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]}, id="no object"),
        pytest.param({"Records": [{"s3": {}}]}, id="a record without an event name"),
        pytest.param({"Records": [{"Sns": {"Message": "{"}}]}, id="half a message"),
        pytest.param({"Records": [{"Sns": {"Message": "[" * 100_000}}]}, id="a deep message"),
    ],
)
def test_an_unknown_event_is_refused_clearly(event: Any) -> None:
    """The error says what was seen and which kinds are supported."""
    with pytest.raises(EventError, match="takes"):
        parse_event(event)


def test_the_depth_of_wrappers_is_limited() -> None:
    """A message that is wrapped again and again is refused."""
    event: dict[str, Any] = s3_event({"key": "a", "size": 1, "eTag": "e"})
    for _ in range(5):
        event = {"Records": [{"Sns": {"Message": json.dumps(event)}}]}

    with pytest.raises(EventError, match="wrapped"):
        parse_event(event)


@relaxed
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "Records",
                        "s3",
                        "Sns",
                        "Message",
                        "detail",
                        "source",
                        "body",
                        "object",
                        "bucket",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_event_raises_another_error(event: Any) -> None:
    """Events of any shape raise `EventError` or nothing."""
    with suppress(EventError):
        parse_event(event)


def s3_event(fields: dict[str, Any]) -> dict[str, Any]:
    record = {
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "photos"}, "object": fields},
    }
    return {"Records": [record]}
