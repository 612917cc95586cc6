"""The web page with its few files, and its Content-Security-Policy.

Style and script are inline and the policy lists their hashes. So the browser runs nothing else,
loads nothing from other sites, and shows a label that contains markup as text.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from seefood.pages import ServedPage

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
_SOURCES: Final = {
    "img-src": "'self' blob: data:",
    "media-src": "blob:",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


@cache
def page() -> "ServedPage":
    """Return the page with its policy."""
    from seefood.pages import PageTemplates, Style  # noqa: PLC0415 (Jinja: only for the page)

    style = Style(sheets=("page.css",), script="page.js")
    return PageTemplates("seefood_lambda", "web").serve("page.html", style, _SOURCES)


@cache
def asset(path: str) -> tuple[str, str | bytes]:
    """Return the type and the content of one of `ASSETS`: text, or bytes of a picture."""
    content_type, data = ASSETS[path], (_FOLDER / path.removeprefix("/")).read_bytes()
    is_binary = content_type == "image/png"
    return content_type, data if is_binary else data.decode()
