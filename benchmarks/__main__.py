"""The front door: `python -m benchmarks`, what `make bench` and `make bench-quick` call.

Each work is written down when it ends, so a run that was stopped keeps what it has, and `--only`
measures a part again. A quick run is for looking: it prints and writes into the cache alone.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from benchmarks.machine import describe_machine, one_line
from benchmarks.pages import read_results, write_pages, write_results
from benchmarks.rounds import say
from benchmarks.sections import Section, to_markdown
from benchmarks.setting import CACHE, PEERS, ROOT, Setting
from benchmarks.works import WORKS, Work


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; 0 if every work came to an end."""
    asked = _parse(arguments)
    # Some containers set it. Every program here would compile its libraries anew at each start,
    # one to ten seconds; nobody runs jobs so.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    setting = Setting(quick=asked.quick, rounds=asked.rounds)
    folder = CACHE / "quick" if asked.quick else ROOT / "docs" / "benchmarks"
    if not PEERS.exists():
        say(
            f"{PEERS} is not there: PEERS WHOSE LIBRARIES ARE ABSENT ARE LEFT OUT; use `make bench`"
        )
    machine = describe_machine()
    done = read_results(folder)
    failed = False
    for work in WORKS:
        if asked.only and work.name not in asked.only:
            continue
        if not work.exists:
            say(f"{work.name}: NOT THERE ({work.module})")
            continue
        section = _measure(work, setting)
        if section is None:
            failed = True
            continue
        done[work.name] = {"machine": machine, "section": section.as_json()}
        write_results(done, folder)
        sys.stdout.write(f"\n{to_markdown(section)}\n")
        sys.stdout.flush()
    if done:
        write_pages(done, folder, readme=not asked.quick)
        say(f"{one_line(machine)}\nwritten to {folder}")
    return 1 if failed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes, fewer pictures")
    parser.add_argument("--rounds", type=int, help="how often each contender runs")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[work.name for work in WORKS],
        metavar="NAME",
        help="; ".join(f"{work.name}: {work.what}" for work in WORKS),
    )
    return parser.parse_args(arguments)


def _measure(work: Work, setting: Setting) -> Section | None:
    """Return the work's section; None if it failed, which is said and stops no other work."""
    say(f"\n{work.name}: {work.what}")
    begun = time.monotonic()
    try:
        section = work.load()(setting)
    except Exception as error:  # noqa: BLE001 (whatever one work raises, the others still run)
        say(f"{work.name} FAILED: {type(error).__name__}: {error}")
        return None
    say(f"  {time.monotonic() - begun:.0f} s")
    return section


if __name__ == "__main__":
    sys.exit(main())
