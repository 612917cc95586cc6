"""Who we are for AWS: one botocore session for each profile, and the S3 client that it makes.

botocore finds credentials, configuration and endpoints in every place that AWS's own tools read.
Four things differ: AWS_REGION is read as well as AWS_DEFAULT_REGION; white space around a secret
is removed; the token of a container's credentials may end with a newline; and the instance's
metadata service is never asked through a proxy.
"""

import os
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies

import botocore.session
from botocore import UNSIGNED as UNSIGNED_REQUESTS
from botocore.config import Config
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from seefood.errors import UsageError
from seefood.storage.aws_errors import CredentialsError, explain, no_credentials, not_signed
from seefood.storage.request_counts import count_sent
from seefood.storage.s3_address import PAYER, UNSIGNED, Address, is_on, profile_of

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials
    from obstore.store import S3Credential

LIST: Final = "ListObjectsV2"
_DIRECTORIES: Final = "s3express"
_CONFIG: Final = {
    "connect_timeout": 5,
    "read_timeout": 60,
    "max_pool_connections": 64,
    "retries": {"total_max_attempts": 1, "mode": "standard"},  # `storage.retry` retries
    "user_agent_extra": "seefood",
}
# Of other services: a request ends within a minute, the time of a Lambda function.
_SERVICE_CONFIG: Final = {
    "connect_timeout": 5,
    "read_timeout": 10,
    "retries": {"total_max_attempts": 3, "mode": "standard"},
    "user_agent_extra": "seefood",
}
# obstore asks again when less than this is left, so once a minute.
_ASK_AGAIN: Final = timedelta(seconds=60)
_LOCK: Final = threading.RLock()
_IDENTITIES: Final[dict[tuple[str | None, frozenset[tuple[str, str]]], "Identity"]] = {}
_DECISIVE: Final = re.compile(
    "(AWS|SEEFOOD)_|HOME$|(https?|all|no)_proxy|requests_ca", re.IGNORECASE
)


class Identity:
    """The session of one profile and its S3 client. Thread-safe."""

    def __init__(self, profile: str | None) -> None:
        """Raises `CredentialsError` if the configuration is wrong or there are no credentials."""
        self.unsigned = is_on(os.environ.get(UNSIGNED))
        self.payer = is_on(os.environ.get(PAYER))
        self.session = _Session(profile=profile)
        self._caught = threading.local()
        self._clients: dict[str, Any] = {}
        try:
            self.authority = self._read_authority()
            self.client = self._create_client()
            self.frozen()
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 (botocore, and what it asks, raise many kinds)
            raise CredentialsError(explain(error, self.session)) from None

    def _read_authority(self) -> bytes | None:
        """Return the certificates that the configuration names."""
        name, path = "AWS_CA_BUNDLE (or ca_bundle)", self.session.get_config_variable("ca_bundle")
        if not path:
            name, path = "REQUESTS_CA_BUNDLE", os.environ.get("REQUESTS_CA_BUNDLE")
        if not path:
            return None
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise UsageError(
                f"{name} names {path}, which cannot be read ({error.strerror}); name the PEM file "
                "of the certificate authority"
            ) from error
        if b"-----BEGIN CERTIFICATE-----" not in data:
            raise UsageError(f"{name} names {path}, which holds no certificate in PEM")
        return data

    def _create_client(self) -> Any:
        session = self.session
        region = os.environ.get("AWS_REGION")
        if region:
            session.set_config_variable("region", region)
        _never_through_a_proxy(session)
        client = session.create_client("s3", config=self._config())
        events = client.meta.events
        # With `*` it is called before botocore's own handler, which parses the page.
        events.register_first(f"before-parse.*.{LIST}", _keep_page)
        events.register_last("before-call.s3.HeadObject", self._catch)
        events.register("before-send.s3", count_sent)
        return client

    def _config(self) -> Config:
        signature = {"signature_version": UNSIGNED_REQUESTS} if self.unsigned else {}
        return Config(**_CONFIG, **signature)  # type: ignore[arg-type]

    def service_client(self, service: str) -> Any:
        """Return the client of another service; the same one for each call."""
        with _LOCK:
            if service not in self._clients:
                config = Config(**_SERVICE_CONFIG)  # type: ignore[arg-type]
                self._clients[service] = self.session.create_client(service, config=config)
            return self._clients[service]

    @property
    def method(self) -> str:
        """Where the credentials come from, in botocore's words, such as `env`."""
        credentials = None if self.unsigned else self.session.get_credentials()
        return "none" if credentials is None else str(credentials.method)

    @property
    def profile(self) -> str:
        """The name of the profile that is read."""
        return str(self.session.get_config_variable("profile") or "default")

    def frozen(self) -> "ReadOnlyCredentials | None":
        """Return credentials that are valid for some minutes; None if none are needed.

        Raises `CredentialsError`.
        """
        if self.unsigned:
            return None
        try:
            credentials = self.session.get_credentials()
            if credentials is not None:
                frozen: ReadOnlyCredentials = credentials.get_frozen_credentials()
                return frozen
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 (botocore, and what it asks, raise many kinds)
            raise CredentialsError(explain(error, self.session)) from None
        raise CredentialsError(no_credentials(self.session))

    def address(self, bucket: str) -> Address:
        """Return where botocore finds `bucket`; sends nothing. Raises `UsageError`."""
        self._caught.call = None
        self._caught.is_armed = True
        try:
            self.client.head_object(Bucket=bucket, Key="k")
        except Exception as error:
            raise UsageError(explain(error, self.session, bucket)) from error
        finally:
            self._caught.is_armed = False
        url, signing = self._caught.call
        service = signing.get("signing_name", "s3")
        if service not in ("s3", _DIRECTORIES) or signing.get("region") == "*":
            raise UsageError(not_signed(bucket, service))
        url = url.removesuffix("/k")
        return Address(
            url,
            signing.get("region") or self.client.meta.region_name or "us-east-1",
            payer=self.payer,
            unsigned=self.unsigned,
            is_directory=service == _DIRECTORIES,
            proxy=_proxy(url),
            authority=self.authority if url.startswith("https:") else None,
        )

    def _catch(self, params: Mapping[str, Any], **_: Any) -> Any:
        """Note where a request would go, in `address`, instead of sending it."""
        if not getattr(self._caught, "is_armed", False):
            return None
        self._caught.call = params["url"], params["context"].get("signing", {})
        return SimpleNamespace(status_code=200), {"ResponseMetadata": {}}


