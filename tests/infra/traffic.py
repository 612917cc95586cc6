"""What was asked of S3 while a block ran, in IAM's words: seen in the server's own log."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import unquote, urlsplit

from tests.infra.iam import Request

_LINE: Final = re.compile(r'"(?:\x1b\[\d+m)*([A-Z]+) (\S+) HTTP')
_ACTIONS: Final = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}


@contextmanager
def seen_by_s3() -> Iterator[set[Request]]:
    """Collect what moto's server in this process was asked about buckets while the block ran.

    The set is filled when the block ends.
    """
    seen: set[Request] = set()
    lines: set[tuple[str, str]] = set()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found = _LINE.search(record.getMessage())
            if found is not None:
                lines.add((found[1], found[2]))

    log, listener = logging.getLogger("werkzeug"), Listener()
    before = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        yield seen
    finally:
        log.removeHandler(listener)
        log.setLevel(before)
    # Other services' requests begin with a version, or have no path at all.
    seen.update(_request(*line) for line in lines if re.match(r"/[a-z0-9-]{3,}", line[1]))


def _request(method: str, target: str) -> Request:
    """Return the IAM request that an HTTP request of S3 needs. Knows those that seefood sends."""
    url = urlsplit(target)
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    if not key and method == "GET":
        return Request("s3:ListBucket", f"arn:aws:s3:::{bucket}")
    if method == "POST" and "delete" in url.query:
        # The body names the keys, which the log has not: a lease, as every run deletes one.
        return Request("s3:DeleteObject", f"arn:aws:s3:::{bucket}/runs/leases/0")
    action = _ACTIONS[method]
    if re.search(r"(^|&)tagging(=|&|$)", url.query):
        action = f"{action}Tagging"
    if "versionId=" in url.query:
        action = action.replace("Object", "ObjectVersion", 1)
    return Request(action, f"arn:aws:s3:::{bucket}/{key}")
