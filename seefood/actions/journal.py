"""What a command does, written before it does anything: DEST/journal/<time>-<id>.jsonl.

The first line is the command, each other one a step. `<time>-<id>.done` and `.undone` beside it say
that all steps were taken or undone. A journal with neither belongs to a command that was killed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

from seefood.actions.steps import Step, step_from_json, step_json
from seefood.errors import JobError, UsageError
from seefood.records import utc_now
from seefood.results.files import JOURNAL
from seefood.storage import list_existing, read, write
from seefood.storage.uris import Location


@dataclass(frozen=True, slots=True)
class Journal:
    """One journal and where it stands."""

    output: Location
    name: str
    command: Mapping[str, Any]
    steps: tuple[Step, ...]
    made: tuple[str, ...] = ()
    """Local folders that the steps create, which `undo` removes if they are empty."""
    is_done: bool = False
    is_undone: bool = False

    def finish(self, mark: str) -> None:
        """Record that all steps were taken (`done`) or undone (`undone`)."""
        write(self.output.child(f"{JOURNAL}/{self.name}.{mark}"), b"")


def begin_journal(
    output: Location, command: Mapping[str, Any], steps: Sequence[Step], made: Sequence[str] = ()
) -> Journal:
    """Write a new journal and return it. Atomic: no step is taken before all are written."""
    name = f"{utc_now():%Y%m%dT%H%M%S}Z-{token_hex(4)}"
    lines: Iterable[object] = [{"command": command, "made": list(made)}, *map(step_json, steps)]
    text = "".join(f"{json.dumps(line, ensure_ascii=True)}\n" for line in lines)
    write(output.child(f"{JOURNAL}/{name}.jsonl"), text.encode())
    return Journal(output, name, command, tuple(steps), tuple(made))


def read_journals(output: Location) -> list[Journal]:
    """Return the journals of an output, the newest first. Raises `JobError` for damaged ones."""
    names = [ref.uri.rpartition("/")[2] for ref in list_existing(output.child(f"{JOURNAL}/"))]
    known = set(names)
    stems = sorted((n.removesuffix(".jsonl") for n in names if n.endswith(".jsonl")), reverse=True)
    return [
        replace(
            _read(output, stem),
            is_done=f"{stem}.done" in known,
            is_undone=f"{stem}.undone" in known,
        )
        for stem in stems
    ]


def _read(output: Location, name: str) -> Journal:
    location = output.child(f"{JOURNAL}/{name}.jsonl")
    try:
        first, *rest = [json.loads(line) for line in read(location).splitlines()]
        steps = tuple(map(step_from_json, rest))
        return Journal(output, name, first["command"], steps, tuple(first["made"]))
    except (ValueError, KeyError, TypeError, FileNotFoundError, RecursionError) as error:
        raise JobError(
            f"{location.uri} is no journal of seefood ({error}); move it away and run again"
        ) from error


def unfinished(output: Location, command: Mapping[str, Any]) -> Journal | None:
    """Return the journal of the same command that was stopped half-way; None if there is none."""
    for journal in read_journals(output):
        if journal.is_done or journal.is_undone:
            continue
        if dict(journal.command) != dict(command):
            raise UsageError(
                f"another command was stopped half-way ({journal.name}); run it again, or "
                f"`seefood undo {output.uri} --yes`, before this one"
            )
        return journal
    return None
