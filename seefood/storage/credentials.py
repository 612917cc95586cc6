"""AWS credential chain, in the SDK's order.

environment      AWS_ACCESS_KEY_ID and its companions
boto3            profiles, single sign-on and the rest, where it is installed
web identity     EKS service accounts
container        ECS, Fargate, AWS Batch, EKS pod identity
instance         EC2's metadata service, version 2
"""

import json
import os
import threading
import time
import urllib.request
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from seefood.storage.aws_profile import needs_boto3
from seefood.storage.sigv4 import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT_SECONDS: Final = 2.0
_RENEW_BEFORE_EXPIRY_SECONDS: Final = 300.0
_VARIABLES: Final = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "AWS_PROFILE",
)
_CONTAINER: Final = "http://169.254.170.2"
_INSTANCE: Final = "http://169.254.169.254/latest"


class CredentialChain:
    """Caches the credentials; loads them again before they expire or if the environment changes.

    Environment variables may change during a long-running process, such as a notebook.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cached: Credentials | None = None
        self._variables: tuple[str | None, ...] | None = None

    def current(self, *, renew: bool = False) -> Credentials | None:
        """Return credentials that are valid for some minutes; None if there are none.

        `renew` ignores the cache, for when the store has refused the cached credentials.
        """
        with self._lock:
            variables = tuple(map(os.environ.get, _VARIABLES))
            if renew or variables != self._variables or _expires_soon(self._cached):
                self._cached, self._variables = find_credentials(), variables
            return self._cached


def _expires_soon(credentials: Credentials | None) -> bool:
    return (
        credentials is not None
        and credentials.expires_at is not None
        and credentials.expires_at - time.time() < _RENEW_BEFORE_EXPIRY_SECONDS
    )


def find_credentials() -> Credentials | None:
    """Return the credentials of the first source that has any; None if none has."""
    sources: tuple[Callable[[], Credentials | None], ...] = (
        _environment,
        _boto3,
        _web_identity,
        _container,
        _instance,
    )
    for source in sources:
        try:
            credentials = source()
        except (OSError, ValueError, KeyError, ET.ParseError):
            continue
        if credentials is not None:
            return credentials
    return None


def _environment() -> Credentials | None:
    env = os.environ
    if "AWS_PROFILE" in env and find_spec("boto3") is not None:
        return None
    if not env.get("AWS_ACCESS_KEY_ID"):
        return None
    return Credentials(
        env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN")
    )


def _boto3() -> Credentials | None:
    if not needs_boto3():
        return None
    from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415 (half a second)

    values = Boto3CredentialProvider()()
    expires = values.get("expires_at")
    return Credentials(
        values["access_key_id"],
        values["secret_access_key"],
        values.get("token"),
        expires.timestamp() if expires is not None else None,
    )


def _web_identity() -> Credentials | None:
    env = os.environ
    if "AWS_WEB_IDENTITY_TOKEN_FILE" not in env or "AWS_ROLE_ARN" not in env:
        return None
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"
    query = urlencode(
        {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": env["AWS_ROLE_ARN"],
            "RoleSessionName": env.get("AWS_ROLE_SESSION_NAME", "seefood"),
            "WebIdentityToken": Path(env["AWS_WEB_IDENTITY_TOKEN_FILE"]).read_text().strip(),
        }
    )
    root = ET.fromstring(_get(f"https://sts.{region}.amazonaws.com/?{query}"))  # noqa: S314 (STS)
    values = {item.tag.rpartition("}")[2]: item.text or "" for item in root.iter()}
    return Credentials(
        values["AccessKeyId"],
        values["SecretAccessKey"],
        values["SessionToken"],
        datetime.fromisoformat(values["Expiration"]).timestamp(),
    )


def _container() -> Credentials | None:
    env = os.environ
    relative = env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    url = f"{_CONTAINER}{relative}" if relative else env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not url:
        return None
    file = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = Path(file).read_text() if file else env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return _from_json(_get(url, {"Authorization": token} if token else {}))


def _instance() -> Credentials | None:
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
    token = {"X-aws-ec2-metadata-token": _get(f"{_INSTANCE}/api/token", lifetime, "PUT").decode()}
    folder = f"{_INSTANCE}/meta-data/iam/security-credentials/"
    role = _get(folder, token).decode().splitlines()[0]
    return _from_json(_get(folder + role, token))


def _from_json(data: bytes) -> Credentials:
    values: dict[str, Any] = json.loads(data)
    return Credentials(
        values["AccessKeyId"],
        values["SecretAccessKey"],
        values.get("Token"),
        datetime.fromisoformat(values["Expiration"]).timestamp(),
    )


def _get(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> bytes:
    request = urllib.request.Request(url, headers=headers or {}, method=method)  # noqa: S310 (fixed schemes)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
        return bytes(response.read())
