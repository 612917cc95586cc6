"""Adds the entity tags and sizes that a list of pictures lacks: one HEAD request a picture."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from seefood.errors import PictureError
from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.uris import parse_location

_REQUESTS: Final = 32


def complete(refs: Iterable[ImageRef]) -> Iterator[ImageRef]:
    """Yield `refs` in order, with tags and sizes; requests those that lack a tag from the store.

    A picture that the store does not have stays as it is: reading it fails, and its row says why.
    """
    pending: deque[ImageRef | Future[ImageRef]] = deque()
    with ThreadPoolExecutor(_REQUESTS, thread_name_prefix="stat") as pool:
        try:
            for ref in refs:
                pending.append(ref if ref.etag else pool.submit(_stat, ref))
                if len(pending) >= 8 * _REQUESTS:
                    yield _result(pending.popleft())
            while pending:
                yield _result(pending.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _result(item: ImageRef | Future[ImageRef]) -> ImageRef:
    return item if isinstance(item, ImageRef) else item.result()


def _stat(ref: ImageRef) -> ImageRef:
    try:
        return open_store(parse_location(ref.uri).root).stat(ref)
    except PictureError:
        return ref
