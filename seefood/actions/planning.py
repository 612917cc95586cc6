"""Which steps the final labels of an output ask for."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seefood.actions.carrying import are_equal, object_tags
from seefood.actions.steps import Place, Sidecar, Step, Tags, encoded, read_or_none
from seefood.actions.xmp import with_labels
from seefood.corrections import FINAL_COLUMNS, By, apply_corrections, read_corrections
from seefood.corrections.known_labels import refuse_unknown
from seefood.errors import JobError, SeefoodError, UsageError
from seefood.records import Status
from seefood.results.output_rows import open_rows
from seefood.storage import current_etag, open_store
from seefood.storage.uris import Location, parse_location

SKIP: Final = "skip"
TAG: Final = "seefood-label"
_MAX_TAG: Final = 256
_OWN_FOLDERS: Final = (
    "results", "uploads", "corrections", "journal", "features", "audits", "runs",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with the label to act on."""

    uri: str
    etag: str
    label: str
    """The main one, if there are several."""
    labels: tuple[str, ...]
    """All of them; `label` is one."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The steps of a command, and what it leaves out."""

    steps: tuple[Step, ...]
    labels: dict[str, int]
    """Steps by label; a step that writes several labels counts for each."""
    made: tuple[str, ...] = ()
    """Local folders that do not exist yet."""
    present: int = 0
    """Pictures whose target exists already, or that are marked already."""
    unlabelled: int = 0
    """Failed pictures, and unsure ones that are to be skipped."""


def labelled_pictures(
    output: Location, only: Sequence[str], unsure: str | None, *, every_label: bool = False
) -> tuple[list[Labelled], int]:
    """Return the pictures with final labels, and how many are left out.

    Of a picture of several labels, `only` is about the main one, or with `every_label` about any.
    `unsure` is the label for pictures below their threshold that no person has labelled, `skip` to
    leave them out, None for the model's label. Raises `UsageError` for labels that do not occur.
    """
    rows = open_rows(output)
    names = ("uri", "etag", "label", "labels", "status", "by")
    pictures: list[Labelled] = []
    left_out = 0
    seen: set[str] = set()
    batches = apply_corrections(
        rows.batches((*FINAL_COLUMNS, "labels", "status")), read_corrections(output)
    )
    for batch in batches:
        columns = [batch[name].to_pylist() for name in names]
        for uri, etag, said, several, status, by in zip(*columns, strict=True):
            label, labels = said, tuple(several or ()) if every_label else ()
            if unsure is not None and by == By.MODEL and status == Status.UNSURE:
                label, labels = None if unsure == SKIP else unsure, ()
            seen.update((said, *labels) if said else ())
            labels = labels or (label,)
            if label is None:
                left_out += 1
            elif not only or any(each in only for each in labels):
                pictures.append(Labelled(uri, etag, label, labels))
    for label in only:
        refuse_unknown(label, [*sorted(seen), *([unsure] if unsure else [])], can_add=False)
    return pictures, left_out


def plan_sort(
    output: Location, target: Location, action: str, only: Sequence[str], unsure: str | None
) -> Planned:
    """Return the steps that bring each picture below `target` into a folder of its label.

    Raises `UsageError` for a target that cannot be, before anything is done.
    """
    if target.is_member:
        raise UsageError(f"{target.uri} is inside an archive; give a folder or a prefix")
    inside = tuple(f"{output.child(name).uri}/" for name in _OWN_FOLDERS)
    if target.uri == output.uri or f"{target.uri}/".startswith(inside):
        raise UsageError(f"{target.uri} is a folder of the output itself; choose another --to")
    pictures, left_out = labelled_pictures(output, only, unsure)
    existing = dict(_existing(target))
    steps: list[Step] = []
    labels: dict[str, int] = {}
    taken: set[str] = set()
    present = 0
    for picture in sorted(pictures, key=lambda each: each.uri):
        place = _place(picture, target, taken, action)
        if place.target == place.source or (action == "move" and _is_in_place(place)):
            raise UsageError(f"{picture.uri} lies where it would be sorted to; choose another --to")
        if place.target in existing and not _is_there(place, existing[place.target]):
            name_of_another = place.target.lower()
            place = _place(picture, target, taken, action)
            taken.discard(name_of_another)
        if place.target in existing:
            present += 1
            continue
        steps.append(place)
        labels[picture.label] = labels.get(picture.label, 0) + 1
    made = _missing_folders(steps) if target.is_local else ()
    return Planned(tuple(steps), labels, made, present, left_out)


