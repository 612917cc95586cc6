"""Azure's and Google's own settings, as obstore takes them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from seefood.errors import UsageError
from seefood.storage.cloud_settings import (
    azure_settings,
    emulator_token,
    google_settings,
    is_plain_http,
)

_STRING = "AZURE_STORAGE_CONNECTION_STRING"


@pytest.mark.parametrize(
    ("environ", "settings"),
    [
        (
            {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_KEY": "k=\n"},
            {"account_name": "a", "account_key": "k="},
        ),
        (
            {
                _STRING: "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=k==;BlobEndpoint=http://h/a;"
            },
            {"account_name": "a", "account_key": "k==", "endpoint": "http://h/a"},
        ),
        (
            {_STRING: "AccountName=a;AccountKey=k;EndpointSuffix=core.chinacloudapi.cn"},
            {
                "account_name": "a",
                "account_key": "k",
                "endpoint": "https://a.blob.core.chinacloudapi.cn",
            },
        ),
        (
            {
                _STRING: "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=1&sig=x"
            },
            {
                "account_name": "a",
                "endpoint": "https://a.blob.core.windows.net",
                "sas_key": "sv=1&sig=x",
            },
        ),
        ({"AZURE_STORAGE_ACCOUNT_NAME": "a"}, {}),
    ],
    ids=["az's names", "connection string", "suffix", "signature", "obstore's names"],
)
def test_azures_names_are_read(environ: Mapping[str, str], settings: dict[str, Any]) -> None:
    """As `az` and Azure's libraries read them."""
    assert settings == azure_settings(environ)
    assert ("http://" in str(settings)) == is_plain_http(settings, environ)


@pytest.mark.parametrize("environ", [{}, {_STRING: "AccountKey=CANARY"}], ids=["none", "no name"])
def test_no_account_is_a_usage_error(environ: Mapping[str, str]) -> None:
    """The message names the variables and no value."""
    with pytest.raises(UsageError, match=_STRING) as caught:
        azure_settings(environ)
    assert "CANARY" not in str(caught.value)


def test_googles_files_are_read(tmp_path: Path) -> None:
    """Where `gcloud` leaves them; an emulator needs none."""
    file = tmp_path / "application_default_credentials.json"
    environ = {"CLOUDSDK_CONFIG": str(tmp_path)}
    assert {} == google_settings(environ)
    file.write_text('{"type": "authorized_user", "refresh_token": "CANARY"}')
    assert {"application_credentials": str(file)} == google_settings(environ)
    emulator = google_settings(environ | {"STORAGE_EMULATOR_HOST": "localhost:4443"})
    assert {"base_url": "http://localhost:4443", "credential_provider": emulator_token} == emulator


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "GOOGLE_APPLICATION_CREDENTIALS names"),
        ("CANARY", "no Google credentials"),
        ('{"type": "external_account", "secret": "CANARY"}', "pip install google-auth"),
    ],
)
def test_googles_wrong_files_are_usage_errors(
    tmp_path: Path, content: str | None, words: str
) -> None:
    """The message names the file and the cure, and repeats nothing of it."""
    file = tmp_path / "key.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=words) as caught:
        google_settings({"GOOGLE_APPLICATION_CREDENTIALS": str(file)})
    assert str(file) in str(caught.value)
    assert "CANARY" not in str(caught.value)
