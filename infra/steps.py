"""A step of a deployment: one shell command that is printed before it runs.

Where `sam` and `aws` are not installed, uv runs pinned versions of them.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
ACCOUNT: Final = "<account>"
"""Placeholder in commands for the account's number, which is read with the credentials."""
_PINNED: Final = {"sam": "aws-sam-cli==1.170.0", "aws": "awscli>=1.40,<2"}


@dataclass(frozen=True, slots=True)
class Step:
    """One command and its purpose."""

    purpose: str
    command: tuple[str, ...]
    input_from: tuple[str, ...] | None = None
    """A command whose output this one reads, as through a pipe."""
    skip_if: tuple[str, ...] | None = None
    """A command that succeeds if this step is done already, as before `||`."""

    def __str__(self) -> str:
        """Return the shell command, with its purpose as a comment before it."""
        line = _line(self.command)
        if self.input_from:
            line = f"{_line(self.input_from)} | {line}"
        if self.skip_if:
            line = f"{_line(self.skip_if)} || {line}"
        return f"# {self.purpose}\n{line}"


def account_number() -> str:
    """Return the number of the credentials' account. Exits if there are none."""
    return _output(("aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text"))


def run(steps: Sequence[Step], account: str) -> None:
    """Print and run `steps` one after the other. Exits at the first that fails."""
    for step in steps:
        print(f"\n{step}", flush=True)
        if step.skip_if is not None and _succeeds(step.skip_if):
            continue
        command = [word.replace(ACCOUNT, account) for word in _installed(step.command)]
        stdin = None if step.input_from is None else _output(step.input_from)
        done = subprocess.run(command, cwd=ROOT, input=stdin, text=True, check=False)
        if done.returncode:
            sys.exit(f"deploy: this step failed with code {done.returncode}; fix it and run again")


def _installed(command: Sequence[str]) -> list[str]:
    """Return `command`, run by uv if its program is not installed."""
    name, *rest = command
    if name not in _PINNED or shutil.which(name):
        return [name, *rest]
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    return [uv, "tool", "run", "--quiet", "--from", _PINNED[name], name, *rest]


def _succeeds(command: Sequence[str]) -> bool:
    return not subprocess.run(
        _installed(command), cwd=ROOT, capture_output=True, check=False
    ).returncode


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(
        _installed(command), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"deploy: `{' '.join(command)}` failed; are your AWS credentials set?")
    return done.stdout.strip()


def _line(command: Sequence[str]) -> str:
    # A secret is passed on, and not shown.
    return re.sub(r'(HttpToken=")[^"]*', r"\1(hidden)", " ".join(map(_quoted, command)))


def _quoted(word: str) -> str:
    if word == sys.executable:
        return "python"
    return word if ACCOUNT in word else shlex.quote(word)
