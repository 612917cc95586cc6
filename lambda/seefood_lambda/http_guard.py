"""Decides which HTTP callers may call, and which pages of others may read the response."""

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Final

from seefood_lambda.events import HttpRequest
from seefood_lambda.problem_details import HttpError
from seefood_lambda.settings import HttpPolicy

_COOKIE: Final = "seefood_key"
_OPEN: Final = frozenset({"/health", "/manifest.webmanifest", "/sw.js"})
"""Paths that cost nothing and tell nothing; so are the icons."""
_YEAR_SECONDS: Final = 31_536_000


def admit(request: HttpRequest, policy: HttpPolicy) -> Mapping[str, str]:
    """Return headers for the response. Raises `HttpError` for a caller without the shared token.

    The token is a header (`x-seefood-token`, or `authorization: Bearer …`), the query's `key`, or
    the cookie that a page opened with `?key=` gets, so that the installed page needs no key.
    """
    if policy.token is None or request.is_iam or request.path in _OPEN or _is_icon(request.path):
        return {}
    from_query = request.query.get("key", "")
    given = (from_query, *_headers(request), _cookie(request))
    if not any(_equal(one, policy.token) for one in given):
        raise HttpError(
            HTTPStatus.UNAUTHORIZED,
            "no_token",
            "this address needs its key: open it with ?key=…, or send it in the header "
            "x-seefood-token",
            {"www-authenticate": 'Bearer realm="seefood"'},
        )
    if request.path == "/" and _equal(from_query, policy.token):
        attributes = f"Path=/; Max-Age={_YEAR_SECONDS}; HttpOnly; Secure; SameSite=Strict"
        return {"set-cookie": f"{_COOKIE}={from_query}; {attributes}"}
    return {}


def cors_headers(request: HttpRequest, policy: HttpPolicy) -> Mapping[str, str]:
    """Return the headers that let the calling page read the response."""
    origin = request.headers.get("origin")
    if origin is None or not policy.cors_origins:
        return {}
    if "*" in policy.cors_origins:
        return {"access-control-allow-origin": "*"}
    if origin in policy.cors_origins:
        return {"access-control-allow-origin": origin, "vary": "origin"}
    return {"vary": "origin"}


def is_preflight(request: HttpRequest, policy: HttpPolicy) -> bool:
    """Whether a browser asks if another page may call."""
    return request.method == "OPTIONS" and "access-control-allow-origin" in cors_headers(
        request, policy
    )


PREFLIGHT: Final = {
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers": "content-type, x-seefood-token, authorization",
    "access-control-max-age": "3600",
}


def _equal(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _headers(request: HttpRequest) -> tuple[str, str]:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    bearer = value.strip() if kind.lower() == "bearer" else ""
    return request.headers.get("x-seefood-token", ""), bearer


def _cookie(request: HttpRequest) -> str:
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie is not None else ""


def _is_icon(path: str) -> bool:
    return path.startswith("/icon")
