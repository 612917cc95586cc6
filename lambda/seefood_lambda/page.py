"""The web page with its few files, and its Content-Security-Policy.

Style and script are inline and the policy lists their hashes. So the browser runs nothing else,
loads nothing from other sites, and shows a label that contains markup as text.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "web"
ASSETS: Final = {
    "/manifest.webmanifest": "application/manifest+json",
    "/sw.js": "text/javascript; charset=utf-8",
    "/icon.svg": "image/svg+xml",
    "/icon-192.png": "image/png",
    "/icon-512.png": "image/png",
    "/openapi.json": "application/json",
}
"""The paths of the page's files and of the interface's description, with their types."""
_INLINE: Final = re.compile(rb"<(style|script)>(.*?)</\1>", re.DOTALL)


@cache
def page() -> str:
    """Return the page as HTML."""
    return (_FOLDER / "page.html").read_text(encoding="utf-8")


@cache
def asset(path: str) -> tuple[str, str | bytes]:
    """Return the type and the content of one of `ASSETS`: text, or bytes of a picture."""
    content_type, data = ASSETS[path], (_FOLDER / path.removeprefix("/")).read_bytes()
    is_binary = content_type == "image/png"
    return content_type, data if is_binary else data.decode()


@cache
def content_security_policy() -> str:
    """Return the value of the policy's header for `page`."""
    hashes: dict[bytes, list[str]] = {b"style": [], b"script": []}
    for kind, text in _INLINE.findall(page().encode()):
        digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {' '.join(hashes[b'style'])}",
            f"script-src {' '.join(hashes[b'script'])}",
            "img-src 'self' blob: data:",
            "media-src blob:",
            "manifest-src 'self'",
            "worker-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
