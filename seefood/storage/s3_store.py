"""S3: obstore reads and writes; botocore lists, and reads keys that obstore cannot express.

botocore lists, because obstore loses or renames keys that it cannot express and lists
sequentially. Both take credentials, address and transport from `seefood.storage.s3_identity`;
where the environment alone decides, botocore is imported when it is first needed: a Lambda seldom
needs it.
"""

import os
import re
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from obstore import exceptions
from obstore.store import S3Store

from seefood.errors import JobError, StopError, UsageError
from seefood.records import ImageRef
from seefood.storage.object_store import RETRY, RemoteStore
from seefood.storage.obstore_errors import EXPIRED, ClientPanicError, first_line, without_panics
from seefood.storage.s3_address import Address, environment_address
from seefood.storage.uris import parse_location

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from seefood.storage.s3_exact_keys import ExactKeyReader
    from seefood.storage.s3_identity import Identity, ObstoreCredentials

_T = TypeVar("_T")
# S3's answers to a request that was signed for another region; to a HEAD it is a bare status.
_WRONG_REGION: Final = re.compile(
    "redirect without LOCATION|PermanentRedirect|AuthorizationHeaderMalformed|"
    "IllegalLocationConstraint|400 Bad Request: No Body"
)
_RENEW_INTERVAL_SECONDS: Final = 10.0
_SELF_SIGNED_AUTHORITY: Final = "CaUsedAsEndEntity"
"""In the error of obstore's TLS library, which refuses what OpenSSL (botocore) accepts."""


class S3BucketStore(RemoteStore):
    """One S3 bucket."""

    def __init__(self, root: str) -> None:
        """Raises `UsageError` for settings that are wrong, and without credentials."""
        self._name = root.removeprefix("s3://")
        self._lock = threading.Lock()
        self._renewed_at = -_RENEW_INTERVAL_SECONDS
        self._credentials: ObstoreCredentials | None = None
        super().__init__(root, self._open())
        # Directory buckets list in no order and without `start-after`.
        self.is_sorted = not self._address.is_directory

    def list(self, prefix: str) -> Iterator[ImageRef]:
        """See `Store.list`. Sorted by key; in parallel if there are many."""
        if not self.is_sorted:
            yield from super().list(prefix)
            return
        refs = self._exact_keys.list(prefix)
        for number, ref in enumerate(refs):
            if not number:
                self._follow()
            yield ref

    def _follow(self) -> None:
        """Read where botocore has found the bucket: it may have learned another region."""
        with self._lock:
            if identity(self._name).address(self._name).region != self._address.region:
                self._store = self._open(relocate=True)

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
        _import_botocore()
        from seefood.storage.s3_exact_keys import ExactKeyReader  # noqa: PLC0415 (botocore)

        return ExactKeyReader(self._root)

    def _native(self, call: "Callable[[ObjectStore], _T]") -> _T:
        """Call obstore; once more if the region or the credentials had to be learned anew."""
        store = self._store
        try:
            return super()._native(call)
        except Exception as error:
            if self._credentials is not None and self._credentials.error is not None:
                raise JobError(str(self._credentials.error)) from error
            if _SELF_SIGNED_AUTHORITY in str(error):
                raise JobError(
                    f"{self._address.url} shows a certificate that is a self-signed authority "
                    "(CA:TRUE), which cannot be a server's certificate as well; sign the server's "
                    "certificate with the authority, or make it with `openssl req -x509 -addext "
                    "basicConstraints=critical,CA:FALSE ...`"
                ) from error
            if not self._mend(store, error):
                raise
        return super()._native(call)

    def _mend(self, used: "ObjectStore", error: Exception) -> bool:
        """Open the store again if `error` says that its region or its credentials are wrong.

        Return whether the request should be sent again.
        """
        is_expired = EXPIRED.search(str(error)) is not None
        if not (is_expired or _WRONG_REGION.search(str(error))):
            return False
        with self._lock:
            if self._store is not used:  # another thread has done it
                return True
            if time.monotonic() - self._renewed_at < _RENEW_INTERVAL_SECONDS:
                return False
            self._renewed_at = time.monotonic()
            before = self._address, self._keys
            try:
                if not is_expired:
                    self._find_region()
                self._store = self._open(renew=is_expired, relocate=not is_expired)
            except StopError as cause:
                raise JobError(str(cause)) from error
            return is_expired or before != (self._address, self._keys)

    def _find_region(self) -> None:
        _import_botocore()
        from seefood.storage.s3_client import S3Client  # noqa: PLC0415 (botocore)

        S3Client(self._name).find_region()

    def _open(self, *, renew: bool = False, relocate: bool = False) -> S3Store:
        """Return obstore's store for what the settings say now."""
        address = None if relocate else environment_address(self._name, os.environ)
        options: dict[str, Any] = {}
        if address is not None:
            self._keys = [os.environ.get(name) for name in _KEYS]
            names = ("access_key_id", "secret_access_key", "session_token")
            options = {n: key for n, key in zip(names, self._keys, strict=True) if key}
        else:
            self._keys = []
            who = identity(self._name, renew=renew)
            address = who.address(self._name)
            if not who.unsigned:
                from seefood.storage.s3_identity import ObstoreCredentials  # noqa: PLC0415

                self._credentials = ObstoreCredentials(self._name)
                options = {"credential_provider": self._credentials}
        self._address: Address = address
        try:
            return without_panics(
                lambda: S3Store(
                    self._name,
                    config=address.settings,
                    client_options=address.client_options,
                    retry_config=RETRY,
                    **options,
                )
            )
        except (exceptions.BaseError, ValueError, ClientPanicError) as error:
            raise UsageError(f"cannot open s3://{self._name}: {first_line(error)}") from error


_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def identity(bucket: str, *, renew: bool = False) -> "Identity":
    """Return botocore's identity for `bucket`. Raises `UsageError`, also without botocore."""
    _import_botocore()
    from seefood.storage.s3_identity import forget, identity_of  # noqa: PLC0415 (a third of a second)

    if renew:
        forget(identity_of(bucket))
    return identity_of(bucket)


def _import_botocore() -> None:
    try:
        import botocore  # noqa: F401, PLC0415 (imported lazily, see above)
    except ImportError as error:
        raise UsageError(
            "s3:// needs botocore, which is not installed; run `pip install botocore`"
        ) from error


def is_expressible(key: str) -> bool:
    """Whether obstore lists and reads `key` unchanged."""
    has_control_character = not (key.isascii() and key.isprintable()) and any(
        unicodedata.category(character) == "Cc" for character in key
    )
    return not has_control_character and not any(part in ("", ".", "..") for part in key.split("/"))
