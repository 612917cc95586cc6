"""The page, made of its templates."""

from functools import cache
from typing import Final

from seefood.pages import PageTemplates, ServedPage, Style
from seefood.sanitize import printable

_SOURCES: Final = {
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


@cache
def review_page(title: str, *, is_blind: bool) -> ServedPage:
    """Return the page with its policy."""
    style = Style(sheets=("review.css",), script="review.js")
    templates = PageTemplates("seefood.review")
    return templates.serve(
        "review.html", style, _SOURCES, output=printable(title), is_blind=is_blind
    )
