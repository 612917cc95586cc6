"""Runs Beam's job server for Flink: a Java process beside the launcher that submits the job.

Beam can start one itself, but in the terminal's process group, where Ctrl-C ends it before it can
cancel anything. This one ends with the launcher and has bounded memory.
"""

import logging
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from seefood.errors import JobError, UsageError
from seefood.storage.local import cache_folder

_log = logging.getLogger(__name__)

_MAIN: Final = "org.apache.beam.runners.flink.FlinkJobServerDriver"
_JVM: Final = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_START_SECONDS: Final = 120.0


def cached_class_path() -> str | None:
    """Return the class path of the job server that `make flink-up` fetched; None if absent."""
    base = cache_folder() / "seefood-flink"
    folders = [base / "job-server", *sorted(base.glob("flink-*"))]
    if len(folders) < 2 or not folders[0].is_dir():
        return None
    return os.pathsep.join(f"{folder}/*" for folder in folders)


def class_path(jar: str | None) -> str:
    """Return the class path of the jar that the user named, or of the cached one.

    Raises `UsageError` if the jar is absent, or Java is.
    """
    path = cached_class_path() if jar is None else jar if Path(jar).is_file() else None
    if path is None:
        problem = (
            "Beam's job server for Flink is not installed" if jar is None else f"there is no {jar}"
        )
        raise UsageError(
            f"{problem}; fetch it with `python -m infra.flink.jars` in a checkout, or name a jar "
            "with --flink_job_server_jar=PATH, or a running server with --job_endpoint=HOST:PORT"
        )
    if shutil.which("java") is None:
        raise UsageError("there is no `java` on the PATH; Flink's job server needs Java 11 or 17")
    return path


@contextmanager
def job_server(path: str, master: str) -> Iterator[str]:
    """Run the job server for the cluster `master` and yield its address.

    Raises `JobError` if it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="seefood-job-") as scratch:
        port = _free_port()
        log = Path(scratch, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 (Java, with our own arguments)
                _command(path, master, port, scratch),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            _wait(process, port, log)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(timeout=10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _log.info("output of the job server: %s", log.read_text(errors="replace")[-20_000:])


def _command(path: str, master: str, port: int, scratch: str) -> list[str]:
    # Linux then ends it with the launcher, even if that is killed.
    wrapper = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    return [
        *wrapper, "java", *_JVM, f"-Djava.io.tmpdir={scratch}", "-cp", path, _MAIN,
        f"--flink-master={master}", "--job-host=127.0.0.1", f"--job-port={port}",
        "--artifact-port=0", "--expansion-port=0", f"--artifacts-dir={scratch}",
    ]  # fmt: skip


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    lines = log.read_text(errors="replace").splitlines()
    last = lines[-1] if lines else "nothing"
    raise JobError(f"Beam's job server did not start; it printed: {last:.300}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
