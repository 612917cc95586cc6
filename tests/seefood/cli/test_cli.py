"""The command line: imports, exit codes and error messages."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from seefood.cli import cli
from tests.bundles import fake_bundle
from tests.pictures import jpeg

HEAVY = ("numpy", "PIL", "apache_beam", "tensorflow", "keras", "boto3", "pyarrow", "rich", "jinja2")
COMMANDS = tuple(cli.list_commands(None))  # type: ignore[arg-type]


def _loaded(code: str) -> list[set[str]]:
    """Return the heavy packages that are loaded after each line of `code`, in one interpreter."""
    show = f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    script = "\n".join(["import sys", *(f"{line}\n{show}" for line in code.splitlines())])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return [set(line.split()) for line in done.stdout.splitlines()]


def test_importing_loads_nothing_heavy() -> None:
    """`import seefood` loads no heavy package."""
    assert [set()] * 3 == _loaded("import seefood.errors\nimport seefood\nimport seefood.cli")


def test_help_loads_nothing_heavy() -> None:
    """Every `--help` is instant: it loads no NumPy, no Beam, no TensorFlow."""
    commands = ((), *((name,) for name in COMMANDS))
    helps = "\n".join(f"show({[*command, '--help']!r})" for command in commands)
    setup = (
        "from click.testing import CliRunner; from seefood.cli import cli; "
        "show = lambda words: CliRunner().invoke(cli, words, catch_exceptions=False)"
    )
    loaded = _loaded(f"{setup}\n{helps}")
    assert {name: set() for name in ("setup", *commands)} == dict(
        zip(("setup", *commands), loaded, strict=True)
    )


def test_the_core_loads_no_entry_point_s_library() -> None:
    """Decoding and classifying needs neither Beam nor TensorFlow nor boto3."""
    (loaded,) = _loaded(
        "import seefood.classification, seefood.workers.threaded, seefood.results.files;"
        "import seefood.storage"
    )
    assert not {"apache_beam", "tensorflow", "keras", "boto3", "pyarrow"} & loaded


@pytest.mark.parametrize("name", ["", *COMMANDS, "config show"])
def test_every_help_ends_with_examples(name: str) -> None:
    """The help of each command ends with examples of it, and fits into 80 columns."""
    result = CliRunner().invoke(cli, [*name.split(), "--help"])
    assert 0 == result.exit_code
    examples = result.output.partition("\n  Examples:\n")[2]
    assert f"seefood {name}" in examples
    assert [] == [line for line in examples.splitlines() if not line.startswith("    ")]
    assert [] == [line for line in result.output.splitlines() if len(line) > 80]
    assert not re.search(r"^  -.*\b(INTEGER|FLOAT|TEXT|DIRECTORY)\b", result.output, re.MULTILINE)


def test_public_names_are_there() -> None:
    """Every name of `__all__` can be imported; another name raises `AttributeError`."""
    import seefood  # noqa: PLC0415 (the names are tested here)

    for name in seefood.__all__:
        assert name == getattr(seefood, name).__name__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = seefood.nothing


def test_constants_written_out_equal_their_homes() -> None:
    """What `--help` shows without importing it is what the code takes."""


def _seefood(*arguments: str | Path, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "seefood", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
    )


def _message(done: "subprocess.CompletedProcess[bytes]", code: int) -> str:
    """Return the only line on stderr; check that stdout is empty and the exit code is `code`."""
    text = done.stderr.decode()
    assert (code, b"") == (done.returncode, done.stdout), text
    assert "Traceback" not in text
    assert 1 == len(text.splitlines()), text
    assert text.startswith("seefood: ")
    return text.strip()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder with one picture."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a b.jpg").write_bytes(jpeg())
    return tmp_path / "pictures"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["review", "{}", "--model", "{}/nothing"], "there is no model bundle at"),
        (["like", "a.jpg", "{}", "--from", "yesterday"], "is not a date; write 2026-11-23 or"),
        (["explain", "{}", "--output", "{}/x.html"], "is a folder; give a file"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_mistake_is_told_at_the_start(
    arguments: list[str], expected: str, tmp_path: Path
) -> None:
    """Before a page is served or anything is read, with the exit code 2."""
    filled = [argument.format(tmp_path) for argument in arguments]
    assert expected in _message(_seefood(*filled), 2)


@pytest.mark.beam
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["{}/nothing"], "there is nothing at"),
        (["{}/*.gif"], "matches no object; check the path or the pattern"),
        (["{}/empty"], "holds no picture"),
        (["ftp://host/x"], "has the unknown scheme 'ftp'"),
        (["{}/pictures", "--model", "{}/nothing"], "there is no model bundle at"),
        (["{}/pictures", "--model", "{}/pictures"], "has no assets.extra/bundle.json"),
        (["{}/pictures", "--", "--no_such_option"], "Beam knows no option --no_such_option"),
        (["{}/pictures", "--", "--runner"], "Beam refuses --runner"),
        (["{}/pictures", "--output", "{}/file/out"], "the output cannot be written"),
        (["{}/pictures", "--output", "ftp://x/y"], "has the unknown scheme 'ftp'"),
        (["{}/pictures", "--model", "{}/fake"], "cannot load"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_one_message_and_nothing_is_written(
    arguments: list[str], expected: str, tmp_path: Path, pictures: Path, bundle_path: Path
) -> None:
    """A mistake in the arguments has exit code 2 and one message, and writes no file."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    fake_bundle(tmp_path / "fake")
    filled = [argument.format(tmp_path) for argument in arguments]
    beam = filled[filled.index("--") :] if "--" in filled else []
    own = filled[: len(filled) - len(beam)]
    if "--model" not in own:
        own += ["--model", str(bundle_path)]
    if "--output" not in own:
        own += ["--output", str(tmp_path / "out")]
    before = sorted(tmp_path.rglob("*"))
    assert expected in _message(_seefood("classify", *own, *beam), 2)
    assert before == sorted(tmp_path.rglob("*"))
    assert pictures.is_dir()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["classify"], 2),
        (["classify", "x"], 2),
        (["classify", "x", "--output", "y", "--format", "xml"], 2),
        (["classify", "x", "--output", "y", "--max-failure-ratio", "2"], 2),
        (["nothing"], 2),
        (["predict"], 2),
        (["--version"], 0),
        ([], 2),
    ],
)
def test_usage_errors(arguments: list[str], code: int) -> None:
    """A usage error has exit code 2, no traceback and nothing on stdout."""
    done = _seefood(*arguments)
    assert code == done.returncode
    assert b"Traceback" not in done.stderr
    assert (code == 0) == bool(done.stdout)


