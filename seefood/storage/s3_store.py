"""S3: obstore reads and writes; seefood's own client lists, and reads keys obstore cannot express.

The own client lists wherever there are credentials, because obstore loses or renames keys that it
cannot express and lists sequentially. It is imported on first use: a Lambda seldom needs it.
"""

import os
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from obstore import exceptions
from obstore.store import S3Store

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.storage.aws_profile import needs_boto3
from seefood.storage.object_store import CLIENT, RETRY, RemoteStore
from seefood.storage.obstore_errors import first_line
from seefood.storage.uris import parse_location

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from seefood.storage.s3_exact_keys import ExactKeyReader


class S3BucketStore(RemoteStore):
    """One S3 bucket."""

    def __init__(self, root: str, store: S3Store) -> None:
        super().__init__(root, store)
        # Directory buckets ("--x-s3") list in no order and without `start-after`.
        self.is_sorted = not root.endswith("--x-s3")

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. Sorted by key; in parallel if there are many."""
        if self.is_sorted and self._exact_keys.has_credentials():
            return self._exact_keys.list(prefix)
        return super().list(prefix)

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`."""
        if is_expressible(parse_location(ref.uri).key):
            return super().fetch(ref, first_bytes=first_bytes)
        return self._exact_keys.fetch(ref, first_bytes=first_bytes)

    def fetch_range(self, ref: ImageRef, start: int, end: int) -> bytes:
        """See `Store.fetch_range`. Reads the whole object if obstore cannot express its key."""
        if is_expressible(parse_location(ref.uri).key):
            return super().fetch_range(ref, start, end)
        return self._exact_keys.fetch(ref)[start:end]

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`."""
        if is_expressible(parse_location(ref.uri).key):
            return super().stat(ref)
        return self._exact_keys.stat(ref)

    @cached_property
    def _exact_keys(self) -> "ExactKeyReader":
        from seefood.storage.s3_exact_keys import (  # noqa: PLC0415 (30 ms: HTTP, TLS, XML)
            ExactKeyReader,
        )

        return ExactKeyReader(self._root)


def is_expressible(key: str) -> bool:
    """Whether obstore lists and reads `key` unchanged."""
    has_control_character = not (key.isascii() and key.isprintable()) and any(
        unicodedata.category(character) == "Cc" for character in key
    )
    return not has_control_character and not any(part in ("", ".", "..") for part in key.split("/"))


def open_s3(root: str) -> S3BucketStore:
    """Return the bucket `root`, configured by AWS's environment variables.

    Raises `UsageError` for invalid settings.
    """
    name = root.removeprefix("s3://")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    client: ClientConfig = {
        **CLIENT,
        "allow_http": bool(endpoint and endpoint.startswith("http:")),
    }
    settings: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
    try:
        if needs_boto3():
            from obstore.auth.boto3 import (  # noqa: PLC0415 (half a second)
                Boto3CredentialProvider,
            )

            settings["credential_provider"] = Boto3CredentialProvider()
        store = S3Store(name, client_options=client, retry_config=RETRY, **settings)
    except (exceptions.BaseError, ValueError) as error:
        raise UsageError(f"cannot open {root}: {first_line(error)}") from error
    return S3BucketStore(root, store)
