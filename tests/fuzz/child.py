"""Fuzzes targets in a process of its own, which a crashing decoder may end.

    python -m tests.fuzz.child TARGET FOLDER --guided SECONDS
    python -m tests.fuzz.child TARGET[=COUNT],... FOLDER --seed SEED

`--guided` uses atheris: the coverage of seefood's and Pillow's Python code steers the changes.
`--seed` runs each target's seeds and COUNT changes of them, the same for the same SEED, without
atheris. FOLDER/found keeps each failing input with its traceback; FOLDER/running-TARGET keeps the
input that crashed the process.
"""

import argparse
import contextlib
import faulthandler
import hashlib
import random
import sys
import traceback
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

_GUIDED_SECONDS: Final = 10
_SEEDED_SECONDS: Final = 60
"""For one input: a longer run is a hang. Tests run on busy machines."""
MEGABYTES: Final = 1024


class Kept:
    """The files in which a child keeps inputs."""

    def __init__(self, folder: Path, target: str) -> None:
        self.found = folder / "found" / target
        self.corpus = folder / "corpus" / target
        self.running = folder / f"running-{target}"
        for path in (self.found, self.corpus):
            path.mkdir(parents=True, exist_ok=True)

    def keep(self, data: bytes, why: str) -> Path:
        """Write an input and its failure; the same failure is kept once."""
        lines = [line for line in why.splitlines() if line.startswith("  File")]
        lines = lines or [why]
        name = hashlib.sha256("\n".join(lines[-3:]).encode("utf-8", "replace")).hexdigest()[:12]
        path = self.found / name
        if not path.exists():
            path.write_bytes(data)
            path.with_suffix(".txt").write_text(why, errors="backslashreplace")
        return path


def _load(name: str, guided: Any) -> Any:
    """Import a target; with atheris, count the coverage of what it imports."""
    counted = (
        guided.instrument_imports(include=["seefood", "seefood_lambda", "seefood_pipeline", "PIL"])
        if guided
        else contextlib.nullcontext()
    )
    with counted:
        from tests.fuzz.targets import load_target  # noqa: PLC0415 (its coverage is counted)

        return load_target(name)


def _inputs(target: Any, count: int, seed: int) -> Iterator[bytes]:
    from tests.fuzz.mutation import mutate  # noqa: PLC0415 (as above)

    rng = random.Random(seed)
    seeds = list(target.seeds())
    yield from seeds
    yield b""
    for number in range(count):
        data = rng.choice(seeds)
        yield mutate(data, target.max_bytes, seed * 1_000_003 + number, is_json=target.is_json)


def run_seeded(target: Any, kept: Kept, count: int, seed: int) -> int:
    """Run the seeds and `count` changes of them; return how many failed."""
    failures = 0
    for data in _inputs(target, count, seed):
        kept.running.write_bytes(data)
        faulthandler.dump_traceback_later(_SEEDED_SECONDS, exit=True)
        try:
            target.run(data)
        except Exception:  # noqa: BLE001 (any error is a failure)
            failures += 1
            kept.keep(data, traceback.format_exc())
        faulthandler.cancel_dump_traceback_later()
    kept.running.unlink(missing_ok=True)
    peak = _peak_mb()
    if peak > MEGABYTES:
        failures += 1
        kept.keep(b"", f"seefood took {peak} MB")
    return failures


def _peak_mb() -> int:
    """Return this process's peak memory; `ru_maxrss` would include its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


def run_guided(guided: Any, target: Any, kept: Kept, seconds: int) -> None:
    """Run libFuzzer, which ends the process at the first crash or hang, or after `seconds`."""
    from tests.fuzz.mutation import mutate  # noqa: PLC0415 (as above)

    seeds = kept.corpus.parent.parent / "seeds" / target.name
    seeds.mkdir(parents=True, exist_ok=True)
    for data in target.seeds():
        (seeds / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    def run_one(data: bytes) -> None:
        try:
            target.run(data)
        except Exception:  # noqa: BLE001 (libFuzzer would end at the same error again and again)
            kept.keep(data, traceback.format_exc())

    def change(data: bytes, max_bytes: int, seed: int) -> bytes:
        if seed % 2:
            return bytes(guided.Mutate(data, max_bytes))
        return mutate(data, max_bytes, seed, is_json=target.is_json)

    options = {
        "max_total_time": seconds,
        "timeout": _GUIDED_SECONDS,
        "rss_limit_mb": MEGABYTES,
        "max_len": target.max_bytes,
        "artifact_prefix": f"{kept.found}/",
        "print_final_stats": 1,
        "verbosity": 0,
    }
    flags = [f"-{name}={value}" for name, value in options.items()]
    arguments = [sys.argv[0], *flags, str(kept.corpus), str(seeds)]
    guided.Setup(arguments, run_one, custom_mutator=change)
    guided.Fuzz()


def main() -> None:
    """Run the targets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("targets")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--guided", type=int, metavar="SECONDS")
    parser.add_argument("--seed", type=int)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    faulthandler.enable()
    guided: Any = None
    if args.guided:
        guided = import_module("atheris")  # has no types, and wheels only for some platforms
    failed = []
    for text in args.targets.split(","):
        name, _, count = text.partition("=")
        target, kept = _load(name, guided), Kept(args.folder, name)
        if guided is not None:
            run_guided(guided, target, kept, args.guided)
        elif run_seeded(target, kept, int(count or 0), args.seed):
            failed.append(f"{name}: see {kept.found}")
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
