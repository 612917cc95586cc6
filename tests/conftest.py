"""Fixtures and markers for all tests: folders, an S3 server, a bundle. Nothing patches code."""

import gc
import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

from seefood.bundle import default_bundle_path

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT: Final = Path(__file__).parent.parent
SHARED: Final = Path(os.environ.get("SEEFOOD_SHARED", ROOT.parent / "shared" / "data"))
BUNDLE: Final = Path(os.environ.get("SEEFOOD_TEST_BUNDLE", default_bundle_path()))

# A shell starts background jobs with SIGINT ignored, and children inherit that: tests that send it
# to children would fail in the background alone.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _has_browser() -> bool:
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


def _has_namespaces() -> bool:
    """Return whether this user can mount a file system in a namespace of its own."""
    command = ("unshare", "--user", "--map-root-user", "--mount", "true")
    return (
        shutil.which("unshare") is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


def _has_flink() -> bool:
    """Return whether Flink and an S3 server for it can be installed and run."""
    return all(shutil.which(name) for name in ("java", "mvn", "go"))


# What each marker requires: a test whether it is installed, and how to install it.
_REQUIREMENTS: Final[dict[str, tuple[Callable[[], bool], str]]] = {
    "beam": (lambda: find_spec("apache_beam") is not None, 'pip install "seefood[beam]"'),
    "tensorflow": (
        lambda: find_spec("tensorflow") is not None,
        'pip install "seefood[tensorflow]"',
    ),
    "flink": (_has_flink, "apt-get install openjdk-17-jre-headless maven golang"),
    "emulators": (
        lambda: all(shutil.which(name) for name in ("go", "npm")),
        "apt-get install golang npm",
    ),
    "browser": (_has_browser, "apt-get install chromium chromium-driver"),
    "compiler": (lambda: shutil.which("cc") is not None, "apt-get install gcc libc6-dev"),
    "namespaces": (_has_namespaces, "a kernel that lets this user make mount namespaces"),
    "photos": (SHARED.is_dir, f"no photos at {SHARED}; set SEEFOOD_SHARED"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests whose requirement is missing, and name it; put files with slow tests first."""
    missing = {name: cure for name, (is_met, cure) in _REQUIREMENTS.items() if not is_met()}
    for item in items:
        for name, cure in missing.items():
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=f"{name} is missing: {cure}"))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)  # stable: a file's tests stay together


def pytest_collection_finish() -> None:
    """Keep what the test modules have imported out of the garbage collections to come.

    LiteRT's converter collects all garbage for each graph, which takes a second with TensorFlow's
    objects.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of the development photos; only for tests marked `photos`."""
    return SHARED


@pytest.fixture(scope="session")
def bundle_path() -> Path:
    """Return a bundle that LiteRT runs: the built-in one, or SEEFOOD_TEST_BUNDLE."""
    if not (BUNDLE / "assets.extra" / "bundle.json").is_file():
        pytest.fail(f"there is no model bundle at {BUNDLE}; set SEEFOOD_TEST_BUNDLE")
    return BUNDLE


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket of one test, and boto3's client to fill and check it."""

    name: str
    client: "S3Client"
    endpoint: str

    @property
    def uri(self) -> str:
        """Return the bucket's URI."""
        return f"s3://{self.name}"

    def put(self, key: str, data: bytes) -> str:
        """Put an object and return its entity tag without quotes."""
        return self.client.put_object(Bucket=self.name, Key=key, Body=data)["ETag"].strip('"')

    def put_many(self, objects: Mapping[str, bytes]) -> None:
        """Put objects without requests, as each takes the server some milliseconds."""
        from moto.s3.models import s3_backends  # noqa: PLC0415 (a second)

        backend = s3_backends["123456789012"]["aws"]  # the account of moto's server
        for key, data in objects.items():
            backend.put_object(self.name, key, data)

    def keys(self, prefix: str = "") -> list[str]:
        """Return every key below `prefix`, sorted."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def get(self, key: str) -> bytes:
        """Return an object's bytes."""
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Run an S3 server on a free loopback port and return its URL."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 (a second)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Return a new bucket, with the environment variables that point S3 clients to its server."""
    import boto3  # noqa: PLC0415 (half a second)

    environment = {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    client: Any = boto3.client("s3")
    # A process keeps one store open for each root, so no two tests share a bucket.
    name = f"bucket-{uuid4().hex[:12]}"
    client.create_bucket(Bucket=name)
    return Bucket(name, client, s3_endpoint)


@pytest.fixture
def memory() -> str:
    """Return the root of an empty store in memory."""
    return f"memory://{uuid4().hex}"
