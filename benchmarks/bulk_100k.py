"""A hundred thousand small pictures through a real S3 server: memory, and rows = pictures.

    python -m benchmarks.bulk_100k [COUNT …]        default: 10000 100000

Each run is the whole job in a process of its own over versitygw on this machine: listing, reading,
decoding, rows to the bucket; then the same command again, which finds nothing new. The engine is
the fake one, so that what is measured is the job. Memory is the process's peak.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.s3_server import running
from benchmarks.setting import ROOT
from seefood.drawn import KINDS, draw_picture

_PICTURES: Final = 64
_SIZE: Final = (128, 96)


def _fill(bucket: Path, count: int) -> None:
    """Make `count` objects out of a few drawn pictures, as links."""
    made: list[Path] = []
    for number in range(count):
        folder = bucket / f"in-{count}" / f"{number // 500:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{number:06d}.jpg"
        if number < _PICTURES:
            kind = KINDS[number % len(KINDS)]
            draw_picture(kind, number, _SIZE).save(file, quality=85)
            tag = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
            os.setxattr(file, "user.etag", tag.encode())  # where the server keeps it
            made.append(file)
        else:
            os.link(made[number % _PICTURES], file)


def _run(bundle: Path, count: int) -> None:
    """Run the job in this process and print what it took, as JSON."""
    import resource  # noqa: PLC0415 (each run in its own process)
    import time  # noqa: PLC0415

    from pipeline.launch import Request, launch  # noqa: PLC0415

    begun = time.perf_counter()
    source, output = f"s3://bench/in-{count}/", f"s3://bench/out-{count}"
    summary = launch(
        Request((source,), output, bundle, engine="fake", report=False), "quiet"
    ).summary
    spent = os.times()
    print(
        json.dumps(
            {
                "rows": summary["rows"],
                "skipped": summary["skipped_by_ledger"],
                "seconds": time.perf_counter() - begun,
                "cpu": spent.user + spent.system,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def main(counts: list[int]) -> None:
    """Print a table."""
    from tests.bundles import fake_bundle  # noqa: PLC0415 (the fake engine's bundle)

    with tempfile.TemporaryDirectory(prefix="seefood-bulk-") as scratch:
        bundle = fake_bundle(Path(scratch, "bundle")).path
        for count in counts:
            _fill(Path(scratch, "buckets", "bench"), count)
        print("pictures   run          rows  done before        s   CPU s  peak MB")
        with running(Path(scratch, "buckets")) as environment:
            for count in counts:
                for name in ("first", "again"):
                    command = [sys.executable, "-m", "benchmarks.bulk_100k", "run", str(bundle)]
                    done = subprocess.run(
                        [*command, str(count)],
                        cwd=ROOT,
                        env={**os.environ, **environment},
                        check=True,
                        stdout=subprocess.PIPE,
                        text=True,
                    )
                    told = json.loads(done.stdout.splitlines()[-1])
                    print(
                        f"{count:<9,} {name:<7} {told['rows']:9,} {told['skipped']:12,} "
                        f"{told['seconds']:8.1f} {told['cpu']:7.1f} {told['peak_mb']:8.0f}",
                        flush=True,
                    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        _run(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main([int(text) for text in sys.argv[1:]] or [10_000, 100_000])
