"""The machine of a measurement: processor, cores, memory, versions, commit."""

import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.settings import ROOT, TORCH, cores, python

_PACKAGES: Final = (
    "ai-edge-litert",
    "apache-beam",
    "daft",
    "keras",
    "numpy",
    "obstore",
    "onnxruntime",
    "openvino",
    "pillow",
    "pyarrow",
    "pyspark",
    "ray",
    "tensorflow",
)
_PRINT_VERSIONS: Final = """
import importlib.metadata as m, json, sys
versions = {}
for name in sys.argv[1:]:
    try: versions[name] = m.version(name)
    except m.PackageNotFoundError: pass
print(json.dumps(versions))
"""


def describe_machine() -> dict[str, Any]:
    """Return the machine, the versions and the commit as a JSON object."""
    return {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": _commit(),
        "processor": _processor(),
        "cores": cores(),
        "memory_gb": round(_memory_bytes() / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": _versions(),
    }


def one_line(machine: Mapping[str, Any]) -> str:
    """Return the machine as the line below a table."""
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB, "
        f"Python {machine['python']}, {machine['system']}; commit {machine['commit']}, "
        f"{machine['measured_at'][:10]}"
    )


def _commit() -> str:
    """Return the commit's short hash, with `+` if tracked files have changed."""
    git = ["git", "-C", str(ROOT)]
    name = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=no", "--", "seefood", "pipeline"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return f"{name or 'unknown'}{'+' if changed else ''}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    import psutil  # noqa: PLC0415 (`--help` does not need it)

    return int(psutil.virtual_memory().total)


def _versions() -> dict[str, str]:
    process = subprocess.run(
        [python(), "-c", _PRINT_VERSIONS, *_PACKAGES], capture_output=True, text=True, check=True
    )
    versions: dict[str, str] = json.loads(process.stdout)
    for each in importlib.metadata.distributions(path=[str(TORCH)]):
        if each.name in {"torch", "torchvision"}:
            versions[each.name] = each.version
    return versions
