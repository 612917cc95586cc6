"""Paths, the contenders' interpreter and the options of a run."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
CACHE: Final = ROOT / ".bench-cache"
"""Pictures and networks that the benchmarks make once; ignored by Git."""
PEERS: Final = ROOT / ".venv-bench" / "bin" / "python"
"""The environment with the peers' libraries; `make bench` creates it."""
TORCH: Final = ROOT / ".venv-bench" / "torch"
"""A folder with PyTorch. Only its contender has it on its path: Beam imports PyTorch where it can,
and would start later."""
DATA: Final = Path(os.environ.get("SEEFOOD_SHARED", ROOT.parent / "shared" / "data"))
"""The development photos, where the checkout has them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a run."""

    quick: bool = False
    rounds: int | None = None
    """None: each benchmark uses its default."""

    def choose(self, full: int, quick: int) -> int:
        """Return `quick` in a quick run, else `full`."""
        return quick if self.quick else full


def python() -> Path:
    """Return the interpreter that runs contenders: that of the peers' environment if it exists."""
    return PEERS if PEERS.exists() else Path(sys.executable)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
