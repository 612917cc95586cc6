"""Listing a million keys: the bulk job's listing, boto3's paginator and obstore's stream.

    python -m benchmarks.listing [KEYS] [LATENCY_SECONDS] [SHAPE …]

The store is a fake on the loopback interface with generated keys. It returns pages of 1,000 keys,
each after LATENCY; S3 itself takes some 50 to 200 ms. It shares the machine's cores with the
client, so the client's times are upper bounds. Each client runs in a process of its own; CPU time
is the client's.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import parse_qs, urlsplit

_PAGE: Final = 1000
_BUCKET: Final = "keys"


def _numbers(count: int) -> list[str]:
    """Return keys of one flat folder of numbered pictures, as cameras and crawlers name them."""
    return [f"photos/2026/img_{number:08d}.jpg" for number in range(count)]


def _days(count: int) -> list[str]:
    """Return keys in folders by day and by shop."""
    return sorted(
        f"photos/2026-{1 + n % 12:02d}-{1 + n % 28:02d}/shop-{n % 97:03d}/{n:07d}.jpg"
        for n in range(count)
    )


def _hashes(count: int) -> list[str]:
    """Return keys that are hashes."""
    return sorted(f"photos/{(n * 0x9E3779B97F4A7C15) % 2**64:016x}.jpg" for n in range(count))


SHAPES: Final[dict[str, Callable[[int], list[str]]]] = {
    "one folder, numbers": _numbers,
    "folders by day": _days,
    "hashes": _hashes,
}


def _entry(key: str) -> bytes:
    return (
        f"<Contents><Key>{key}</Key><LastModified>2026-11-23T12:00:00.000Z</LastModified>"
        f"<ETag>&quot;{hash(key) & 0xFFFFFFFFFFFFFFFF:032x}&quot;</ETag><Size>50000</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    ).encode()


async def _serve(shape: str, count: int, latency_seconds: float) -> None:
    keys = SHAPES[shape](count)
    entries = [_entry(key) for key in keys]  # prepared, so that the server needs little CPU
    pages = 0

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal pages
        while request := await reader.readline():
            while (await reader.readline()).strip():
                pass
            if b"/pages" in request:
                body = str(pages).encode()
            else:
                query = parse_qs(urlsplit(request.split()[1].decode()).query)
                after = query.get("continuation-token", query.get("start-after", [""]))[0]
                body = _page(keys, entries, after, encoded="encoding-type" in query)
                pages += 1
                await asyncio.sleep(latency_seconds)
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}"
            )
            writer.write(head.encode() + b"\r\n\r\n" + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _page(keys: list[str], entries: list[bytes], after: str, *, encoded: bool) -> bytes:
    """Return the page after a key; all keys begin with the prefix, and none needs escaping."""
    at = bisect_right(keys, after)
    page = entries[at : at + _PAGE]
    more = at + _PAGE < len(keys)
    token = f"<NextContinuationToken>{keys[at + _PAGE - 1]}</NextContinuationToken>" if more else ""
    encoding = "<EncodingType>url</EncodingType>" if encoded else ""
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{_BUCKET}</Name><Prefix>photos/</Prefix><KeyCount>{len(page)}</KeyCount>"
        f"<MaxKeys>1000</MaxKeys>{encoding}<IsTruncated>{str(more).lower()}</IsTruncated>{token}"
    )
    return head.encode() + b"".join(page) + b"</ListBucketResult>"


def _with_ours() -> Iterable[object]:
    from seefood.storage import open_store  # noqa: PLC0415 (each client in its own process)

    return open_store(f"s3://{_BUCKET}").list("photos/")


def _with_obstore() -> Iterable[object]:
    from obstore.store import S3Store  # noqa: PLC0415 (as above)

    endpoint = os.environ["AWS_ENDPOINT_URL"]
    store = S3Store(_BUCKET, endpoint=endpoint, client_options={"allow_http": True})
    return (meta for page in store.list("photos") for meta in page)


def _with_boto3() -> Iterable[object]:
    import boto3  # noqa: PLC0415 (as above)

    pages = boto3.client("s3").get_paginator("list_objects_v2")
    listing = pages.paginate(Bucket=_BUCKET, Prefix="photos/")
    return (item for page in listing for item in page.get("Contents", []))


CLIENTS: Final[dict[str, Callable[[], Iterable[object]]]] = {
    "seefood": _with_ours,
    "boto3 paginator": _with_boto3,
    "obstore stream": _with_obstore,
}


def _measure(client: str) -> None:
    """Print one client's times as JSON."""
    start, cpu = time.perf_counter(), time.process_time()
    first = 0.0
    count = 0
    for _ in CLIENTS[client]():
        first = first or time.perf_counter() - start
        count += 1
    seconds = time.perf_counter() - start
    cpu = time.process_time() - cpu
    print(json.dumps({"keys": count, "seconds": seconds, "cpu": cpu, "first": first}))


def _compare(count: int, latency_seconds: float, shapes: list[str]) -> None:
    print(f"{count:,} keys, {1000 * latency_seconds:.0f} ms a page; {os.cpu_count()} cores")
    print(
        "shape                client           keys        s   CPU s  first s   pages  times faster"
    )
    for shape in shapes:
        base = 0.0
        for client in ("boto3 paginator", "obstore stream", "seefood"):
            command = [sys.executable, "-m", "benchmarks.listing", "serve", shape]
            server = subprocess.Popen(
                [*command, str(count), str(latency_seconds)], stdout=subprocess.PIPE, text=True
            )
            assert server.stdout is not None  # noqa: S101 (stdout is a pipe)
            try:
                port = int(server.stdout.readline())
                times = json.loads(_client(client, port))
                pages = _pages(port)
            finally:
                server.terminate()
                server.wait(timeout=10)
            base = base or times["seconds"]
            print(
                f"{shape:<20} {client:<16} {times['keys']:<9,} "
                f"{times['seconds']:7.1f} {times['cpu']:7.1f} {times['first']:8.2f} "
                f"{pages:7,} {base / times['seconds']:8.1f}",
                flush=True,
            )


def _client(client: str, port: int) -> str:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-m", "benchmarks.listing", "measure", client]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout


def _pages(port: int) -> int:
    """Return how many pages the server has sent."""
    import http.client  # noqa: PLC0415 (would count in a client's memory)

    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/pages")
    return int(connection.getresponse().read())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", shape, count, latency]:
            asyncio.run(_serve(shape, int(count), float(latency)))
        case ["measure", client]:
            _measure(client)
        case arguments:
            count, latency, *shapes = [*arguments, *("1000000", "0.05")[len(arguments) :]]
            _compare(int(count), float(latency), shapes or list(SHAPES))
