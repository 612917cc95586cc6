"""S3 keys that obstore cannot express, and pages of listings."""

from datetime import UTC, datetime

import pytest

from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.s3_responses import S3Error, page_end, page_keys, read_page
from seefood.storage.s3_store import is_expressible
from tests.conftest import Bucket

_ODD = ["a//b.jpg", "/lead.jpg", "trail/", "x/./y.jpg", "x/../y.jpg", "..", "tab\t.jpg", "\x01.jpg"]
_PLAIN = [
    "a b.jpg",
    "a+b.jpg",
    "a%20b.jpg",
    "ü/ß.jpg",
    "q?x=1.jpg",
    "h#1.jpg",
    "<&>'\".jpg",
    "😀.jpg",
]


def test_every_name_is_listed_and_read(s3: Bucket) -> None:
    """A key that obstore cannot express is listed and read, and so are its neighbours."""
    for key in (*_ODD, *_PLAIN):
        s3.put(key, key.encode())
    store = open_store(s3.uri)
    refs = list(store.list(""))
    assert sorted((*_ODD, *_PLAIN), key=str.encode) == [
        ref.uri.removeprefix(f"{s3.uri}/") for ref in refs
    ]
    assert [ref.uri.removeprefix(f"{s3.uri}/").encode() for ref in refs] == [
        store.fetch(ref) for ref in refs
    ]
    assert refs == [store.stat(ImageRef(ref.uri)) for ref in refs]
    odd = next(ref for ref in refs if ref.uri.endswith("a//b.jpg"))
    assert b"a//" == store.fetch(odd, first_bytes=3)


def test_odd_keys_fail_like_others(s3: Bucket) -> None:
    """Deleted or replaced since it was listed: the same codes as for plain keys."""
    tag = s3.put("a//b.jpg", b"1")
    store = open_store(s3.uri)
    for ref, code in (
        (ImageRef(f"{s3.uri}/a//gone.jpg"), ErrorCode.NOT_FOUND),
        (ImageRef(f"{s3.uri}/a//b.jpg", "0" * len(tag)), ErrorCode.CHANGED),
    ):
        with pytest.raises(PictureError) as caught:
            store.fetch(ref)
        assert code == caught.value.code


def test_folder_markers_are_skipped_and_empty_objects_are_not(s3: Bucket) -> None:
    """Markers of the S3 console end in a slash and are empty; nothing else is skipped."""
    for key in ("folder/", "folder/a.jpg", "empty.jpg"):
        s3.put(key, b"")
    listed = [ref.uri.removeprefix(f"{s3.uri}/") for ref in open_store(s3.uri).list("")]
    assert ["empty.jpg", "folder/a.jpg"] == listed


def test_a_prefix_is_text(s3: Bucket) -> None:
    """A prefix may end in the middle of a key."""
    for key in ("p/100", "p/1000", "p/2", "p2"):
        s3.put(key, b"")
    counts = [sum(1 for _ in open_store(s3.uri).list(text)) for text in ("p/", "p/100", "p")]
    assert [3, 2, 4] == counts


def test_an_absent_bucket_is_a_usage_error(s3: Bucket) -> None:
    """The message says what to check."""
    with pytest.raises(UsageError, match="there is no such bucket; check its name and AWS_REGION"):
        list(open_store(f"{s3.uri}-absent").list(""))


@pytest.mark.parametrize("key", _ODD)
def test_odd_keys_are_recognized(key: str) -> None:
    """They are read by our own client."""
    assert not is_expressible(key)


@pytest.mark.parametrize("key", _PLAIN)
def test_plain_keys_are_recognized(key: str) -> None:
    """They are read by obstore."""
    assert is_expressible(key)


def _page(*, encoded: bool, contents: str) -> bytes:
    kind = "<EncodingType>url</EncodingType>" if encoded else ""
    return (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>b</Name>{kind}<IsTruncated>true</IsTruncated>{contents}</ListBucketResult>"
    ).encode()


_CONTENTS = (
    "<Contents><Key>{}</Key><LastModified>2026-11-23T12:00:00.000Z</LastModified>"
    "<ETag>&quot;e1&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><Size>7</Size>"
    "<Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>"
)
_SHUFFLED = (
    '<Contents><Size>7</Size><ETag>"e1"</ETag><Key>{}</Key>'
    "<LastModified>2026-11-23T12:00:00Z</LastModified></Contents>"
)


@pytest.mark.parametrize("contents", [_CONTENTS, _SHUFFLED], ids=["as S3", "another order"])
@pytest.mark.parametrize(
    ("encoded", "key"), [(True, "a%0Ab+c%26%C3%BC"), (False, "a&#10;b c&amp;ü")]
)
def test_pages_of_any_server_are_read(contents: str, key: str, *, encoded: bool) -> None:
    """URL-encoded or not, with the elements in S3's order or another."""
    page = _page(encoded=encoded, contents=contents.format(key))
    (item,) = read_page(page)
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
    assert ("a\nb c&ü", "e1", 7, moment) == (item.key, item.etag, item.size_bytes, item.modified)
    assert ["a\nb c&ü"] == page_keys(page)
    assert (True, "a\nb c&ü") == page_end(page)


def test_a_response_that_is_not_a_listing_is_an_error() -> None:
    """A proxy's web page is not taken for an empty bucket."""
    with pytest.raises(S3Error, match="is not a listing"):
        read_page(b"<html>please log in")
