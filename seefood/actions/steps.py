"""What is done to one picture, and undone.

A step compares what it finds with what it would leave. So it can be repeated after a kill at any
moment, and never overwrites or deletes what another program has made or changed.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

from seefood.errors import ErrorCode, JobError, PictureError, SeefoodError
from seefood.records import ImageRef
from seefood.storage import fetch, open_store, read, write
from seefood.storage.s3_store import is_expressible
from seefood.storage.uris import parse_location


class Outcome(StrEnum):
    """What became of a step."""

    DONE = "done"
    """It was taken now or before."""
    CHANGED = "changed"
    """Something else is there than the step expects; nothing was touched."""


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
            _refuse_inexpressible(self.source)
        return _carry(self.source, self.etag, self.target, keep=self.action == "copy")

    def undo(self) -> Outcome:
        """See `Step.undo`."""
        if self.action == "link":
            return _unlink(self.source, self.target)
        if self.action == "move":
            etag = _etag(self.target)
            if etag is None:
                return Outcome.DONE if _etag(self.source) is not None else Outcome.CHANGED
            return _carry(self.target, etag, self.source, keep=False)
        if _etag(self.target) is None:
            return Outcome.DONE
        if not _are_equal(self.source, self.target):
            return Outcome.CHANGED
        _delete(self.target)
        return Outcome.DONE


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
        from seefood.storage.s3_client import S3Client  # noqa: PLC0415 (botocore)
        from seefood.storage.s3_responses import S3Error  # noqa: PLC0415

        location = parse_location(self.target)
        try:
            S3Client(location.root.removeprefix("s3://")).put_tags(location.key, new)
        except (S3Error, OSError) as error:
            raise JobError(f"cannot tag {self.target}: {error}; run it again") from error
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


def object_tags(uri: str) -> dict[str, str]:
    """Return the tags of an S3 object. Raises `JobError`."""
    from seefood.storage.s3_client import S3Client  # noqa: PLC0415 (botocore)
    from seefood.storage.s3_responses import S3Error  # noqa: PLC0415

    location = parse_location(uri)
    try:
        return S3Client(location.root.removeprefix("s3://")).tags(location.key)
    except (S3Error, OSError) as error:
        raise JobError(f"cannot read the tags of {uri}: {error}; run it again") from error


def current_etag(uri: str) -> str | None:
    """Return the entity tag of an object; None if it is absent. Raises `PictureError`."""
    return _etag(uri)


def _etag(uri: str) -> str | None:
    try:
        return open_store(parse_location(uri).root).stat(ImageRef(uri)).etag
    except PictureError as error:
        if error.code is ErrorCode.NOT_FOUND:
            return None
        raise


def _carry(source: str, etag: str, target: str, *, keep: bool) -> Outcome:
    """Copy an object to where nothing is, or where it is already; delete the source at last."""
    found = _etag(source)
    if found is None:
        return Outcome.DONE if not keep and _etag(target) is not None else Outcome.CHANGED
    if found != etag:
        return Outcome.CHANGED
    if _etag(target) is None:
        if not _create(source, etag, target, keep=keep) and not _are_equal(source, target):
            return Outcome.CHANGED
    elif not _are_equal(source, target):
        return Outcome.CHANGED
    if not keep:
        _delete(source)
    return Outcome.DONE


def _create(source: str, etag: str, target: str, *, keep: bool) -> bool:
    """Create the target; of a local file with its time of modification."""
    one, other = parse_location(source), parse_location(target)
    both_local = one.is_local and other.is_local
    if both_local and not keep:
        path = Path(other.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(one.key, path, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError:  # another file system, or one without hard links
            pass
        else:
            return True
    created = open_store(other.root).create(other.key, fetch(ImageRef(source, etag)))
    if created and both_local:
        status = Path(one.key).stat()
        os.utime(other.key, ns=(status.st_atime_ns, status.st_mtime_ns))
    return created


def _are_equal(source: str, target: str) -> bool:
    one, other = parse_location(source), parse_location(target)
    if one.is_local and other.is_local:
        with_status = Path(one.key), Path(other.key)
        if with_status[0].samefile(with_status[1]):
            return True
    return fetch(ImageRef(source)) == fetch(ImageRef(target))


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


def _delete(uri: str) -> None:
    location = parse_location(uri)
    open_store(location.root).delete(location.key)


def _remove_empty_folders(path: Path) -> None:
    try:
        path.parent.rmdir()
    except OSError:
        return


def _refuse_inexpressible(uri: str) -> None:
    location = parse_location(uri)
    if not location.is_local and not is_expressible(location.key):
        raise SeefoodError(f"{uri} has a name that cannot be deleted safely; copy it instead")
