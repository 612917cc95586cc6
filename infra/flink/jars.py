"""Downloads the jars of Flink and of Beam's job server into a cache folder, once.

    python -m infra.flink.jars        (also part of: make flink-up)

Flink's jars come from the PyPI package `apache-flink-libraries`; Beam's job server and its
dependencies come from Maven and the `pom.xml` in this folder.
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
# A session cluster needs no table API.
_KEEP: Final = ("flink-dist-", "log4j-")
_TIMEOUT_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class Jars:
    """The folders of jars."""

    flink: Path
    job_server: Path
    """Beam's job server and its dependencies, without Flink's own jars."""

    @property
    def flink_path(self) -> str:
        """The class path of JobManager and TaskManager."""
        return f"{self.flink}/*"

    @property
    def job_server_path(self) -> str:
        """The class path of Beam's job server."""
        return f"{self.job_server}/*:{self.flink}/*"


def cache_folder() -> Path:
    """Return the folder of a local cluster's jars, logs and temporary files."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "seefood-flink")


def cached_jars() -> Jars:
    """Return the folders of the jars, whether they exist or not."""
    return Jars(cache_folder() / f"flink-{FLINK_VERSION}", cache_folder() / "job-server")


def missing_tools() -> list[str]:
    """Return the names of the required programs that are not installed."""
    return [name for name in ("java", "mvn") if shutil.which(name) is None]


def fetch_jars() -> Jars:
    """Download the missing jars and return their folders. Each folder is created atomically.

    Exits with a message if Java or Maven is missing; raises `CalledProcessError` if a download
    fails.
    """
    jars = cached_jars()
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache_folder()) as scratch:
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
        timeout=_TIMEOUT_SECONDS,
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
    if missing := missing_tools():
        sys.exit(f"{missing[0]} is not installed; Beam's job server needs Java 17 and Maven")
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
        timeout=_TIMEOUT_SECONDS,
    )
    return folder


if __name__ == "__main__":
    jars = fetch_jars()
    print(f"{jars.flink}\n{jars.job_server}")
