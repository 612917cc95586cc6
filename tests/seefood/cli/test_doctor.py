"""`seefood doctor`: whether a run would work at a location."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from seefood.cli.doctor import doctor_command
from tests.conftest import Bucket


def _doctor(*words: str) -> tuple[int, dict[str, dict[str, object]]]:
    ended = CliRunner().invoke(
        doctor_command, [*words, "--json", "--no-engines"], standalone_mode=False
    )
    document = json.loads(ended.stdout)
    assert {"ok", "checks"} == set(document)
    assert all({"name", "ok", "found", "cure"} == set(each) for each in document["checks"])
    assert document["ok"] == (ended.return_value == 0)
    return ended.return_value, {each["name"]: each for each in document["checks"]}


def test_a_working_bucket(s3: Bucket) -> None:
    """Listing, reading and writing are tried; nothing stays behind."""
    s3.put("in/a.jpg", b"x")
    code, checks = _doctor(f"{s3.uri}/in/")
    assert [True] * 3 == [checks[name]["ok"] for name in ("list", "read", "write")]
    assert "the environment (AWS_ACCESS_KEY_ID)" == checks["credentials"]["found"]
    assert "us-east-1" == checks["region"]["found"]
    assert f"{s3.endpoint}/{s3.name}" == checks["endpoint"]["found"]
    assert ["in/a.jpg"] == s3.keys()
    assert 0 == code


def test_an_absent_bucket_and_wrong_settings(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, and the sentence that a run would print."""
    code, checks = _doctor(f"{s3.uri}-absent", "--read-only")
    assert (1, False) == (code, checks["list"]["ok"])
    assert "there is no such bucket" in str(checks["list"]["found"])
    assert "write" not in checks
    monkeypatch.setenv("AWS_PROFILE", "nosuch")
    code, checks = _doctor(s3.uri)
    assert 1 == code
    assert "'nosuch'" in str(checks["settings"]["found"])


def test_a_folder(tmp_path: Path) -> None:
    """Local folders are tried as well."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert 0 == _doctor(str(tmp_path))[0]
    assert ["a.jpg"] == [path.name for path in tmp_path.iterdir()]
