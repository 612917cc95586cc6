"""The command line: any arguments are accepted or refused with one message."""

import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Final

import click

from seefood.cli import cli, main
from seefood.results.files import encode_rows
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.bundles import fake_bundle
from tests.fakes import DIGEST, make_row
from tests.fuzz.target import Choices, Target
from tests.pictures import jpeg

_RUN: Final = (
    ("predict", "in/a.jpg", "--json"),
    ("report", "done", "--output", "page.html"),
    ("diff", "done", "done"),
    ("compact", "done"),
    ("plan", "in", "--output", "done", "--model", "bundle", "--engine", "auto"),
    ("classify", "in", "--output", "out", "--model", "bundle", "--quiet", "--no-report"),
    ("classify", "--manifest", "list.txt", "--output", "out", "--limit", "1", "--shard", "0/2"),
    ("evaluate", "in", "--model", "bundle"),
)
"""Valid command lines. Commands that start a server, a training or TensorFlow are only parsed."""
_NOT_RUN: Final = frozenset({"--open"})
_WORDS: Final = (
    "in", "in/a.jpg", "in/*.jpg", "out", "out2", "list.txt", "bundle", "notes", "nothing", "",
    "-", "0", "1", "-1", "0.5", "1e400", "nan", "99999999999999999999", "0/2", "batch", "36h",
    "2026-11-23", "parquet", "jsonl", "csv", "litert", "memory://words/x", "xyz://a/b", "s3://",
    "**", "[", "[z-a]", "\udcff", "\x1b[31m", "--", "=",
)  # fmt: skip


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="seefood-words-"))
    (folder / "in").mkdir()
    (folder / "in" / "a.jpg").write_bytes(jpeg())
    (folder / "list.txt").write_text("in/a.jpg\nin/b.jpg\n")
    (folder / "notes").write_text("sausages")
    fake_bundle(folder / "bundle")
    part = f"done/results/digest={DIGEST[:12]}/part-0.jsonl"
    write(parse_location(str(folder / part)), encode_rows([make_row()], "jsonl"))
    return folder


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _options(name: str) -> list[str]:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return [text for param in command.params for text in param.opts if text.startswith("-")]


def _word(choices: Choices) -> str:
    if choices.number(4):
        return choices.pick(_WORDS)
    # Such a word stays in the working directory and causes no network request.
    return "".join(c for c in choices.text(12) if c not in "/~\0:").lstrip(".-")


def _parse(data: bytes) -> None:
    """Parse the arguments of any command without running it."""
    choices = Choices(data)
    name = choices.pick(cli.list_commands(click.Context(cli)))
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    pool = [*_options(name), *_WORDS]
    words = [choices.pick(pool) for _ in range(choices.number(12))]
    try:
        with redirect_stdout(io.StringIO()):
            command.make_context(name, words, obj=[])
    except (click.ClickException, click.exceptions.Exit):
        return


def _run(data: bytes) -> None:
    """Run a command in a folder of its own; it ends with a documented exit code and one message."""
    choices = Choices(data)
    words = list(choices.pick(_RUN))
    options = [option for option in _options(words[0]) if option not in _NOT_RUN]
    for _ in range(choices.number(5)):
        at = 1 + choices.number(len(words))
        kind = choices.number(4)
        if kind == 0:
            words[at:at] = [choices.pick(options)]
        elif kind == 1:
            words[at:at] = [choices.pick(options), _word(choices)]
        else:
            words[at : at + choices.number(2)] = [_word(choices)]
    stderr, stdout = io.StringIO(), io.TextIOWrapper(io.BytesIO())
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b"not a picture"))
    try:
        with _inside(_folder()), redirect_stderr(stderr), redirect_stdout(stdout):
            main([word for word in words if word not in ("--", *_NOT_RUN)])
    except SystemExit as ended:
        _check(words, ended.code, stderr.getvalue())
    finally:
        sys.stdin = stdin


def _check(words: list[str], code: object, stderr: str) -> None:
    assert code in (0, 1, 2, 3), (words, code, stderr)
    assert "unexpected error" not in stderr, (words, stderr)
    assert "Traceback" not in stderr, (words, stderr)
    lines = [line for line in stderr.splitlines() if line.startswith("seefood: ")]
    assert code in (0, 1) or len(lines) == 1, (words, code, stderr)


def _seeds() -> Sequence[bytes]:
    plain = [bytes([at, 0]) for at in range(len(_RUN))]
    return [*plain, *(bytes([at, 2, 1, 0, at, 1, 1, 2]) for at in range(len(_RUN)))]


TARGETS: Final = (
    Target("words", _parse, _seeds, 64),
    Target("command", _run, _seeds, 64),
)
