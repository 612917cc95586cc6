"""S3 as a store: obstore reads and writes; what it cannot say, our own client does.

Every listing is our own where there are credentials to sign with, because obstore loses or renames
what it cannot express, and lists in one stream. What a Lambda needs imports none of that.
"""

import os
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obstore import exceptions
from obstore.store import S3Store

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.storage.object_store import CLIENT, RETRY, RemoteStore
from seefood.storage.obstore_errors import first_line
from seefood.storage.uris import parse_location

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from seefood.storage.s3_exact_keys import ExactBucket


class S3Objects(RemoteStore):
    """One bucket."""

    def __init__(self, root: str, store: S3Store) -> None:
        super().__init__(root, store)
        # Directory buckets ("--x-s3") speak another dialect and know no order of keys.
        self.is_sorted = not root.endswith("--x-s3")

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. In the order of keys, listed in parallel if there are many."""
        if self.is_sorted and self._exact.is_readable():
            return self._exact.list(prefix)
        return super().list(prefix)

    def fetch(self, ref: ImageRef, *, first_bytes: int | None = None) -> bytes:
        """See `Store.fetch`."""
        if is_expressible(parse_location(ref.uri).key):
            return super().fetch(ref, first_bytes=first_bytes)
        return self._exact.fetch(ref, first_bytes=first_bytes)

    def stat(self, ref: ImageRef) -> ImageRef:
        """See `Store.stat`."""
        if is_expressible(parse_location(ref.uri).key):
            return super().stat(ref)
        return self._exact.stat(ref)

    @cached_property
    def _exact(self) -> "ExactBucket":
        from seefood.storage.s3_exact_keys import ExactBucket  # noqa: PLC0415 (30 ms: HTTP, TLS, XML)

        return ExactBucket(self._root)


def is_expressible(key: str) -> bool:
    """Whether obstore's client takes `key` as it is."""
    odd = not (key.isascii() and key.isprintable()) and any(
        unicodedata.category(character) == "Cc" for character in key
    )
    return not odd and not any(part in ("", ".", "..") for part in key.split("/"))


def needs_boto3() -> bool:
    """Whether the credentials lie in a profile, which boto3 reads and obstore does not."""
    env = os.environ
    if "AWS_ACCESS_KEY_ID" in env and "AWS_PROFILE" not in env:
        return False
    profile = "AWS_PROFILE" in env or (Path.home() / ".aws" / "credentials").is_file()
    return profile and find_spec("boto3") is not None


def open_s3(root: str) -> S3Objects:
    """Return the bucket `root` with the settings that AWS's own tools read.

    Raises `UsageError` if they make no sense.
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
    return S3Objects(root, store)
