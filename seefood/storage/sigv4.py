"""AWS signature version 4 for S3 requests, in headers, as Amazon documents it.

Only for seefood's own S3 client: obstore signs its requests itself.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; `expires_at` in POSIX seconds, None for a permanent one."""

    access_key: str
    secret_key: str
    token: str | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one path with its query, at one host."""

    host: str
    path: str
    """Percent-encoded, as it is sent."""
    query: Mapping[str, str]
    """Not encoded."""
    method: str = "GET"
    body: bytes = b""

    @property
    def target(self) -> str:
        """The path and query of the request line."""
        query = encode_query(self.query)
        return f"{self.path}?{query}" if query else self.path


def encode_path(key: str) -> str:
    """Return `key` percent-encoded as S3 signs it: slashes stay."""
    return quote(key.encode("utf-8", "surrogatepass"), safe="/-_.~")


def encode_query(query: Mapping[str, str]) -> str:
    """Return the query sorted and percent-encoded as S3 signs it."""
    pairs = [
        (quote(name, safe="-_.~"), quote(value.encode("utf-8", "surrogatepass"), safe="-_.~"))
        for name, value in query.items()
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def sign(
    request: Request,
    credentials: Credentials,
    region: str,
    now: datetime,
    headers: Mapping[str, str] | None = None,
    service: str = "s3",
) -> dict[str, str]:
    """Return `headers` and those that sign `request` at the UTC time `now`."""
    moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    signed = {name.lower(): value for name, value in (headers or {}).items()}
    content = hashlib.sha256(request.body).hexdigest()
    signed |= {"host": request.host, "x-amz-date": moment, "x-amz-content-sha256": content}
    if credentials.token is not None:
        signed["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        [
            request.method,
            request.path,
            encode_query(request.query),
            *(f"{name}:{signed[name].strip()}" for name in sorted(signed)),
            "",
            names,
            content,
        ]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return signed
