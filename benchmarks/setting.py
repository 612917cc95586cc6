"""What a measurement is given: where things lie, how much may be spent."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
CACHE: Final = ROOT / ".bench-cache"
"""Pictures and networks that were made for the benchmark; git-ignored."""
PEERS: Final = ROOT / ".venv-bench" / "bin" / "python"
"""The environment with the peers' libraries; `make bench` makes it."""
DATA: Final = Path(os.environ.get("SEEFOOD_SHARED", ROOT.parent / "shared" / "data"))
"""Photos for development, where a checkout has them."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One run of the front door."""

    quick: bool = False
    rounds: int | None = None
    """None leaves it to each work."""

    def choose(self, full: int, quick: int) -> int:
        """Return a number that depends on how much may be spent."""
        return quick if self.quick else full


def python() -> Path:
    """Return the interpreter that runs contenders: the peers' one if it is there."""
    return PEERS if PEERS.exists() else Path(sys.executable)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
