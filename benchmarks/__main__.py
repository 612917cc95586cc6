"""Runs the benchmarks: `make bench` and `make bench-quick`.

Results and pages are written as soon as a benchmark ends, so a run that is stopped keeps the
benchmarks that ended; `--only` measures the others. A quick run prints its tables and writes them
to the cache.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from benchmarks.machine import describe_machine, one_line
from benchmarks.pages import read_results, write_pages, write_results
from benchmarks.progress import log
from benchmarks.registry import BENCHMARKS, Benchmark
from benchmarks.sections import Section, to_markdown
from benchmarks.settings import CACHE, PEERS, ROOT, Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the selected benchmarks; return 0 if all of them succeed."""
    options = _parse(arguments)
    # Some containers set this. Every Python program would compile its libraries at each start,
    # which takes one to ten seconds and does not happen in production.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    settings = Settings(quick=options.quick, rounds=options.rounds)
    folder = CACHE / "quick" if options.quick else ROOT / "docs" / "benchmarks"
    if not PEERS.exists():
        log(f"{PEERS} does not exist: PEERS WITH MISSING LIBRARIES ARE LEFT OUT; use `make bench`")
    machine = describe_machine()
    results = read_results(folder)
    failed = False
    for benchmark in BENCHMARKS:
        if options.only and benchmark.name not in options.only:
            continue
        section = _measure(benchmark, settings)
        if section is None:
            failed = True
            continue
        results[benchmark.name] = {"machine": machine, "section": section.as_json()}
        write_results(results, folder)
        write_pages(results, folder, readme=not options.quick)
        sys.stdout.write(f"\n{to_markdown(section)}\n")
        sys.stdout.flush()
    log(f"{one_line(machine)}\nwritten to {folder}")
    return 1 if failed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes, fewer pictures")
    parser.add_argument("--rounds", type=int, help="how often each contender runs")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[each.name for each in BENCHMARKS],
        metavar="NAME",
        help="; ".join(f"{each.name}: {each.description}" for each in BENCHMARKS),
    )
    return parser.parse_args(arguments)


def _measure(benchmark: Benchmark, settings: Settings) -> Section | None:
    """Return the benchmark's section; log the error and return None if it fails."""
    log(f"\n{benchmark.name}: {benchmark.description}")
    start = time.monotonic()
    try:
        section = benchmark.run(settings)
    except Exception as error:  # noqa: BLE001 (the other benchmarks still run)
        log(f"{benchmark.name} FAILED: {type(error).__name__}: {error}")
        return None
    log(f"  {time.monotonic() - start:.0f} s")
    return section


if __name__ == "__main__":
    sys.exit(main())