def plan_tags(output: Location, kind: str, only: Sequence[str], unsure: str | None) -> Planned:
    """Return the steps that mark each picture with its label: `xmp` or `tags`.

    Raises `UsageError` for pictures that cannot have object tags.
    """
    pictures, left_out = labelled_pictures(output, only, unsure, every_label=kind == "xmp")
    steps: list[Step] = []
    labels: dict[str, int] = {}
    present = 0
    for picture in sorted(pictures, key=lambda each: each.uri):
        step = _sidecar(picture) if kind == "xmp" else _tags(picture)
        if step is None:
            present += 1
            continue
        steps.append(step)
        for label in picture.labels:
            labels[label] = labels.get(label, 0) + 1
    return Planned(tuple(steps), labels, (), present, left_out)


def folder_of(label: str) -> str:
    """Return the name of a label's folder: without slashes, and not hidden."""
    name = "".join("_" if c == "/" or not c.isprintable() else c for c in label).strip()
    return f"_{name}" if not name or name.startswith(".") else name


def _place(picture: Labelled, target: Location, taken: set[str], action: str) -> Place:
    source = parse_location(picture.uri)
    if source.is_member and action != "copy":
        raise UsageError(f"{picture.uri} is inside an archive; it can be copied only")
    if action == "link" and not (source.is_local and target.is_local):
        raise UsageError(f"{picture.uri} cannot be linked; only files of this machine can")
    if action == "move" and source.is_local and os.path.islink(source.key):  # noqa: PTH114 (keys hold surrogate escapes)
        raise UsageError(f"{picture.uri} is a link; it can be copied or linked only")
    name = source.key.rpartition("/")[2]
    folder = target.child(folder_of(picture.label))
    place = folder.child(name) if name else folder
    if not name or place.uri.lower() in taken:
        mark = hashlib.sha256(picture.uri.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        stem, dot, ending = name.rpartition(".")
        place = folder.child(f"{stem}~{mark}{dot}{ending}" if stem else f"{name}~{mark}")
    taken.add(place.uri.lower())
    return Place(action, picture.uri, picture.etag, place.uri)


def _is_in_place(place: Place) -> bool:
    """Whether the target is the source's own name, through links to folders."""
    one, other = parse_location(place.source), parse_location(place.target)
    folders = (os.path.dirname(each.key) for each in (one, other))  # noqa: PTH120 (keys hold surrogate escapes)
    is_local = one.is_local and other.is_local
    is_named_so = os.path.basename(one.key) == os.path.basename(other.key)  # noqa: PTH119 (as above)
    return is_local and is_named_so and len(set(map(os.path.realpath, folders))) == 1


def _is_there(place: Place, etag: str) -> bool:
    """Whether the target, with this entity tag, is the picture and not another one of its name."""
    try:
        found = etag or current_etag(place.target)
        return found == place.etag or are_equal(place.source, place.target, place.etag)
    except (SeefoodError, OSError):  # the step will say what is wrong with the picture
        return True


def _existing(target: Location) -> Iterator[tuple[str, str]]:
    """Yield the URIs of everything below `target`, with entity tags where listings have them."""
    if not target.is_local:
        folder = target.child("")
        yield from ((ref.uri, ref.etag) for ref in open_store(folder.root).list(folder.key))
        return
    if os.path.lexists(target.key) and not Path(target.key).is_dir():
        raise UsageError(f"{target.key} is a file; give a folder")
    for folder_name, _, names in os.walk(target.key):
        yield from ((Location(target.root, f"{folder_name}/{name}").uri, "") for name in names)


def _missing_folders(steps: Sequence[Step]) -> tuple[str, ...]:
    missing: set[str] = set()
    for step in steps:
        assert isinstance(step, Place)  # noqa: S101 (of plan_sort)
        folder = os.path.dirname(parse_location(step.target).key)  # noqa: PTH120
        while folder not in missing and not os.path.lexists(folder):
            missing.add(folder)
            folder = os.path.dirname(folder)  # noqa: PTH120
    return tuple(sorted(Location("file://", folder).uri for folder in missing))


def _sidecar(picture: Labelled) -> Sidecar | None:
    source = parse_location(picture.uri)
    if source.is_member:
        raise UsageError(f"{picture.uri} is inside an archive; nothing can be written beside it")
    sidecar = f"{picture.uri}.xmp"
    before = read_or_none(sidecar)
    try:
        after = with_labels(before, picture.labels)
    except JobError as error:
        raise UsageError(f"cannot change {sidecar}: {error}; mend or move it") from error
    return None if before == after else Sidecar(sidecar, encoded(before), encoded(after) or "")


def _tags(picture: Labelled) -> Tags | None:
    if not picture.uri.startswith("s3://") or parse_location(picture.uri).is_member:
        raise UsageError(
            f"{picture.uri} cannot have object tags; only objects in S3 can: use --xmp"
        )
    before = object_tags(picture.uri)
    allowed = "".join(c if c.isalnum() or c in " +-=._:/@" else "_" for c in picture.label)
    after = {**before, TAG: allowed[:_MAX_TAG]}
    return None if before == after else Tags(picture.uri, before, after)
