"""What is done to one picture, and undone.

A step compares what it finds with what it would leave. So it can be repeated after a kill at any
moment, and never overwrites or deletes what another program has made or changed.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from seefood.actions.carrying import (
    Outcome,
    are_equal,
    carry,
    delete_one,
    object_tags,
    refuse_inexpressible,
    s3_client,
    s3_errors,
)
from seefood.errors import JobError
from seefood.storage import current_etag, open_store, read, write
from seefood.storage.uris import parse_location


class Step(Protocol):
    """One step of a journal."""

    @property
    def action(self) -> str:
        """The name in the journal."""

    @property
    def target(self) -> str:
        """The URI of what it writes."""

    @property
    def shown(self) -> str:
        """What it does, as a dry run shows it."""

    def take(self) -> Outcome:
        """Do it, if it is not done. Raises `SeefoodError`."""

    def undo(self) -> Outcome:
        """Restore what was before, if it was done. Raises `SeefoodError`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Copies, moves or links a picture."""

    action: str
    """`copy`, `move` or `link`."""
    source: str
    etag: str
    target: str

    @property
    def shown(self) -> str:
        """See `Step.shown`."""
        return f"{self.action}  {self.source}  ->  {self.target}"

    def take(self) -> Outcome:
        """See `Step.take`."""
        if self.action == "link":
            return _link(self.source, self.target)
        if self.action == "move":
            refuse_inexpressible(self.source)
        return carry(self.source, self.etag, self.target, keep=self.action == "copy")

    def undo(self) -> Outcome:
        """See `Step.undo`."""
        if self.action == "link":
            return _unlink(self.source, self.target)
        if self.action == "move":
            etag = current_etag(self.target)
            if etag is None:
                return Outcome.DONE if current_etag(self.source) is not None else Outcome.CHANGED
            return carry(self.target, etag, self.source, keep=False)
        if current_etag(self.target) is None:
            return Outcome.DONE
        if not are_equal(self.source, self.target):
            return Outcome.CHANGED
        return delete_one(self.target, self.source)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Writes a small file beside a picture; both contents are in Base64, None if there is none."""

    target: str
    before: str | None
    after: str
    action: str = "xmp"

    @property
    def shown(self) -> str:
        """See `Step.shown`."""
        return f"{'change' if self.before else 'write'}  {self.target}"

    def take(self) -> Outcome:
        """See `Step.take`."""
        return self._replace(self.before, self.after)

    def undo(self) -> Outcome:
        """See `Step.undo`."""
        return self._replace(self.after, self.before)

    def _replace(self, old: str | None, new: str | None) -> Outcome:
        found = encoded(read_or_none(self.target))
        if found == new:
            return Outcome.DONE
        if found != old:
            return Outcome.CHANGED
        location = parse_location(self.target)
        if new is None:
            open_store(location.root).delete(location.key)
        elif old is not None:
            write(location, base64.b64decode(new))
        elif not open_store(location.root).create(location.key, base64.b64decode(new)):
            return Outcome.CHANGED
        return Outcome.DONE


@dataclass(frozen=True, slots=True)
class Tags:
    """Replaces the tags of an S3 object."""

    target: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    action: str = "tags"

    @property
    def shown(self) -> str:
        """See `Step.shown`."""
        new = {name: value for name, value in self.after.items() if self.before.get(name) != value}
        return f"tag  {self.target}  {new}"

    def take(self) -> Outcome:
        """See `Step.take`."""
        return self._replace(self.before, self.after)

    def undo(self) -> Outcome:
        """See `Step.undo`."""
        return self._replace(self.after, self.before)

    def _replace(self, old: Mapping[str, str], new: Mapping[str, str]) -> Outcome:
        found = object_tags(self.target)
        if found == new:
            return Outcome.DONE
        if found != old:
            return Outcome.CHANGED
        location = parse_location(self.target)
        with s3_errors(f"tag {self.target}"):
            s3_client(location).put_tags(location.key, new)
        return Outcome.DONE


_KINDS: Final[dict[str, type[Place] | type[Sidecar] | type[Tags]]] = {
    "copy": Place,
    "move": Place,
    "link": Place,
    "xmp": Sidecar,
    "tags": Tags,
}


def step_json(step: Step) -> dict[str, Any]:
    """Return a step as a JSON object."""
    return asdict(step)  # type: ignore[call-overload,no-any-return]  # (all are dataclasses)


def step_from_json(document: dict[str, Any]) -> Step:
    """Return the step of a `step_json` object. Raises `KeyError` or `TypeError`."""
    return _KINDS[document["action"]](**document)


def encoded(data: bytes | None) -> str | None:
    """Return bytes as Base64."""
    return None if data is None else base64.b64encode(data).decode()


def read_or_none(uri: str) -> bytes | None:
    """Return an object's bytes, None if it is absent."""
    try:
        return read(parse_location(uri))
    except FileNotFoundError:
        return None


def _link(source: str, target: str) -> Outcome:
    path = Path(parse_location(target).key)
    goal = parse_location(source).key
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.symlink_to(goal)
    except FileExistsError:
        is_ours = path.is_symlink() and str(path.readlink()) == goal
        return Outcome.DONE if is_ours else Outcome.CHANGED
    except OSError as error:
        raise JobError(f"cannot link {path}: {error.strerror}; use copy") from error
    return Outcome.DONE


def _unlink(source: str, target: str) -> Outcome:
    path = Path(parse_location(target).key)
    if not os.path.lexists(path):
        return Outcome.DONE
    if not path.is_symlink() or str(path.readlink()) != parse_location(source).key:
        return Outcome.CHANGED
    path.unlink()
    _remove_empty_folders(path)
    return Outcome.DONE


def _remove_empty_folders(path: Path) -> None:
    try:
        path.parent.rmdir()
    except OSError:
        return
