"""The options for limits, salvage and the expected model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from seefood.bundle import load_bundle
from seefood.cli.limit_options import Amount
from tests.pictures import encoded, gradient, jpeg, plain


def _seefood(
    *arguments: str | Path, stdin: bytes = b"", **environment: str
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "seefood", *map(str, arguments)],
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
    )


def _row(done: "subprocess.CompletedProcess[bytes]") -> dict[str, object]:
    row = json.loads(done.stdout)
    assert isinstance(row, dict)
    return row


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("20M", 20_000_000), ("500k", 500_000), ("1GB", 10**9)]
)
def test_amounts(text: str, number: int) -> None:
    """An amount is a whole number, optionally with a unit."""
    assert number == Amount().convert(text, None, None)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5M", "M", "1T", "٣"])
def test_invalid_amounts(text: str) -> None:
    """Another text is refused; the message says what is valid."""
    with pytest.raises(click.BadParameter, match="write a whole number"):
        Amount().convert(text, None, None)


@pytest.mark.parametrize(
    ("option", "code"),
    [
        (("--max-bytes", "100"), "too_large"),
        (("--max-pixels", "100"), "too_many_pixels"),
        (("--max-memory", "5k"), "too_many_pixels"),
        (("--max-frames", "1"), "too_many_frames"),
    ],
)
def test_limits_are_options(option: tuple[str, str], code: str, tmp_path: Path) -> None:
    """A picture above a limit has that limit's error code; the exit code is 1."""
    frames = [plain((n * 90, 9, 9)) for n in range(2)]
    (tmp_path / "a.gif").write_bytes(
        encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    )
    done = _seefood("predict", "--json", tmp_path / "a.gif", *option)
    assert (1, code) == (done.returncode, _row(done)["error_code"])


def test_limits_come_from_the_environment(tmp_path: Path) -> None:
    """An environment variable sets a limit; the option overrides it."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    arguments = ("predict", "--json", tmp_path / "a.jpg")
    assert "too_many_pixels" == _row(_seefood(*arguments, SEEFOOD_MAX_PIXELS="9"))["error_code"]
    done = _seefood(*arguments, "--max-pixels", "1M", SEEFOOD_MAX_PIXELS="9")
    assert (0, None) == (done.returncode, _row(done)["error_code"])


def test_salvage_is_an_option(tmp_path: Path) -> None:
    """With `--salvage` a truncated JPEG from a file or stdin has a label, marked as salvaged."""
    cut = encoded(gradient((320, 240)), "JPEG")[:-300]
    (tmp_path / "cut.jpg").write_bytes(cut)
    assert 1 == _seefood("predict", tmp_path / "cut.jpg").returncode
    done = _seefood("predict", "--salvage", tmp_path / "cut.jpg")
    assert (0, True) == (done.returncode, b"(salvaged)" in done.stdout)
    row = _row(_seefood("predict", "--json", "--salvage", "-", stdin=cut))
    assert ("-", "unsure", "truncated") == (row["uri"], row["status"], row["error_code"])


@pytest.mark.parametrize("command", [("predict", "a.jpg"), ("inspect",), ("plan", "."), ("serve",)])
def test_another_model_is_refused(command: tuple[str, ...], tmp_path: Path) -> None:
    """Every command that loads a model refuses another one than `--model-digest`."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    done = subprocess.run(
        [sys.executable, "-m", "seefood", *command, "--model-digest", "0" * 12],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"'000000000000' was expected" in done.stderr


def test_the_right_model_is_taken(tmp_path: Path, bundle_path: Path) -> None:
    """The first twelve digits are enough, as an option or in the environment."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    digest = load_bundle(bundle_path).digest[:12]
    arguments = ("predict", "--model", bundle_path, tmp_path / "a.jpg")
    assert 0 == _seefood(*arguments, "--model-digest", digest).returncode
    assert 0 == _seefood(*arguments, SEEFOOD_MODEL_DIGEST=digest).returncode
    assert 2 == _seefood(*arguments, SEEFOOD_MODEL_DIGEST="f" * 64).returncode
