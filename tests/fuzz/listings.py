"""Responses of a store: pages of a listing; whole listings of a faulty store."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from seefood.storage.parallel_listing import ParallelListing
from seefood.storage.s3_responses import S3Error, page_end, page_keys, read_page
from tests.fuzz.target import Choices, Target

_MAX_PAGES: Final = 2000


def _page(data: bytes) -> None:
    readers: tuple[Callable[[bytes], object], ...] = (page_end, page_keys, read_page)
    for read in readers:
        try:
            read(data)
        except S3Error:
            continue
    try:
        for item in read_page(data):
            assert item.size_bytes >= 0
            datetime.fromtimestamp(item.modified).astimezone()
    except S3Error:
        return


def listing_page(keys: Sequence[str], *, more: bool, encoded: bool = True) -> bytes:
    """Return a page of ListObjectsV2 as S3 writes it."""
    entries = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-23T12:00:00.000Z</LastModified>"
        "<ETag>&quot;0123&quot;</ETag><Size>12</Size><StorageClass>STANDARD</StorageClass>"
        "</Contents>"
        for key in keys
    )
    kind = "<EncodingType>url</EncodingType>" if encoded else ""
    return (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>b</Name><IsTruncated>{str(more).lower()}</IsTruncated>{kind}{entries}"
        "</ListBucketResult>"
    ).encode()


def _page_seeds() -> Sequence[bytes]:
    return [
        listing_page(["a%20b", "c/d"], more=True),
        listing_page(["a & b", "é"], more=False, encoded=False),
        b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
        b"<Error><Code>SlowDown</Code><Message>later</Message></Error>",
    ]


class _EndlessError(Exception):
    """The listing requested more pages than any valid one has."""


def _listing(data: bytes) -> None:
    """List a store that returns any keys for any request; the listing ends or raises an error."""
    choices = Choices(data)
    requests = 0

    def fetch(after: str) -> bytes:
        nonlocal requests
        requests += 1
        if requests > _MAX_PAGES:
            raise _EndlessError
        count = choices.number(4)
        # Keys that a store may have after `after`, or any keys.
        start = after if choices.number(3) else ""
        keys = [start + choices.pick("abc/~ ") + choices.text(3) for _ in range(count)]
        text = [key.encode("utf-8", "replace").decode() for key in keys]
        return listing_page(text, more=bool(choices.number(4)) and choices.left > 0, encoded=False)

    listing = ParallelListing(fetch, page_end, page_keys, threads=2)
    try:
        for page, _ in listing.pages():
            read_page(page)
    except (S3Error, OSError):
        return


TARGETS: Final = (
    Target("page", _page, _page_seeds),
    Target("listing", _listing, lambda: [bytes(range(64)), b"\2\1ab" * 20], 512),
)
