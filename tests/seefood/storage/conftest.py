"""The fixture of the tests of AWS's settings."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.aws_place import ODD, PLAIN, Place
from tests.conftest import Bucket


@pytest.fixture
def place(s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An empty home folder, a bucket with a plain and an odd key, and no proxy."""
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
            monkeypatch.delenv(name)
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    s3.put(PLAIN, b"plain")
    s3.put(ODD, b"odd")
    with ExitStack() as stack:
        yield Place(s3, home, monkeypatch, stack)
