"""The command line: any words are understood, or refused in one sentence."""

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
"""Lines that begin well. Other commands start servers, trainings and TensorFlow: only parsed."""
_NOT_RUN: Final = frozenset({"--open"})
_WORDS: Final = (
    "in", "in/a.jpg", "in/*.jpg", "out", "out2", "list.txt", "bundle", "notes", "nothing", "",
    "-", "0", "1", "-1", "0.5", "1e400", "nan", "99999999999999999999", "0/2", "batch", "36h",
    "2026-11-23", "parquet", "jsonl", "csv", "litert", "memory://words/x", "xyz://a/b", "s3://",
    "**", "[", "[z-a]", "\udcff", "\x1b[31m", "--", "=",
)  # fmt: skip


@cache
def _place() -> Path:
    place = Path(tempfile.mkdtemp(prefix="seefood-words-"))
    (place / "in").mkdir()
    (place / "in" / "a.jpg").write_bytes(jpeg())
    (place / "list.txt").write_text("in/a.jpg\nin/b.jpg\n")
    (place / "notes").write_text("sausages")
    fake_bundle(place / "bundle")
    part = f"done/results/digest={DIGEST[:12]}/part-0.jsonl"
    write(parse_location(str(place / part)), encode_rows([make_row()], "jsonl"))
    return place


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
    # A free word stays in the working directory and asks no network.
    return "".join(c for c in choices.text(12) if c not in "/~\0:").lstrip(".-")


def _parse(data: bytes) -> None:
    """Every command's words are parsed, and nothing is done."""
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
    """One command runs, in a folder of its own; it ends with a documented code and a sentence."""
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
    said, told = io.StringIO(), io.TextIOWrapper(io.BytesIO())
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b"not a picture"))
    try:
        with _inside(_place()), redirect_stderr(said), redirect_stdout(told):
            main([word for word in words if word not in ("--", *_NOT_RUN)])
    except SystemExit as ended:
        _check(words, ended.code, said.getvalue())
    finally:
        sys.stdin = stdin


def _check(words: list[str], code: object, said: str) -> None:
    assert code in (0, 1, 2, 3), (words, code, said)
    assert "unforeseen" not in said, (words, said)
    assert "Traceback" not in said, (words, said)
    lines = [line for line in said.splitlines() if line.startswith("seefood: ")]
    assert code in (0, 1) or len(lines) == 1, (words, code, said)


def _seeds() -> Sequence[bytes]:
    plain = [bytes([at, 0]) for at in range(len(_RUN))]
    return [*plain, *(bytes([at, 2, 1, 0, at, 1, 1, 2]) for at in range(len(_RUN)))]


TARGETS: Final = (
    Target("words", _parse, _seeds, 64),
    Target("command", _run, _seeds, 64),
)
