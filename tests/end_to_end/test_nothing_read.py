"""A run that could read nothing ends with exit code 1, and the next run tries again."""

from pathlib import Path

import pytest

from tests.conftest import Bucket
from tests.fault_front import Fault, FaultFront
from tests.hard_days.command import check_complete, classify, fill_bucket, rows_once

pytestmark = pytest.mark.beam
_PICTURES = 3


def test_nothing_but_forbidden_pictures(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed, but not to be read: the cause is named, the rows are kept and tried again."""
    fill_bucket(s3, _PICTURES)
    output = f"{s3.uri}/out"
    with FaultFront(s3.endpoint).running() as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL", front.endpoint)
        front.faults.append(Fault("forbidden", ".jpg", "GET", times=1_000_000))
        denied = classify(f"{s3.uri}/in/", output)
        assert 1 == denied.code
        assert "may list the pictures but not read them" in denied.message()
        assert {"forbidden"} == {row.error_code for row in rows_once(output)}
        front.faults.clear()
        rerun = classify(f"{s3.uri}/in/", output)
    assert (0, "") == (rerun.code, rerun.err)
    check_complete(output, _PICTURES)


def test_nothing_but_missing_pictures(s3: Bucket, tmp_path: Path) -> None:
    """A manifest of names that are not there."""
    manifest = tmp_path / "names.txt"
    manifest.write_text(f"{s3.uri}/no/1.jpg\n{s3.uri}/no/2.jpg\n")
    ended = classify(f"--manifest={manifest}", tmp_path / "out")
    assert 1 == ended.code
    assert "none of them exists" in ended.message()
