"""SnapStart: what is in the snapshot, and that the handler works after a restore."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Final

import botocore

from seefood.results.files import read_rows
from seefood.storage.uris import parse_location
from seefood.synthetic import draw_picture
from seefood_lambda.snapshot import after_restore
from tests.conftest import ROOT, Bucket
from tests.lambda_runtime import running_function
from tests.pictures import encoded

_PACKAGE: Final = ROOT / "lambda"
# Prints the open sockets and the stores of a function that is ready for its snapshot.
_READY: Final = """
import os, sys
import handler
from seefood_lambda.snapshot import before_snapshot
before_snapshot()
from seefood.storage import store
from seefood.storage.s3_identity import _IDENTITIES
files = [f"/proc/self/fd/{n}" for n in os.listdir("/proc/self/fd")]
links = [os.readlink(file) for file in files if os.path.lexists(file)]
print([link for link in links if link.startswith("socket:")], len(_IDENTITIES))
print([key for key in store._open.cache_info()[3:]], "botocore" in sys.modules)
"""


def test_the_snapshot_has_no_connection_and_no_store(bundle_path: Path) -> None:
    """Stores, clients and credentials are opened after the restore; their modules are loaded."""
    done = subprocess.run(
        [sys.executable, "-c", _READY],
        cwd=_PACKAGE,
        env={"PYTHONPATH": str(_PACKAGE), "SEEFOOD_MODEL": str(bundle_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "[] 0\n[0] True\n" == done.stdout


def test_environments_of_one_snapshot_wait_differently() -> None:
    """The waits before retries are random, and the snapshot has the state of the generator."""
    state = random.getstate()
    after_restore()
    first = random.random()
    random.setstate(state)
    after_restore()

    assert first != random.random()


def test_the_handler_works_after_a_restore(bundle_path: Path, s3: Bucket, tmp_path: Path) -> None:
    """Under the real runtime client, with SnapStart's credentials and no keys."""
    picture = encoded(draw_picture("hotdog_mustard", 3, (320, 240)), "JPEG")
    s3.put("in/lunch.jpg", picture)
    s3.put("in/notes.txt", b"text")
    environment = {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_ENDPOINT_URL": s3.endpoint,
        "AWS_REGION": "us-east-1",
        "SEEFOOD_MODEL": str(bundle_path),
        "SEEFOOD_RESULTS": f"{s3.uri}/labels",
        "SEEFOOD_SUFFIXES": ".jpg",
        "HOME": str(tmp_path),
    }
    records = [
        {
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": s3.name}, "object": {"key": key}},
        }
        for key in ("in/lunch.jpg", "in/notes.txt")
    ]
    client = f"{ROOT}:{Path(botocore.__file__).parents[1]}"
    with running_function(_PACKAGE, client, environment, tmp_path / "log") as function:
        answer = function.api.invoke({"Records": records})
        lines = function.lines()

    assert function.api.restored.is_set()
    assert {"labelled": 1} == answer
    rows = list(read_rows(parse_location(f"{s3.uri}/labels")))
    assert [f"{s3.uri}/in/lunch.jpg"] == [row.uri for row in rows]
    assert ["another suffix"] == [line["event_kind"] for line in lines if "event_kind" in line]
