"""Google's and Azure's emulators on loopback: fake-gcs-server and Azurite, installed if missing."""

import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

_CACHE: Final = Path.home() / ".cache" / "seefood-emulators"
_GOOGLE: Final = "github.com/fsouza/fake-gcs-server@v1.56.1"
_AZURITE: Final = "azurite@3.37.0"
_ACCOUNT: Final = "devstoreaccount1"
# Published in Azurite's documentation.
_KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
_WAIT_SECONDS: Final = 60.0


@contextmanager
def google(bucket: str) -> Iterator[dict[str, str]]:
    """Run fake-gcs-server with an empty bucket; yield a client's environment variables."""
    program = _CACHE / "fake-gcs-server"
    if not program.exists():
        environment = {**os.environ, "GOBIN": str(_CACHE)}
        subprocess.run(["go", "install", _GOOGLE], env=environment, check=True)
    port = _free_port()
    host = f"127.0.0.1:{port}"
    options = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    with _running([str(program), *options, "-public-host", host], port):
        body = json.dumps({"name": bucket}).encode()
        headers = {"Content-Type": "application/json"}
        urlopen(Request(f"http://{host}/storage/v1/b?project=p", body, headers)).close()
        yield {"STORAGE_EMULATOR_HOST": host}


@contextmanager
def azure(container: str, folder: Path) -> Iterator[dict[str, str]]:
    """Run Azurite with an empty container; yield a client's environment variables."""
    program = _CACHE / "node_modules" / ".bin" / "azurite-blob"
    if not program.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(_CACHE), _AZURITE]
        subprocess.run(install, check=True)
    port = _free_port()
    options = ["--silent", "--disableTelemetry", "--location", str(folder)]
    with _running([str(program), *options, "--blobPort", str(port)], port):
        endpoint = f"http://127.0.0.1:{port}/{_ACCOUNT}"
        _create_container(endpoint, container)
        account = f"AccountName={_ACCOUNT};AccountKey={_KEY};BlobEndpoint={endpoint}"
        yield {"AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=http;{account};"}


def _create_container(endpoint: str, container: str) -> None:
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    named = "".join(f"{name}:{value}\n" for name, value in headers.items())
    text = f"PUT{12 * chr(10)}{named}/{_ACCOUNT}/{_ACCOUNT}/{container}\nrestype:container"
    digest = hmac.new(base64.b64decode(_KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {_ACCOUNT}:{base64.b64encode(digest).decode()}"
    url = f"{endpoint}/{container}?restype=container"
    urlopen(Request(url, headers=headers, method="PUT")).close()  # noqa: S310 (loopback)


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _WAIT_SECONDS
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < deadline, f"{command[0]} does not start"
            assert process.poll() is None, f"{command[0]} has stopped"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
