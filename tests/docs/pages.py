"""The code blocks, commands and links of README.md and docs/."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/README.md",
    *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md")),
)
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INDENTED: Final = re.compile(r"(?<=\n\n)( {4}.*\n(?: {4}.*\n|\n(?= {4}))*)")
_LINK: Final = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_PROGRAM: Final = re.compile(r"(?:seefood|make|pip|uvx|git|python -m) (?!.*, )")


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a page, fenced or indented."""

    page: str
    language: str
    """Of the fence; empty for an indented block."""
    text: str

    @property
    def commands(self) -> Iterator[str]:
        """The command lines: what follows `$`, or each line of a block of commands."""
        text = re.sub(r"\\\n\s*", " ", self.text)
        text = re.sub(r"'\{[^']*\n[^']*'", lambda m: m[0].replace("\n", " "), text)  # JSON
        is_shell = self.language == "sh" or (not self.language and _PROGRAM.match(text) is not None)
        for line in text.splitlines():
            if line.startswith("$ "):
                yield _plain(line[2:])
            elif is_shell and line.strip() and not line.startswith("#"):
                yield _plain(line)


def outputs(page: str) -> list[tuple[str, list[str]]]:
    """Return each command of the page's `console` blocks that shows what it prints, with that."""
    found: list[tuple[str, list[str]]] = []
    for block in (block for block in blocks(page) if block.language == "console"):
        for line in re.sub(r"\\\n\s*", " ", block.text).splitlines():
            if line.startswith("$ "):
                found.append((_plain(line[2:]), []))
            elif found and line.strip():
                found[-1][1].append(line)
    return [(command, lines) for command, lines in found if lines]


def without_numbers(text: str) -> str:
    """Return text with `0` for its numbers, and single spaces: what two runs have in common."""
    run = r"\d{8}T\d{6}Z-[0-9a-f]{6}"
    return " ".join(re.sub(rf"{run}|[\d.,]*\d", "0", text).split())


def _plain(line: str) -> str:
    """Return a command line without its comment, with single spaces."""
    return " ".join(re.split(r"\s#\s", line)[0].split())


def blocks(page: str) -> list[Block]:
    """Return the fenced code blocks of a page, and then the indented ones."""
    text = (ROOT / page).read_text()
    fenced = [Block(page, each[1], each[2]) for each in _BLOCK.finditer(text)]
    rest = _INDENTED.finditer(_BLOCK.sub("", text))
    return [*fenced, *(Block(page, "", re.sub("(?m)^ {4}", "", each[1])) for each in rest)]


def commands(page: str) -> list[str]:
    """Return the command lines of a page: those of its blocks, and `seefood …` in its sentences.

    A sentence that only mentions a command (`seefood train`, `seefood classify --features`) gives
    none.
    """
    lines = [line for block in blocks(page) for line in block.commands]
    prose = [line for line in mentions(page) if any(map(_is_operand, line.split()[2:]))]
    return [*lines, *prose]


def _is_operand(word: str) -> bool:
    return not word.startswith("-")


def mentions(page: str) -> list[str]:
    """Return every `seefood …` in the sentences of a page."""
    prose = _BLOCK.sub("", (ROOT / page).read_text())
    return [" ".join(each.split()) for each in re.findall(r"`(seefood [^`]+)`", prose)]


def seefood_commands(page: str) -> list[str]:
    """Return every command line of `seefood` on a page, also those in the middle of a sentence."""
    lines = [line for block in blocks(page) for line in block.commands]
    return [line for line in [*lines, *mentions(page)] if line.startswith("seefood ")]


def links(page: str) -> list[str]:
    """Return the targets of the links of a page that are files of this repository."""
    text = _BLOCK.sub("", (ROOT / page).read_text())
    targets = (match[1].partition("#")[0] for match in _LINK.finditer(text))
    is_made = re.compile(r"://|^glass-box-..\.html$")  # infra/site_hooks.py makes them
    return [target for target in targets if target and not is_made.search(target)]


def words(line: str) -> list[str]:
    """Return the words of a command line, without redirections and comments."""
    return shlex.split(re.split(r"\s(?:[|>]|2>|&&|#)", line)[0])
