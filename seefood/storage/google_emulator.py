"""Google Cloud Storage's emulator (`STORAGE_EMULATOR_HOST`): its writes use Google's JSON API.

obstore writes with a PUT of the XML API, which fake-gcs-server 1.56 does not have. Listing, reading
and deleting are obstore's.
"""

from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

from obstore.exceptions import AlreadyExistsError, NotFoundError, PermissionDeniedError

from seefood.storage import request_counts
from seefood.storage.object_store import RemoteStore

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_ERRORS: Final[dict[int, type[Exception]]] = {
    403: PermissionDeniedError,
    404: NotFoundError,
    412: AlreadyExistsError,
}
"""obstore's errors, which `RemoteStore` explains, by HTTP's statuses."""
_TIMEOUT_SECONDS: Final = 60.0


class EmulatorStore(RemoteStore):
    """One bucket of the emulator at `url`."""

    def __init__(self, root: str, store: "ObjectStore", url: str) -> None:
        super().__init__(root, store)
        self._upload = f"{url}/upload/storage/v1/b/{root.removeprefix('gs://')}/o?"

    def _put(self, key: str, data: bytes, mode: Literal["create", "overwrite"]) -> None:
        self._retry.call(lambda: self._post(key, data, mode), "write")

    def _post(self, key: str, data: bytes, mode: Literal["create", "overwrite"]) -> None:
        """Upload an object with one request."""
        from urllib.error import HTTPError  # noqa: PLC0415 (with the next one, 20 ms for all stores)
        from urllib.request import Request, urlopen  # noqa: PLC0415

        condition: dict[str, Any] = {"ifGenerationMatch": 0} if mode == "create" else {}
        query = urlencode({"uploadType": "media", "name": key, **condition})
        request_counts.count_put(len(data))
        request = Request(self._upload + query, data, method="POST")  # noqa: S310 (the user's URL)
        request.add_header("Content-Type", "application/octet-stream")
        try:
            with urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310
                return
        except HTTPError as error:
            if error.code in _ERRORS:
                raise _ERRORS[error.code](key) from error
            raise
