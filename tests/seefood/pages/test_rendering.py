"""Rules of the page skeleton."""

import base64
import hashlib
import re
from html import unescape

import pytest
from jinja2 import TemplateRuntimeError

from seefood.pages import DOCUMENT, PageTemplates, Style

PAGES = PageTemplates("seefood.pages")


def digest_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_a_file_holds_its_policy_and_a_served_page_does_not() -> None:
    """A server sends the policy as a header; a file has the same hashes in an element."""
    served = PageTemplates("seefood_lambda", "web").serve(
        "page.html", Style(sheets=("page.css",), script="page.js"), {"connect-src": "'self'"}
    )
    style = re.search(r"<style>(.*?)</style>", served.html, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", served.html, re.DOTALL)

    assert style is not None
    assert script is not None
    assert (
        f"default-src 'none'; style-src {digest_of(style[1])}; script-src {digest_of(script[1])}; "
        "connect-src 'self'"
    ) == served.policy
    assert "Content-Security-Policy" not in served.html

    texts = {"mark": "diff", "skip": "", "title": "<none>", "lead": ""}
    diff = {**texts, "figures": [], "sections": []}
    file = PageTemplates("seefood.report").render("sheets.html", DOCUMENT, **diff)
    sheet = re.search(r"<style>(.*?)</style>", file, re.DOTALL)
    assert sheet is not None
    assert f"style-src {digest_of(sheet[1])}; img-src data:" in unescape(file)
    assert "<h1>&lt;none&gt;</h1>" in file


def test_a_page_must_have_a_headline() -> None:
    """A template that leaves out what every page needs is an error of the program."""
    with pytest.raises(TemplateRuntimeError, match="title"):
        PAGES.render("document.html")
