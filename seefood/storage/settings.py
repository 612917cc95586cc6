"""Describes how a store is reached, for `seefood doctor`: places and addresses, never a secret."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from seefood.storage.s3_address import Address, environment_address

_METHODS = {
    "env": "the environment (AWS_ACCESS_KEY_ID)",
    "shared-credentials-file": "the shared credentials file",
    "config-file": "the shared configuration file",
    "custom-process": "credential_process",
    "sso": "single sign-on",
    "assume-role": "an assumed role",
    "assume-role-with-web-identity": "web identity (AWS_WEB_IDENTITY_TOKEN_FILE)",
    "container-role": "the container's credential service",
    "iam-role": "the instance's metadata service",
}
_GOOGLE = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "STORAGE_EMULATOR_HOST")


def describe(root: str) -> Iterator[tuple[str, str]]:
    """Yield pairs of a setting's name and what would be used for the store `root`.

    Raises `UsageError` for settings that are wrong.
    """
    scheme, _, name = root.partition("://")
    if scheme == "s3":
        yield from _s3(name)
    elif scheme in ("gs", "az"):
        prefix = "AZURE_" if scheme == "az" else "GOOGLE_"
        names = [each for each in sorted(os.environ) if each.startswith(prefix) or each in _GOOGLE]
        yield "credentials", f"variables that are set: {', '.join(names) or 'none'}"
    else:
        yield "place", "this machine" if scheme == "file" else "memory"


def _s3(bucket: str) -> Iterator[tuple[str, str]]:
    address = environment_address(bucket, os.environ)
    if address is not None:
        yield "credentials", _METHODS["env"]
    else:
        from seefood.storage.s3_store import identity  # noqa: PLC0415 (imports botocore)

        who = identity(bucket)
        yield "profile", who.profile
        yield "credentials", _METHODS.get(who.method, who.method)
        address = who.address(bucket)
    yield from _address(address)


def _address(address: Address) -> Iterator[tuple[str, str]]:
    yield "region", address.region
    yield "endpoint", address.url
    if address.proxy:
        parts = urlsplit(address.proxy)
        yield "proxy", f"{parts.scheme}://{parts.hostname}:{parts.port or ''}".rstrip(":")
    else:
        yield "proxy", "none"
    own = "none of your own"
    yield "certificates", "your own authority's" if address.authority is not None else own
    if address.payer:
        yield "payer", "the requester"
    if address.unsigned:
        yield "signature", "none (AWS_SKIP_SIGNATURE)"
