"""Google Cloud's and Azure's own settings, as obstore takes them.

obstore reads most of them itself. Here are those that it does not: Azure's names as `az` reads
them and its connection string; Google's emulator, the folder of `gcloud`, and credentials of other
kinds than a user's or a service account's, which google-auth handles.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from seefood.errors import UsageError

if TYPE_CHECKING:
    from obstore.store import GCSCredential

_CONNECTION: Final = "AZURE_STORAGE_CONNECTION_STRING"
_CREDENTIALS: Final = "GOOGLE_APPLICATION_CREDENTIALS"
_SCOPE: Final = "https://www.googleapis.com/auth/devstorage.read_write"
_PLAIN_KINDS: Final = frozenset({"authorized_user", "service_account"})
"""Kinds of credentials that obstore handles itself."""
# The account of Azurite, Azure's emulator, which its documentation publishes.
_EMULATOR: Final = {
    "AccountName": "devstoreaccount1",
    "AccountKey": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",  # noqa: E501
    "BlobEndpoint": "http://127.0.0.1:10000/devstoreaccount1",
}


def azure_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return obstore's settings for what `az` reads. Raises `UsageError`, without the value."""
    text = environ.get(_CONNECTION, "").strip()
    settings: dict[str, Any] = {}
    if text:
        settings = _parse_connection_string(text)
    elif environ.get("AZURE_STORAGE_ACCOUNT"):
        settings["account_name"] = environ["AZURE_STORAGE_ACCOUNT"].strip()
    if environ.get("AZURE_STORAGE_KEY") and not text:
        settings["account_key"] = environ["AZURE_STORAGE_KEY"].strip()
    if environ.get("AZURE_STORAGE_SERVICE_ENDPOINT") and not text:
        settings["endpoint"] = environ["AZURE_STORAGE_SERVICE_ENDPOINT"].strip()
    if not settings and not environ.get("AZURE_STORAGE_ACCOUNT_NAME"):
        raise UsageError(
            f"no storage account is named; set AZURE_STORAGE_ACCOUNT (with AZURE_STORAGE_KEY, "
            f"AZURE_STORAGE_SAS_TOKEN, a managed identity or AZURE_USE_AZURE_CLI=true) or "
            f"{_CONNECTION}"
        )
    return settings


def _parse_connection_string(text: str) -> dict[str, Any]:
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    values = {name.strip(): value.strip() for name, _, value in pairs}
    if values.get("UseDevelopmentStorage", "").lower() == "true":
        values = _EMULATOR | values
    settings = {
        name: values[word]
        for word, name in (
            ("AccountName", "account_name"),
            ("AccountKey", "account_key"),
            ("SharedAccessSignature", "sas_key"),
            ("BlobEndpoint", "endpoint"),
        )
        if values.get(word)
    }
    if "account_name" not in settings and "endpoint" in settings:
        settings["account_name"] = settings["endpoint"].partition("://")[2].partition(".")[0]
    if "account_name" not in settings:
        raise UsageError(
            f"{_CONNECTION} names no account; copy it from the portal: "
            "AccountName=…;AccountKey=…;EndpointSuffix=…"
        )
    if "endpoint" not in settings and values.get("EndpointSuffix"):
        scheme = values.get("DefaultEndpointsProtocol", "https")
        settings["endpoint"] = f"{scheme}://{values['AccountName']}.blob.{values['EndpointSuffix']}"
    return settings


def google_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return obstore's settings for what Google's own libraries read. Raises `UsageError`."""
    emulator = environ.get("STORAGE_EMULATOR_HOST", "").strip()
    if emulator:
        url = emulator if "://" in emulator else f"http://{emulator}"
        # With `skip_signature`, obstore asks the metadata service for a token before it writes.
        return {"base_url": url.rstrip("/"), "credential_provider": emulator_token}
    file = _credentials_file(environ)
    if file is None:
        return {}
    try:
        kind = json.loads(file.read_bytes()).get("type")
    except OSError as error:
        raise UsageError(f"{_CREDENTIALS} names {file}: {error.strerror}; check it") from error
    except (ValueError, AttributeError) as error:
        raise UsageError(f"{file} holds no Google credentials; download it again") from error
    if kind in _PLAIN_KINDS:
        return {"application_credentials": str(file)}
    if find_spec("google") is None or find_spec("google.auth") is None:
        raise UsageError(
            f"{file} holds credentials of the kind {kind!r}, which need google-auth; run "
            "`pip install google-auth`"
        )
    return {"credential_provider": GoogleToken()}


def emulator_token() -> "GCSCredential":
    """Return the token for an emulator, which accepts any."""
    return {"token": "emulator", "expires_at": None}


def _credentials_file(environ: Mapping[str, str]) -> Path | None:
    """Return the file of the Application Default Credentials; None if there is none."""
    if environ.get("GOOGLE_SERVICE_ACCOUNT") or environ.get("GOOGLE_SERVICE_ACCOUNT_KEY"):
        return None
    if environ.get(_CREDENTIALS):
        return Path(environ[_CREDENTIALS])
    folder = environ.get("CLOUDSDK_CONFIG") or os.path.expanduser("~/.config/gcloud")  # noqa: PTH111 (there may be no home)
    file = Path(folder) / "application_default_credentials.json"
    return file if file.is_file() else None


class GoogleToken:
    """Gives obstore a token of google-auth, for external accounts and impersonation."""

    def __call__(self) -> "GCSCredential":
        """Return a new token. Raises `UsageError`."""
        import google.auth  # noqa: PLC0415 (not a dependency)
        from google.auth.transport.urllib3 import Request  # noqa: PLC0415 (as above)
        from urllib3 import PoolManager  # noqa: PLC0415 (as above)

        try:
            credentials, _ = google.auth.default(scopes=[_SCOPE])
            credentials.refresh(Request(PoolManager()))
        except Exception as error:  # noqa: BLE001 (google-auth's, its transport's, its helpers')
            raise UsageError(
                f"Google gave no token for the default credentials ({type(error).__name__}); run "
                "`gcloud auth application-default login`"
            ) from None
        return {"token": credentials.token, "expires_at": credentials.expiry.replace(tzinfo=UTC)}


def is_plain_http(settings: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether the store is an emulator without TLS."""
    names = ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT", "GOOGLE_BASE_URL")
    urls = [settings.get("endpoint"), settings.get("base_url"), *map(environ.get, names)]
    return any(str(url).startswith("http:") for url in urls if url)
