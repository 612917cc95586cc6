"""Google Cloud Storage and Azure: list, read, write and resume against servers on loopback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import emulators
from tests.pictures import jpeg

_FILL = """
import sys
from seefood.storage import open_store
store = open_store(sys.argv[1])
for name in ("a.jpg", "b c.jpg", "ü #?%.jpg"):
    store.write(f"in/{name}", open(sys.argv[2], "rb").read())
assert store.create("x", b"1")
assert not store.create("x", b"2")
assert store.read("x") == b"1"
store.delete("x")
store.delete("x")
"""


@pytest.mark.emulators
@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_a_bucket_is_listed_read_written_and_resumed(scheme: str, tmp_path: Path) -> None:
    """The second run has nothing to do; `doctor` finds nothing wrong."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    root = f"{scheme}://photos"
    kind = (
        emulators.google("photos")
        if scheme == "gs"
        else emulators.azure("photos", tmp_path / "azurite")
    )
    with kind as variables:
        environment = os.environ | variables

        def run(*words: str) -> str:
            ended = subprocess.run(
                [sys.executable, *words],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert 0 == ended.returncode, ended.stderr
            return ended.stdout

        run("-c", _FILL, root, str(tmp_path / "a.jpg"))
        job = ["-m", "seefood", "classify", f"{root}/in", "--output", f"{root}/out", "--no-report"]
        assert "3 pictures" in run(*job)
        assert "3 done before" in run(*job)
        run("-m", "seefood", "doctor", root, "--no-engines")