def test_predict_prints_a_line_for_each_picture(pictures: Path, bundle_path: Path) -> None:
    """A good picture has a label; a broken one has an error code and causes exit code 1."""
    (pictures / "bad\x1b.jpg").write_bytes(b"no picture")
    names = sorted(pictures.iterdir())
    done = _seefood("predict", "--model", bundle_path, *names)
    lines = done.stdout.decode().splitlines()
    assert (1, b"") == (done.returncode, done.stderr)
    assert "%" in lines[0]
    assert "\\x1b.jpg  failed  not_an_image" in lines[1]


def test_predict_reads_stdin_and_writes_json(bundle_path: Path) -> None:
    """`-` is stdin; `--json` prints a row of the results."""
    done = _seefood("predict", "--model", bundle_path, "--json", "-", stdin=jpeg())
    assert (0, b"") == (done.returncode, done.stderr)
    row = json.loads(done.stdout)
    assert ("-", "ok", "JPEG", 32, 24, "litert") == (
        row["uri"], row["status"].replace("unsure", "ok"), row["format"], row["width"],
        row["height"], row["engine"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [("nothing.jpg", "does not exist"), ("", "is a folder; use `seefood classify`")],
)
def test_predict_takes_pictures_only(pictures: Path, name: str, expected: str) -> None:
    """A missing file or a folder is a usage error."""
    assert expected in _message(_seefood("predict", pictures / name), 2)


def test_a_closed_pipe_is_no_error(pictures: Path, bundle_path: Path) -> None:
    """`seefood predict … | head -1` prints no error and exits with 0."""
    names = " ".join([f"'{next(pictures.iterdir())}'"] * 40)
    predict = f"{sys.executable} -m seefood predict --model {bundle_path} {names}"
    command = f"{predict} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, timeout=60)
    assert b"" == done.stderr
    assert 1 == len(done.stdout.splitlines())


def test_verbose_shows_a_traceback() -> None:
    """With `--verbose` an error has its traceback."""
    done = _seefood("--verbose", "predict", "nothing.jpg")
    assert b"Traceback" in done.stderr
    assert 0 != done.returncode
