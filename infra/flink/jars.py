"""Flink's and Beam's jars, fetched once by package name into a cache folder.

    python -m infra.flink.jars        (also: make flink-up, which needs them)

Flink comes out of the package `apache-flink-libraries` through pip; Beam's job server, with what it
needs, through Maven and the `pom.xml` beside this file. Nothing is fetched again.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FLINK_VERSION: Final = "1.20.3"
_PACKAGE: Final = "apache-flink-libraries"
_POM: Final = Path(__file__).parent / "pom.xml"
# What a session cluster runs on; the tables and their planner stay behind.
_KEEP: Final = ("flink-dist-", "log4j-")
_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class Jars:
    """Two folders of jars."""

    flink: Path
    job_server: Path
    """Beam's, with what it needs; Flink's own are not among them."""

    @property
    def flink_path(self) -> str:
        """A class path for JobManager and TaskManager."""
        return f"{self.flink}/*"

    @property
    def job_server_path(self) -> str:
        """A class path for Beam's job server."""
        return f"{self.job_server}/*:{self.flink}/*"


def cache() -> Path:
    """Return the folder that holds all that a local cluster needs and writes."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "seefood-flink")


def cached_jars() -> Jars:
    """Return where the jars are, or would be."""
    return Jars(cache() / f"flink-{FLINK_VERSION}", cache() / "job-server")


def missing_tools() -> list[str]:
    """Return which programs are absent that cannot come from a package registry."""
    return [name for name in ("java", "mvn") if shutil.which(name) is None]


def fetch_jars() -> Jars:
    """Fetch what is absent and return where it is. Each folder appears as a whole or not at all.

    Exits with a sentence if Maven is absent; raises `CalledProcessError` if a registry fails.
    """
    jars = cached_jars()
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache()) as scratch:
        if not jars.flink.is_dir():
            _fetch_flink(Path(scratch, "flink"), Path(scratch, "download")).replace(jars.flink)
        if not jars.job_server.is_dir():
            _fetch_job_server(Path(scratch, "job-server")).replace(jars.job_server)
    return jars


def _fetch_flink(folder: Path, download: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*pip, "--dest", str(download), f"{_PACKAGE}=={FLINK_VERSION}"],
        check=True,
        timeout=_SECONDS,
    )
    folder.mkdir()
    (archive,) = download.iterdir()
    with tarfile.open(archive) as package:
        for member in package:
            name = member.name.rpartition("/")[2]
            content = package.extractfile(member) if name.startswith(_KEEP) else None
            if content is not None and name.endswith(".jar"):
                with (folder / name).open("wb") as file:
                    shutil.copyfileobj(content, file)
    return folder


def _fetch_job_server(folder: Path) -> Path:
    if absent := missing_tools():
        sys.exit(f"{absent[0]} is missing; install Java 17 and Maven to fetch Beam's job server")
    command = [
        "mvn",
        "--batch-mode",
        "--quiet",
        "--file",
        str(_POM),
        "dependency:copy-dependencies",
    ]
    subprocess.run(
        [*command, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"],
        check=True,
        timeout=_SECONDS,
    )
    return folder


if __name__ == "__main__":
    found = fetch_jars()
    print(f"{found.flink}\n{found.job_server}")
