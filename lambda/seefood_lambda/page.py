"""The web page, one file, and its Content-Security-Policy.

Style and script are inline and the policy lists their hashes. So the browser runs nothing else,
loads nothing from other sites, and shows a label that contains markup as text.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_name("page.html")
_INLINE: Final = re.compile(rb"<(style|script)>(.*?)</\1>", re.DOTALL)


@cache
def page() -> str:
    """Return the page as HTML."""
    return _FILE.read_text(encoding="utf-8")


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
            "img-src blob: data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
