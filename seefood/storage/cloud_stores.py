"""Opens the stores that obstore alone serves: Google Cloud, Azure and memory."""

import os
from typing import TYPE_CHECKING

from obstore import exceptions
from obstore.store import AzureStore, GCSStore, MemoryStore

from seefood.errors import UsageError
from seefood.storage.cloud_settings import azure_settings, google_settings, is_plain_http
from seefood.storage.google_emulator import EmulatorStore
from seefood.storage.object_store import CLIENT, RETRY, RemoteStore
from seefood.storage.obstore_errors import ClientPanicError, first_line, without_panics

if TYPE_CHECKING:
    from obstore.store import ClientConfig


def open_remote(root: str) -> RemoteStore:
    """Return the store of `root`. Raises `UsageError` for invalid settings."""
    scheme, _, name = root.partition("://")
    if scheme == "memory":
        return RemoteStore(root, MemoryStore())
    make, read_settings = (
        (GCSStore, google_settings) if scheme == "gs" else (AzureStore, azure_settings)
    )
    settings = read_settings(os.environ)
    options: ClientConfig = {**CLIENT, "allow_http": is_plain_http(settings, os.environ)}
    try:
        store = without_panics(
            lambda: make(name, client_options=options, retry_config=RETRY, **settings)
        )
    except (exceptions.BaseError, ValueError, ClientPanicError) as error:
        raise UsageError(f"cannot open {root}: {first_line(error)}") from error
    if "base_url" in settings and scheme == "gs":
        return EmulatorStore(root, store, settings["base_url"])
    return RemoteStore(root, store)
