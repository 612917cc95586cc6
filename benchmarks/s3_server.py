"""Starts versitygw, a real S3 server, on the loopback interface over a local folder.

    python -m benchmarks.s3_server up       (also: make s3-up)
    python -m benchmarks.s3_server down     (also: make s3-down)

`up` installs the pinned version with `go install` if it is missing, starts it and prints a
client's environment variables; `down` stops it by its process id. Files in the folder are objects.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

VERSION: Final = "v1.8.0"
_MODULE: Final = "github.com/versity/versitygw/cmd/versitygw"
_CACHE: Final = Path.home() / ".cache" / "seefood-s3"
_KEY: Final = "seefood"
_WAIT_SECONDS: Final = 20.0


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Serve the folders in `folder` as buckets; yield a client's environment variables."""
    process, environment = _start(folder)
    try:
        yield environment
    finally:
        process.terminate()
        process.wait(timeout=20)


def binary() -> Path:
    """Return the path of the server's program; install it if it is missing."""
    name = _CACHE / f"versitygw-{VERSION}"
    if not name.exists():
        if shutil.which("go") is None:
            sys.exit("versitygw is not installed, and building it needs Go; install Go")
        command = ["go", "install", f"{_MODULE}@{VERSION}"]
        subprocess.run(command, env={**os.environ, "GOBIN": str(_CACHE)}, check=True)
        (_CACHE / "versitygw").rename(name)
    return name


def _start(folder: Path) -> tuple["subprocess.Popen[bytes]", dict[str, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [str(binary()), "--port", f"127.0.0.1:{port}", "--quiet", "posix", str(folder)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "ROOT_ACCESS_KEY": _KEY, "ROOT_SECRET_KEY": _KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    else:
        process.kill()
        sys.exit(f"versitygw did not open port {port} within {_WAIT_SECONDS:.0f} s")
    return process, {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": _KEY,
        "AWS_SECRET_ACCESS_KEY": _KEY,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def _up() -> None:
    folder = _CACHE / "buckets"
    folder.mkdir(parents=True, exist_ok=True)
    process, environment = _start(folder)
    (_CACHE / "pid").write_text(str(process.pid))
    print(f"# serving {folder}; stop it with `make s3-down`")
    for name, value in environment.items():
        print(f"export {name}={value}")


def _down() -> None:
    try:
        os.kill(int((_CACHE / "pid").read_text()), signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        print("nothing was running")
    (_CACHE / "pid").unlink(missing_ok=True)


if __name__ == "__main__":
    _up() if sys.argv[1:] == ["up"] else _down()
