"""The options for limits, salvage and the expected model."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from seefood.bundle import load_bundle
from seefood.cli import main
from seefood.cli.limit_options import Amount
from tests.pictures import encoded, gradient, jpeg, plain


@dataclass(frozen=True, slots=True)
class _Done:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


_Command = Callable[..., _Done]


@pytest.fixture
def seefood(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> _Command:
    """Runs a command line in this process, with more environment variables as keywords."""

    def run(*arguments: str | Path, **environment: str) -> _Done:
        with monkeypatch.context() as place:
            for name, value in environment.items():
                place.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main([*map(str, arguments)])
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return _Done(ended.value.code, printed.out, printed.err)

    return run


def _row(printed: str | bytes) -> dict[str, object]:
    row = json.loads(printed)
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
def test_limits_are_options(
    option: tuple[str, str], code: str, seefood: _Command, tmp_path: Path
) -> None:
    """A picture above a limit has that limit's error code; the exit code is 1."""
    frames = [plain((n * 90, 9, 9)) for n in range(2)]
    (tmp_path / "a.gif").write_bytes(
        encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    )
    done = seefood("predict", "--json", tmp_path / "a.gif", *option)
    assert (1, code) == (done.returncode, _row(done.stdout)["error_code"])


def test_limits_come_from_the_environment(seefood: _Command, tmp_path: Path) -> None:
    """An environment variable sets a limit; the option overrides it."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    arguments = ("predict", "--json", tmp_path / "a.jpg")
    assert (
        "too_many_pixels" == _row(seefood(*arguments, SEEFOOD_MAX_PIXELS="9").stdout)["error_code"]
    )
    done = seefood(*arguments, "--max-pixels", "1M", SEEFOOD_MAX_PIXELS="9")
    assert (0, None) == (done.returncode, _row(done.stdout)["error_code"])


def test_salvage_is_an_option(seefood: _Command, tmp_path: Path) -> None:
    """With `--salvage` a truncated JPEG from a file or stdin has a label, marked as salvaged."""
    cut = encoded(gradient((320, 240)), "JPEG")[:-300]
    (tmp_path / "cut.jpg").write_bytes(cut)
    assert 1 == seefood("predict", tmp_path / "cut.jpg").returncode
    done = seefood("predict", "--salvage", tmp_path / "cut.jpg")
    assert (0, True) == (done.returncode, "(salvaged)" in done.stdout)
    command = [sys.executable, "-m", "seefood", "predict", "--json", "--salvage", "-"]
    row = _row(subprocess.run(command, input=cut, capture_output=True, check=False).stdout)
    assert ("-", "unsure", "truncated") == (row["uri"], row["status"], row["error_code"])


@pytest.mark.parametrize("command", [("predict", "a.jpg"), ("inspect",), ("plan", "."), ("serve",)])
def test_another_model_is_refused(
    command: tuple[str, ...],
    seefood: _Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every command that loads a model refuses another one than `--model-digest`."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    monkeypatch.chdir(tmp_path)
    done = seefood(*command, "--model-digest", "0" * 12)
    assert (2, "") == (done.returncode, done.stdout)
    assert "'000000000000' was expected" in done.stderr


def test_the_right_model_is_taken(seefood: _Command, tmp_path: Path, bundle_path: Path) -> None:
    """The first twelve digits are enough, as an option or in the environment."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    digest = load_bundle(bundle_path).digest[:12]
    arguments = ("predict", "--model", bundle_path, tmp_path / "a.jpg")
    assert 0 == seefood(*arguments, "--model-digest", digest).returncode
    assert 0 == seefood(*arguments, SEEFOOD_MODEL_DIGEST=digest).returncode
    assert 2 == seefood(*arguments, SEEFOOD_MODEL_DIGEST="f" * 64).returncode
