"""A local Runtime API of Lambda, and AWS's runtime client that polls it.

`awslambdaric` requests the next invocation and posts its result, as in Lambda. It runs the unpacked
zip only: no site-packages of this environment are on its path.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

_VERSION: Final = "/2018-06-01/runtime"
CONTAINER_TOKEN: Final = "for-this-environment"  # noqa: S105 (an example)
_ARN: Final = "arn:aws:lambda:us-east-1:123456789012:function:seefood"


@dataclass(slots=True)
class Invocation:
    """One event and its result."""

    event: Any
    timeout_seconds: float
    id: str = field(default_factory=lambda: str(uuid4()))
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: dict[str, Any] | None = None


class FunctionError(Exception):
    """The error that the runtime client reported for the function."""


class RuntimeApi(ThreadingHTTPServer):
    """Returns invocations one by one and receives their results."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Api)
        self.pending: queue.Queue[Invocation] = queue.Queue()
        self.running: dict[str, Invocation] = {}
        self.init_error: dict[str, Any] | None = None
        self.restored = threading.Event()
        """Whether the function has said that its snapshot may be taken (SnapStart)."""

    @property
    def address(self) -> str:
        """Host and port, as AWS_LAMBDA_RUNTIME_API has them."""
        return f"127.0.0.1:{self.server_address[1]}"

    def invoke(self, event: Any, timeout_seconds: float = 30.0) -> Any:
        """Return the function's result for `event`. Raises `FunctionError`."""
        invocation = Invocation(event, timeout_seconds)
        self.running[invocation.id] = invocation
        self.pending.put(invocation)
        if not invocation.done.wait(timeout_seconds + 30.0):
            raise TimeoutError(f"no result; {self.init_error}")
        if invocation.error is not None:
            raise FunctionError(invocation.error["errorType"], invocation.error["errorMessage"])
        return invocation.result

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the closed connection of a function that was killed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RuntimeApi

    def do_GET(self) -> None:
        if self.path == "/credentials":
            self._send_credentials()
        elif self.path.endswith("/restore/next"):
            self.server.restored.set()
            self._send(b"")
        else:
            self._send_invocation()

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_credentials(self) -> None:
        """Send what SnapStart's functions get instead of keys in their environment."""
        if self.headers["Authorization"] != CONTAINER_TOKEN:
            self.send_error(401)
            return
        keys = {"AccessKeyId": "test", "SecretAccessKey": "test", "Token": "test"}
        self._send(json.dumps({**keys, "Expiration": "2099-01-01T00:00:00Z"}).encode())

    def _send_invocation(self) -> None:
        invocation = self.server.pending.get()
        body = json.dumps(invocation.event).encode()
        self.send_response(200)
        deadline = int((time.time() + invocation.timeout_seconds) * 1000)
        self.send_header("Lambda-Runtime-Aws-Request-Id", invocation.id)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", _ARN)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        document = json.loads(self._body() or b"null")
        parts = self.path.removeprefix(f"{_VERSION}/").split("/")
        if parts[:2] == ["init", "error"]:
            self.server.init_error = document
            for invocation in list(self.server.running.values()):
                invocation.error = document
                invocation.done.set()
        else:
            invocation = self.server.running.pop(parts[1])
            if parts[2] == "error":
                invocation.error = document
            else:
                invocation.result = document
            invocation.done.set()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Print nothing."""


@dataclass(frozen=True, slots=True)
class Function:
    """A running function environment."""

    api: RuntimeApi
    process: "subprocess.Popen[bytes]"
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """Return the JSON lines in the function's log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def copy_client(folder: Path) -> Path:
    """Copy only the runtime client of this environment to `folder`; return `folder`."""
    folder.mkdir()
    for name in ("awslambdaric", "simplejson", "snapshot_restore_py", "runtime_client"):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        origin = Path(spec.origin)
        if spec.submodule_search_locations:
            shutil.copytree(origin.parent, folder / name)
        else:
            shutil.copy(origin, folder)
    return folder


def start_function(
    package: Path, client: str | Path, environment: Mapping[str, str], api: RuntimeApi, log: Path
) -> "subprocess.Popen[bytes]":
    """Start the runtime client in the folders `client` with the unpacked `package`.

    With AWS_LAMBDA_INITIALIZATION_TYPE=snap-start it gets its credentials as SnapStart gives them.
    """
    if environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        credentials = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{api.address}/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": CONTAINER_TOKEN,
        }
        keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        kept = {name: value for name, value in environment.items() if name not in keys}
        environment = {**kept, **credentials}
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log.open("wb") as stream:
        return subprocess.Popen(
            # -S: no site-packages; -B: the package is read-only in Lambda.
            [sys.executable, "-S", "-B", "-m", "awslambdaric", "handler.handler"],
            cwd=package,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={
                **inherited,
                **environment,
                "PYTHONPATH": f"{package}:{client}",
                "LAMBDA_TASK_ROOT": str(package),
                "_HANDLER": "handler.handler",
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "AWS_LAMBDA_FUNCTION_NAME": "seefood",
                "AWS_LAMBDA_FUNCTION_VERSION": "1",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
                "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/seefood",
                "AWS_LAMBDA_LOG_STREAM_NAME": "test",
                "TZ": ":UTC",
            },
        )


@contextmanager
def running_function(
    package: Path, client: str | Path, environment: Mapping[str, str], log: Path
) -> Iterator[Function]:
    """Run the unpacked `package` until the block ends."""
    api = RuntimeApi()
    threading.Thread(target=api.serve_forever, args=(0.05,), daemon=True).start()
    process = start_function(package, client, environment, api, log)
    try:
        yield Function(api, process, log)
    finally:
        process.kill()
        process.wait()
        api.shutdown()
        api.server_close()
