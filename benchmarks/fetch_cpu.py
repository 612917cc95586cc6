"""CPU time per fetched object of 50 kB, through the job's own store.

    python -m benchmarks.fetch_cpu [COUNT]

The server is versitygw on this machine; its CPU time does not count. 48 threads fetch, as in the
job; each fetch is conditional on the listed entity tag.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from benchmarks.s3_server import running
from benchmarks.settings import ROOT

_BYTES: Final = 50_000
_THREADS: Final = 48
_ROUNDS: Final = 5


def _measure(count: int) -> None:
    from seefood.storage import open_store  # noqa: PLC0415 (with the server's environment)

    store = open_store("s3://bench")
    refs = list(store.list(""))
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in range(_ROUNDS):
            start, cpu = time.perf_counter(), time.process_time()
            sizes = {len(data) for data in pool.map(store.fetch, refs)}
            seconds = (time.process_time() - cpu) / count
            assert sizes == {_BYTES}  # noqa: S101 (checks that whole objects were fetched)
            rate = count / (time.perf_counter() - start)
            print(f"{1000 * seconds:.3f} ms of CPU each, {rate:,.0f} objects/s", flush=True)


def main(count: int) -> None:
    """Fill a bucket and measure in another process."""
    with tempfile.TemporaryDirectory(prefix="seefood-fetch-") as scratch:
        folder = Path(scratch, "bench")
        folder.mkdir()
        data = os.urandom(_BYTES)
        tag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        for number in range(count):
            file = folder / f"{number:06d}.jpg"
            file.write_bytes(data)
            os.setxattr(file, "user.etag", tag.encode())  # where versitygw reads it
        with running(Path(scratch)) as environment:
            command = [sys.executable, "-m", "benchmarks.fetch_cpu", "measure", str(count)]
            subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        _measure(int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
