"""Who we are to AWS: the places in which its own tools look for an access key, in their order.

environment      AWS_ACCESS_KEY_ID and its companions
boto3            profiles, single sign-on, whatever else it knows, where it is installed
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

from seefood.storage.s3_store import needs_boto3
from seefood.storage.sigv4 import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT_SECONDS: Final = 2.0
_EARLY_SECONDS: Final = 300.0
_VARIABLES: Final = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "AWS_PROFILE",
)
_CONTAINER: Final = "http://169.254.170.2"
_INSTANCE: Final = "http://169.254.169.254/latest"


class CredentialChain:
    """Finds the credentials when first asked, shortly before they expire, and in new surroundings.

    The environment's variables may change under a process that lives long, such as a notebook.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Credentials | None = None
        self._told: tuple[str | None, ...] | None = None

    def current(self, *, renew: bool = False) -> Credentials | None:
        """Return credentials that are good for a while; None if there are none anywhere.

        `renew` looks again even if those at hand should be good: the store refused them.
        """
        with self._lock:
            held = self._held
            stale = held is not None and held.expires_at is not None
            stale = stale and held.expires_at - time.time() < _EARLY_SECONDS  # type: ignore[union-attr, operator]
            told = tuple(map(os.environ.get, _VARIABLES))
            if renew or stale or told != self._told:
                self._held, self._told = find_credentials(), told
            return self._held


def find_credentials() -> Credentials | None:
    """Return what the first place that knows any says; None if none does."""
    places: tuple[Callable[[], Credentials | None], ...] = (
        _environment,
        _boto3,
        _web_identity,
        _container,
        _instance,
    )
    for place in places:
        try:
            found = place()
        except (OSError, ValueError, KeyError, ET.ParseError):
            continue  # not here; the next place may know
        if found is not None:
            return found
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

    found = Boto3CredentialProvider()()
    expires = found.get("expires_at")
    return Credentials(
        found["access_key_id"],
        found["secret_access_key"],
        found.get("token"),
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
    address = (
        f"{_CONTAINER}{relative}" if relative else env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    )
    if not address:
        return None
    file = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = Path(file).read_text() if file else env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return _from_json(_get(address, {"Authorization": token} if token else {}))


def _instance() -> Credentials | None:
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    life = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
    token = {"X-aws-ec2-metadata-token": _get(f"{_INSTANCE}/api/token", life, "PUT").decode()}
    folder = f"{_INSTANCE}/meta-data/iam/security-credentials/"
    role = _get(folder, token).decode().splitlines()[0]
    return _from_json(_get(folder + role, token))


def _from_json(data: bytes) -> Credentials:
    found: dict[str, Any] = json.loads(data)
    return Credentials(
        found["AccessKeyId"],
        found["SecretAccessKey"],
        found.get("Token"),
        datetime.fromisoformat(found["Expiration"]).timestamp(),
    )


def _get(address: str, headers: dict[str, str] | None = None, method: str = "GET") -> bytes:
    request = urllib.request.Request(address, headers=headers or {}, method=method)  # noqa: S310 (fixed schemes)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        return bytes(answer.read())
