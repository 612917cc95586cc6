"""Where a bucket is and how it is reached, as a value; and the answer that needs no botocore.

botocore's configuration and endpoint rules decide (`seefood.storage.s3_identity`). Importing it
takes a third of a second, so where the environment alone decides, as in a Lambda function,
`environment_address` returns the same answer without it; a test compares the two.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from seefood.storage.object_store import CLIENT

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

PAYER: Final = "AWS_REQUEST_PAYER"
"""`requester` or `true`: every request says that the requester pays."""
UNSIGNED: Final = "AWS_SKIP_SIGNATURE"
"""`true`: requests are not signed, for public buckets."""
PROFILE: Final = "SEEFOOD_PROFILE"
"""The profile of `--profile`, for the worker processes."""
OUTPUT_PROFILE: Final = "SEEFOOD_OUTPUT_PROFILE"
"""`bucket=profile`: the profile of `--output-profile` and the bucket that it is for."""

# Only these settings have no influence beside the keys, or are read here. With any other AWS_…
# variable, botocore decides.
_KNOWN: Final = re.compile(
    r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|REGION|DEFAULT_REGION|REQUEST_PAYER|"
    r"ENDPOINT_URL|ENDPOINT_URL_S3|EC2_METADATA_DISABLED|EXECUTION_ENV|XRAY_.*|LAMBDA_.*)"
)
_PROXY: Final = re.compile("(https?|all|no)_proxy|requests_ca_bundle", re.IGNORECASE)
# Regions of the partition `aws`, and bucket names that are part of a host's name.
_REGION: Final = re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d")
_BUCKET: Final = re.compile(r"(?!.*--)(?!.*-s3alias$)(?!xn-)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?/?")


@dataclass(frozen=True, slots=True)
class Address:
    """How one bucket is reached."""

    url: str
    """Of the bucket; keys follow after a slash."""
    region: str
    """That requests are signed for."""
    payer: bool = False
    unsigned: bool = False
    is_directory: bool = False
    """Whether it is a directory bucket (S3 Express One Zone)."""
    proxy: str | None = None
    """The URL of the proxy, maybe with a password; "" if none may be used, None if none is set."""
    authority: bytes | None = field(default=None, repr=False)
    """The certificates in PEM that are trusted."""

    @property
    def settings(self) -> "S3Config":
        """What obstore needs of this, besides credentials and the client's options."""
        return {
            "aws_endpoint_url_s3": self.url,
            "virtual_hosted_style_request": True,  # the URL contains the bucket
            "region": self.region,
            "request_payer": self.payer,
            "skip_signature": self.unsigned,
            "s3_express": self.is_directory,
        }

    @property
    def client_options(self) -> "ClientConfig":
        """The same for obstore's HTTP client, which reads no proxy variable if one is given."""
        options: ClientConfig = {**CLIENT, "allow_http": self.url.startswith("http:")}
        if self.proxy is not None:
            options["proxy_url"] = self.proxy or "http://localhost"
            host = urlsplit(self.url).hostname or ""
            options["proxy_excludes"] = "" if self.proxy else f"{host},*"  # `*` is no IP address
        if self.authority is not None:
            options["root_certificate"] = self.authority
        return options


def is_on(text: str | None) -> bool:
    """Whether the value of a variable means yes."""
    return (text or "").strip().lower() in ("1", "true", "yes", "requester")


def profile_of(bucket: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the profile that the command line names for `bucket`; None if it names none."""
    name, _, profile = environ.get(OUTPUT_PROFILE, "").partition("=")
    return profile if profile and name == bucket else environ.get(PROFILE) or None


def environment_address(bucket: str, environ: Mapping[str, str]) -> Address | None:
    """Return the address of `bucket` if `environ` decides everything; None if botocore must.

    It decides if it holds a key pair and a region, and nothing else that botocore would read.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or ""
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""
    keys = [environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    is_simple = (
        all(keys)
        and not any(re.search(r"\s", key) for key in (*keys, environ.get("AWS_SESSION_TOKEN", "")))
        and _REGION.fullmatch(region)
        and _BUCKET.fullmatch(bucket)
        and (not endpoint or _ENDPOINT.fullmatch(endpoint))
        and not any(_is_decisive(name) for name in environ)
        and not any(os.path.exists(os.path.expanduser(f"~/.aws/{n}")) for n in _FILES)  # noqa: PTH110, PTH111 (a home folder may be absent)
    )
    if not is_simple:
        return None
    payer = is_on(environ.get(PAYER))
    if endpoint:
        return Address(f"{endpoint.rstrip('/')}/{bucket}", region, payer)
    host = "s3" if region == "us-east-1" else f"s3.{region}"  # as botocore's rules have it
    return Address(f"https://{bucket}.{host}.amazonaws.com", region, payer)


_FILES: Final = ("config", "credentials")


def _is_decisive(name: str) -> bool:
    """Whether the variable `name` may change botocore's answer."""
    if name in (PROFILE, OUTPUT_PROFILE) or _PROXY.fullmatch(name):
        return True
    return name.startswith("AWS_") and not _KNOWN.fullmatch(name)
