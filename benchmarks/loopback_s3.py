"""A fake S3 on the loopback interface: GET and LIST of one folder's files, with a given latency.

It checks no signatures and accepts no writes. It shares the machine's cores with the client that
is measured, so it does little: responses are prepared in memory, and a latency is a timer, not a
thread.

    python -m benchmarks.loopback_s3 FOLDER SECONDS
"""

import asyncio
import hashlib
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from benchmarks.settings import ROOT

BUCKET: Final = "pictures"
_DATE: Final = "Mon, 23 Nov 2026 12:00:00 GMT"


@contextmanager
def serve(folder: Path, latency_seconds: float) -> Iterator[dict[str, str]]:
    """Serve the files of `folder` as a bucket; yield a client's environment variables."""
    command = [sys.executable, "-m", "benchmarks.loopback_s3", str(folder), str(latency_seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 (stdout is a pipe)
        port = int(process.stdout.readline())
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_REGION": "us-east-1",
        }
    finally:
        process.terminate()
        process.wait(timeout=10)


class Bucket:
    """The files of a folder as prepared HTTP responses."""

    def __init__(self, folder: Path) -> None:
        self._responses: dict[str, bytes] = {}
        self._entries: list[tuple[str, str]] = []
        for file in sorted(folder.rglob("*"), key=str):
            if not file.is_file():
                continue
            key, data = file.relative_to(folder).as_posix(), file.read_bytes()
            tag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            head = _head(200, len(data), f'ETag: "{tag}"\r\nContent-Type: image/jpeg\r\n')
            self._responses[key] = head + data
            entry = (
                f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-23T12:00:00.000Z"
                f"</LastModified><ETag>&quot;{tag}&quot;</ETag><Size>{len(data)}</Size>"
                "<StorageClass>STANDARD</StorageClass></Contents>"
            )
            self._entries.append((key, entry))
        self._entries.sort()
        self._keys = [key for key, _ in self._entries]

    def respond(self, target: str) -> bytes:
        """Return the whole response to a GET of `target`."""
        path, _, query = target.partition("?")
        _, _, key = unquote(path).removeprefix("/").partition("/")
        if not key:
            return self._list(query)
        return self._responses.get(key) or _not_found()

    def _list(self, query: str) -> bytes:
        params = {name: values[0] for name, values in parse_qs(query).items()}
        prefix = params.get("prefix", "")
        start = params.get("continuation-token") or params.get("start-after") or ""
        at, max_keys = bisect_right(self._keys, start), int(params.get("max-keys", "1000"))
        matches = [pair for pair in self._entries[at:] if pair[0].startswith(prefix)]
        page, more = matches[:max_keys], len(matches) > max_keys
        last = escape(page[-1][0]) if more else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}"
            f"</KeyCount><MaxKeys>{max_keys}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{f'<NextContinuationToken>{last}</NextContinuationToken>' if more else ''}"
            f"{''.join(entry for _, entry in page)}</ListBucketResult>"
        ).encode()
        return _head(200, len(body), "Content-Type: application/xml\r\n") + body


class _Connection(asyncio.Protocol):
    """One client's keep-alive connection; responses are sent in the requests' order."""

    def __init__(self, bucket: Bucket, latency_seconds: float) -> None:
        self._bucket = bucket
        self._latency = latency_seconds
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (as every TCP transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Respond to every complete request; GETs have no bodies."""
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            request, self._pending = self._pending[:end], self._pending[end + 4 :]
            method, target, _ = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            parts = urlsplit(target)
            response = self._bucket.respond(f"{parts.path}?{parts.query}")
            if method == "HEAD":
                response = response[: response.index(b"\r\n\r\n") + 4]
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._send, response)
            else:
                self._send(response)

    def _send(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


def _head(status: int, length: int, more: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not Found'}\r\nContent-Length: {length}"
        f"\r\nLast-Modified: {_DATE}\r\n{more}\r\n"
    ).encode()


def _not_found() -> bytes:
    body = b"<Error><Code>NoSuchKey</Code></Error>"
    return _head(404, len(body)) + body


async def _main(folder: Path, latency_seconds: float) -> None:
    bucket = Bucket(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(bucket, latency_seconds), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), float(sys.argv[2])))
