"""From `git clone` to a report of one's own pictures, with nothing downloaded before.

    python -m benchmarks.first_report [PICTURES]

Clones this repository into a temporary folder and runs `make demo PICTURES=…` with empty caches of
pip and uv. Prints the commands, seconds, CPU seconds and the megabytes that this machine received
meanwhile. Without PICTURES it draws 200. Only on a machine that does nothing else.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.settings import ROOT
from seefood.synthetic import KINDS, draw_picture


def _received_bytes() -> int:
    """Return what all interfaces but the loopback have received since the machine started."""
    lines = Path("/proc/net/dev").read_text(encoding="ascii").splitlines()[2:]
    fields = {
        name.strip(): rest.split() for name, _, rest in (line.partition(":") for line in lines)
    }
    return sum(int(values[0]) for name, values in fields.items() if name != "lo")


def _draw(folder: Path) -> Path:
    folder.mkdir()
    for number in range(200):
        picture = draw_picture(KINDS[number % len(KINDS)], number, (640, 480))
        picture.save(folder / f"{number:03}.jpg")
    return folder


def main() -> None:
    """Run the commands and print the figures."""
    with tempfile.TemporaryDirectory(prefix="seefood-first-") as scratch:
        place = Path(scratch)
        pictures = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else _draw(place / "pictures")
        caches = {"PIP_CACHE_DIR": str(place / "pip"), "UV_CACHE_DIR": str(place / "uv")}
        commands = (
            ["git", "clone", "--quiet", str(ROOT), str(place / "seefood")],
            ["make", "--directory", str(place / "seefood"), "demo", f"PICTURES={pictures}"],
        )
        received, start = _received_bytes(), time.monotonic()
        for command in commands:
            subprocess.run(command, env={**os.environ, **caches}, check=True)
        seconds = time.monotonic() - start
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"{len(commands)} commands, {seconds:.0f} s, {spent.ru_utime + spent.ru_stime:.0f} s "
            f"of CPU, {(_received_bytes() - received) / 1e6:.0f} MB received"
        )


if __name__ == "__main__":
    main()
