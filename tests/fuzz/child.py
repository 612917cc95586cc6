"""One target in a process of its own, so that a decoder that crashes takes nobody with it.

    python -m tests.fuzz.child TARGET FOLDER --guided SECONDS
    python -m tests.fuzz.child TARGET FOLDER --drawn COUNT SEED

`--guided` is atheris: coverage of seefood's and Pillow's Python steers the changes. `--drawn` takes
the seeds and then COUNT changed ones, the same for the same SEED, and needs nothing installed. What
fails is kept in FOLDER/found, with its traceback; so is what was running when a decoder crashed.
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

SECONDS_EACH: Final = 10
MEGABYTES: Final = 1024
_ROOT: Final = Path(__file__).parent.parent.parent


class Kept:
    """Where a child leaves what it found."""

    def __init__(self, folder: Path, target: str) -> None:
        self.found = folder / "found" / target
        self.corpus = folder / "corpus" / target
        self.running = folder / f"running-{target}"
        for place in (self.found, self.corpus):
            place.mkdir(parents=True, exist_ok=True)

    def keep(self, data: bytes, why: str) -> Path:
        """Write an input and what it did; the same failure is kept once."""
        lines = [line for line in why.splitlines() if line.startswith("  File")]
        lines = lines or [why]
        name = hashlib.sha256("\n".join(lines[-3:]).encode("utf-8", "replace")).hexdigest()[:12]
        path = self.found / name
        if not path.exists():
            path.write_bytes(data)
            path.with_suffix(".txt").write_text(why, errors="backslashreplace")
        return path


def _load(name: str, guided: Any) -> Any:
    """Import a target; under atheris with everything counted that is of interest."""
    sys.path.insert(0, str(_ROOT / "lambda"))
    counted = (
        guided.instrument_imports(include=["seefood", "door", "PIL", "pipeline"])
        if guided
        else contextlib.nullcontext()
    )
    with counted:
        from tests.fuzz.targets import load_target  # noqa: PLC0415 (counted from here on)

        return load_target(name)


def _drawn(target: Any, count: int, seed: int) -> Iterator[bytes]:
    from tests.fuzz.mutation import mutate  # noqa: PLC0415 (as above)

    rng = random.Random(seed)
    seeds = list(target.seeds())
    yield from seeds
    yield b""
    for number in range(count):
        data = rng.choice(seeds)
        yield mutate(data, target.longest, seed * 1_000_003 + number, is_json=target.is_json)


def run_drawn(target: Any, kept: Kept, count: int, seed: int) -> int:
    """Run the seeds and `count` changes of them; return how many failed."""
    failures = 0
    for data in _drawn(target, count, seed):
        kept.running.write_bytes(data)
        faulthandler.dump_traceback_later(SECONDS_EACH, exit=True)
        try:
            target.run(data)
        except Exception:  # noqa: BLE001 (this is what is looked for)
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
    """Return the most memory that this process held; `ru_maxrss` would count who started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


def run_guided(guided: Any, target: Any, kept: Kept, seconds: int) -> None:
    """Hand over to libFuzzer, which ends the process: at the first crash, hang, or on time."""
    from tests.fuzz.mutation import mutate  # noqa: PLC0415 (as above)

    seeds = kept.corpus.parent.parent / "seeds" / target.name
    seeds.mkdir(parents=True, exist_ok=True)
    for data in target.seeds():
        (seeds / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    def one(data: bytes) -> None:
        try:
            target.run(data)
        except Exception:  # noqa: BLE001 (libFuzzer would stop; the same would stop it again)
            kept.keep(data, traceback.format_exc())

    def change(data: bytes, longest: int, seed: int) -> bytes:
        if seed % 2:
            return bytes(guided.Mutate(data, longest))
        return mutate(data, longest, seed, is_json=target.is_json)

    options = {
        "max_total_time": seconds,
        "timeout": SECONDS_EACH,
        "rss_limit_mb": MEGABYTES,
        "max_len": target.longest,
        "artifact_prefix": f"{kept.found}/",
        "print_final_stats": 1,
        "verbosity": 0,
    }
    words = [f"-{name}={value}" for name, value in options.items()]
    arguments = [sys.argv[0], *words, str(kept.corpus), str(seeds)]
    guided.Setup(arguments, one, custom_mutator=change)
    guided.Fuzz()


def main() -> None:
    """Run one target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--guided", type=int, metavar="SECONDS")
    parser.add_argument("--drawn", type=int, nargs=2, metavar=("COUNT", "SEED"))
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    faulthandler.enable()
    guided: Any = None
    if asked.guided:
        guided = import_module("atheris")  # only where it has a wheel, and no types anywhere
    target = _load(asked.target, guided)
    kept = Kept(asked.folder, asked.target)
    if guided is not None:
        run_guided(guided, target, kept, asked.guided)
    elif run_drawn(target, kept, *asked.drawn):
        sys.exit(f"{asked.target}: see {kept.found}")


if __name__ == "__main__":
    main()