class ObstoreCredentials:
    """Gives a bucket's credentials to obstore, renewed by botocore."""

    refresh_threshold: Final = _ASK_AGAIN

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self.error: UsageError | None = None
        """Why the last call failed. obstore would put it into a message of its own."""

    def __call__(self) -> "S3Credential":
        """Return credentials that are valid for some minutes. Raises `CredentialsError`."""
        try:
            frozen = identity_of(self._bucket).frozen()
        except UsageError as error:
            self.error = error
            raise
        assert frozen is not None  # noqa: S101 (the address of an unsigned store says so)
        self.error = None
        return {
            "access_key_id": str(frozen.access_key),
            "secret_access_key": str(frozen.secret_key),
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + 2 * _ASK_AGAIN,
        }


def identity_of(bucket: str) -> Identity:
    """Return the identity for `bucket`; the same one while profile and environment are the same.

    Raises `CredentialsError`.
    """
    # The environment of a long process, such as a notebook, may change.
    variables = frozenset(item for item in os.environ.items() if _DECISIVE.match(item[0]))
    key = profile_of(bucket), variables
    with _LOCK:
        if key not in _IDENTITIES:
            _IDENTITIES[key] = Identity(key[0])
        return _IDENTITIES[key]


def service_client(service: str) -> Any:
    """Return botocore's client of another service, for the default profile.

    Raises `CredentialsError`.
    """
    return identity_of("").service_client(service)


def forget(identity: Identity) -> None:
    """Read everything again at the next request: the store says that the credentials are old."""
    with _LOCK:
        for key, known in list(_IDENTITIES.items()):
            if known is identity:
                del _IDENTITIES[key]


class _Session(botocore.session.Session):
    """A session whose secrets have no white space around them."""

    def get_credentials(self) -> Any:
        credentials = super().get_credentials()
        return None if credentials is None else _CleanCredentials(credentials)


class _CleanCredentials:
    """botocore's credentials without white space, which would end up in a header."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def get_frozen_credentials(self) -> "ReadOnlyCredentials":
        """Return the current values. Raises `CredentialsError` for a value that cannot be one."""
        frozen: ReadOnlyCredentials = self._credentials.get_frozen_credentials()
        return frozen._replace(
            access_key=_clean(frozen.access_key, "access key", self.method),
            secret_key=_clean(frozen.secret_key, "secret key", self.method),
            token=_clean(frozen.token, "session token", self.method) or None,
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._credentials, name)


def _clean(value: str | None, name: str, method: str) -> str:
    text = (value or "").strip()
    if re.search(r"[^\x21-\x7e]", text):
        raise CredentialsError(
            f"the {name} (from: {method}) has a space, a line break or another character inside "
            "that no key has; copy it again"
        )
    return text


class _ContainerVariables(Mapping[str, str]):
    """The environment with the container's token as `AWS_CONTAINER_AUTHORIZATION_TOKEN`.

    Read from its file each time, without the newline that editors and `kubectl` leave.
    """

    _TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 (a variable's name)
    _FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

    def __getitem__(self, name: str) -> str:
        if name == self._FILE:
            raise KeyError(name)
        if name == self._TOKEN and self._FILE in os.environ:
            return Path(os.environ[self._FILE]).read_text().strip()
        value = os.environ[name]
        return value.strip() if name == self._TOKEN else value

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


def _never_through_a_proxy(session: botocore.session.Session) -> None:
    """Let the instance's metadata be read directly, and the container's token be clean.

    botocore has no public way to say either: a test notices if these attributes go.
    """
    for provider in session.get_component("credential_provider").providers:
        if provider.METHOD == "container-role":
            provider._environ = _ContainerVariables()  # noqa: SLF001 (see above)
        elif provider.METHOD == "iam-role":
            fetcher = provider._role_fetcher  # noqa: SLF001 (see above)
            fetcher._session = URLLib3Session(timeout=fetcher._timeout)  # noqa: SLF001


def _proxy(url: str) -> str | None:
    """Return the proxy that botocore uses for `url`; "" if not the one that is set.

    botocore does not read ALL_PROXY.
    """
    if not getproxies():
        return None
    proxy = str(get_environ_proxies(url).get(url.partition(":")[0]) or "")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _keep_page(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Keep a listing's page as it is: botocore's parser takes ten times the CPU of ours."""
    if response_dict["status_code"] < 300:
        customized_response_dict["Page"] = response_dict["body"]
        response_dict["body"] = b"<ListBucketResult/>"
