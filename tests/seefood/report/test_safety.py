"""The page shows untrusted text as text, and loads nothing."""

import base64
import hashlib
import re
from html import unescape

import pytest

from tests.report_page import ROWS, SUMMARY, failed, labelled, report, text_of

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "line\nbreak\x1b[31m",
    "\u202egpj.exe",
    "lone \udcff surrogate",
    "{{ 7 * 7 }}",
)


@pytest.mark.parametrize(
    "text", HOSTILE, ids=["script", "attribute", "control", "bidi", "surrogate", "template"]
)
def test_untrusted_text_is_escaped(text: str) -> None:
    """Names, labels and messages are shown as text, control characters as escapes."""
    page = report(
        [labelled(f"s3://b/{text}", text, 0.9), failed(f"file:///b/{text}", text, text)],
        {**SUMMARY, "sources": [text], "options": {text: text}},
    )

    assert "<script" not in page
    assert "<img src=x" not in page
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\udcff]", page)
    assert "49" not in text_of(page).replace("{{ 7 * 7 }}", "")
    page.encode("utf-8")


def test_the_page_loads_nothing() -> None:
    """Every reference is data, an anchor or a local file; there is no script."""
    page = report([*ROWS, labelled("file:///pictures/a%20b.jpg", "hotdog", 0.98)])
    references = re.findall(r"""(?:src|href|action|poster)\s*=\s*["']([^"']*)""", page)

    assert [] == [r for r in references if not r.startswith(("data:", "#", "file:///"))]
    assert "<script" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert 'href="file:///pictures/a%20b.jpg"' in page


def test_the_policy_allows_only_this_style_sheet() -> None:
    """The content security policy allows the style sheet by its hash and no other style."""
    page = report(ROWS)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]+)"', page)[0])

    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;" in policy
    assert " style=" not in page
    assert " onclick" not in page
