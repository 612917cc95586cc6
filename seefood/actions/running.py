"""Takes or undoes the steps of a journal, in parallel, and says what became of them."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seefood.actions.journal import Journal
from seefood.actions.moved import Key, follow
from seefood.actions.steps import Outcome, Place, Step, current_etag
from seefood.errors import SeefoodError
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
    result = _run(journal, lambda step: step.take())
    moves = [step for step in journal.steps if isinstance(step, Place) and step.action == "move"]
    moved: dict[Key, Key] = {}
    for step, etag in zip(moves, _etags([each.target for each in moves]), strict=True):
        if etag is not None:
            moved[step.source, step.etag] = step.target, etag
    if moved:
        follow(journal.output, moved, f"{journal.name.rpartition('-')[2]}m")
    if not result.problems:
        journal.finish("done")
    return result


def undo(journal: Journal) -> Result:
    """Undo all steps, the last first; rows follow, and empty folders that it made are removed."""
    moves = [step for step in journal.steps if isinstance(step, Place) and step.action == "move"]
    before = dict(zip(moves, _etags([each.target for each in moves]), strict=True))
    result = _run(journal, lambda step: step.undo())
    after = _etags([each.source for each in moves])
    moved: dict[Key, Key] = {}
    for step, etag in zip(moves, after, strict=True):
        if etag is not None:
            moved[step.target, before[step] or step.etag] = step.source, etag
    if moved:
        follow(journal.output, moved, f"{journal.name.rpartition('-')[2]}u")
    for uri in reversed(journal.made):
        try:
            os.rmdir(parse_location(uri).key)  # noqa: PTH106 (keys hold surrogate escapes)
        except OSError:  # something else lies there, or it is gone
            continue
    if not result.problems:
        journal.finish("undone")
    return result


def _run(journal: Journal, act: Callable[[Step], Outcome]) -> Result:
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


def _etags(uris: list[str]) -> list[str | None]:
    def etag(uri: str) -> str | None:
        try:
            return current_etag(uri)
        except SeefoodError:
            return None

    with ThreadPoolExecutor(_THREADS, "tags") as pool:
        return list(pool.map(etag, uris))
