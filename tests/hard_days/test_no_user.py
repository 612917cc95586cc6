"""A user without an entry in the passwd file and without a home, as in many containers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.pictures import jpeg


@pytest.mark.namespaces
def test_a_user_that_the_system_does_not_know(tmp_path: Path) -> None:
    """Pictures are labelled; without keys, the places of credentials are named."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    names = ("HOME", "USER", "LOGNAME", "USERNAME")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment = {k: v for k, v in environment.items() if not k.startswith("AWS_")}
    unknown = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]

    def predict(name: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*unknown, sys.executable, "-m", "seefood", "predict", name],
            cwd=ROOT,
            env=environment | {"AWS_EC2_METADATA_DISABLED": "true"},
            capture_output=True,
            text=True,
            check=False,
        )

    labelled = predict(str(tmp_path / "a.jpg"))
    assert (0, "") == (labelled.returncode, labelled.stderr)
    refused = predict("s3://no-such-bucket/a.jpg")
    assert 2 == refused.returncode
    assert "there are no AWS credentials" in refused.stderr
    assert "AWS_SKIP_SIGNATURE to true" in refused.stderr
