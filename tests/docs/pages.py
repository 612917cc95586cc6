"""The code blocks and links of README.md and docs/."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = (
    "README.md",
    *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md")),
)
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced code block of a page."""

    page: str
    language: str
    text: str

    @property
    def commands(self) -> Iterator[str]:
        """The command lines: what follows `$` in a console block, each line of a shell block."""
        text = re.sub(r"\\\n\s*", " ", self.text)
        for line in text.splitlines():
            if self.language == "console" and line.startswith("$ "):
                yield line[2:]
            elif self.language == "sh" and line.strip() and not line.startswith("#"):
                yield line


def blocks(page: str) -> list[Block]:
    """Return the code blocks of a page, in order."""
    text = (ROOT / page).read_text()
    return [Block(page, each[1], each[2]) for each in _BLOCK.finditer(text)]


def seefood_commands(page: str) -> list[str]:
    """Return every command line of `seefood` on a page, also those in the middle of a sentence."""
    lines = [line for block in blocks(page) for line in block.commands]
    prose = _BLOCK.sub("", (ROOT / page).read_text())
    lines += [" ".join(each.split()) for each in re.findall(r"`(seefood [^`]+)`", prose)]
    return [line for line in lines if line.startswith("seefood ")]


def links(page: str) -> list[str]:
    """Return the targets of the links of a page that are files of this repository."""
    text = _BLOCK.sub("", (ROOT / page).read_text())
    targets = (match[1].partition("#")[0] for match in _LINK.finditer(text))
    is_made = re.compile(r"://|^glass-box-..\.html$")  # infra/site_hooks.py makes them
    return [target for target in targets if target and not is_made.search(target)]


def words(line: str) -> list[str]:
    """Return the words of a command line, without redirections and comments."""
    return shlex.split(re.split(r"\s(?:[|>]|2>|&&|#)", line)[0])
