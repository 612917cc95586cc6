"""Records the requests to S3 during a block as IAM requests, from the server's log."""

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
def recorded_s3_requests() -> Iterator[set[Request]]:
    """Collect the requests to buckets that moto's server in this process gets during the block.

    The set is filled when the block ends.
    """
    requests: set[Request] = set()
    lines: set[tuple[str, str]] = set()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            match = _LINE.search(record.getMessage())
            if match is not None:
                lines.add((match[1], match[2]))

    log, listener = logging.getLogger("werkzeug"), Listener()
    previous_level = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        yield requests
    finally:
        log.removeHandler(listener)
        log.setLevel(previous_level)
    # Paths of other services begin with a version, or are empty.
    requests.update(_request(*line) for line in lines if re.match(r"/[a-z0-9-]{3,}", line[1]))


def _request(method: str, target: str) -> Request:
    """Return the IAM request of an HTTP request to S3. Supports the requests that seefood sends."""
    url = urlsplit(target)
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    if not key and method == "GET":
        return Request("s3:ListBucket", f"arn:aws:s3:::{bucket}")
    if method == "POST" and "delete" in url.query:
        # The keys are in the body, which is not in the log: every run deletes a lease.
        return Request("s3:DeleteObject", f"arn:aws:s3:::{bucket}/runs/leases/0")
    action = _ACTIONS[method]
    if re.search(r"(^|&)tagging(=|&|$)", url.query):
        action = f"{action}Tagging"
    if "versionId=" in url.query:
        action = action.replace("Object", "ObjectVersion", 1)
    return Request(action, f"arn:aws:s3:::{bucket}/{key}")
