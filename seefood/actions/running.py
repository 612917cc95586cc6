"""Takes or undoes the steps of a journal, in parallel, and says what became of them."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeGuard

from seefood.actions.carrying import Outcome
from seefood.actions.journal import Journal
from seefood.actions.moved import Key, follow
from seefood.actions.steps import Place, Step
from seefood.errors import SeefoodError
from seefood.storage import current_etag
from seefood.storage.local import TEMPORARY
from seefood.storage.uris import FILE_ROOT, parse_location

_THREADS: Final = 16
_CHANGED: Final = "something else is there than expected; nothing was touched"


@dataclass(slots=True)
class Result:
    """The outcomes of a journal's steps."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    """What could not be done, one sentence each."""


def take(journal: Journal) -> Result:
    """Take all steps that were not taken yet; rows follow what was moved."""
    moved: dict[Key, Key] = {}

    def act(step: Step) -> Outcome:
        outcome = step.take()
        if _is_move(step) and outcome is Outcome.DONE:
            moved[step.source, step.etag] = step.target, current_etag(step.target) or step.etag
        return outcome

    return _run(journal, act, moved, "done")


def undo(journal: Journal) -> Result:
    """Undo all steps; rows follow, and empty folders that the command made are removed."""
    moved: dict[Key, Key] = {}

    def act(step: Step) -> Outcome:
        before = current_etag(step.target) if _is_move(step) else None
        outcome = step.undo()
        if _is_move(step) and outcome is Outcome.DONE:
            after = current_etag(step.source) or step.etag
            moved[step.target, before or step.etag] = step.source, after
        return outcome

    return _run(journal, act, moved, "undone")


def _is_move(step: Step) -> TypeGuard[Place]:
    return isinstance(step, Place) and step.action == "move"


def _run(
    journal: Journal, act: Callable[[Step], Outcome], moved: Mapping[Key, Key], mark: str
) -> Result:
    """Run `act` on all steps; what it has put into `moved` is followed, whatever else failed."""
    result = Result()
    _remove_leftovers(journal)

    def safely(step: Step) -> tuple[Step, Outcome | str]:
        try:
            return step, act(step)
        except (SeefoodError, OSError) as error:
            return step, str(error)

    with ThreadPoolExecutor(_THREADS, "steps") as pool:
        for step, outcome in pool.map(safely, journal.steps):
            if isinstance(outcome, Outcome):
                result.counts[outcome] += 1
            if outcome is not Outcome.DONE:
                cause = _CHANGED if outcome is Outcome.CHANGED else outcome
                result.problems.append(f"{step.shown}: {cause}")
    if moved:
        follow(journal.output, moved)
    for uri in reversed(journal.made if mark == "undone" else ()):
        try:
            os.rmdir(parse_location(uri).key)  # noqa: PTH106 (keys hold surrogate escapes)
        except OSError:  # something else lies there, or it is gone
            continue
    if not result.problems:
        journal.finish(mark)
    return result


def _remove_leftovers(journal: Journal) -> None:
    """Remove half-written files of processes that were killed, from the folders of the steps."""
    uris = {uri for step in journal.steps for uri in (step.target, getattr(step, "source", ""))}
    folders = {Path(parse_location(uri).key).parent for uri in uris if uri.startswith(FILE_ROOT)}
    for folder in folders:
        for path in folder.glob(f"{TEMPORARY}*"):
            process = path.name.removeprefix(TEMPORARY).partition("-")[0]
            if process.isdigit() and not _is_alive(int(process)):
                path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
