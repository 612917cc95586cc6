"""Lists the files below DATA, in a folder or in a bucket.

Unlike a source of `seefood classify`, a linked folder is followed: people link the folders of
their classes. A link to one of its own parents is not followed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location
from seefood_training.layouts.base import Listing, may_be_picture
from seefood_training.layouts.table_files import is_table

_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar")
_FOUND_ANYWHERE = (
    "__macosx thumbs.db ehthumbs.db desktop.ini @eadir #recycle $recycle.bin lost+found "
    "__pycache__ .ds_store .git .ipynb_checkpoints .cache .thumbnails .trash .trashes .venv .dvc "
    ".spotlight-v100 .fseventsd .appledouble .idea .vscode .huggingface .picasaoriginals"
)
_RUBBISH = frozenset([*_FOUND_ANYWHERE.split(), "system volume information"])
"""What systems and programs put beside people's files, in lower case."""


def read_location(data: str) -> Location:
    """Return the location of `data`. Raises `UsageError` if no folder or table can be there."""
    location = parse_location(data)
    if not location.is_local or Path(location.key).is_dir():
        return location
    path = Path(location.key)
    if not path.exists():
        raise UsageError(f"there is no folder {data}; DATA is a folder with one folder per class")
    if path.name.lower().endswith(_ARCHIVES):
        raise UsageError(f"{data} is an archive; unpack it and give the folder")
    if not is_table(path.name):
        raise UsageError(
            f"{data} is a file; DATA is a folder with one folder per class, or a CSV or JSON Lines "
            "file with the columns file_name and label"
        )
    return location


def list_files(data: str, location: Location, *, nested: bool = False) -> Listing:
    """Return the files below `location` without hidden ones; none if it is a table itself.

    Raises `UsageError` for a folder or bucket that cannot be listed, and for a broken link.
    """
    if is_table(location.key) and not (location.is_local and Path(location.key).is_dir()):
        return Listing(data, location, {}, nested=nested)
    prefix = location.key.rstrip("/") + "/" if location.key else ""
    refs = _local(location.key) if location.is_local else open_store(location.root).list(prefix)
    files: dict[str, ImageRef] = {}
    hidden, doubled = list[str](), list[str]()
    for ref in refs:
        key = parse_location(ref.uri).key.removeprefix(prefix)
        inside = "/".join(filter(None, key.split("/")))  # a bucket may have `a//b.jpg`
        if is_hidden(inside):
            hidden.append(inside)
        elif inside in files:
            doubled.append(key)
        else:
            files[inside] = ref
    empty: Iterator[str] = iter(())
    if location.is_local:
        empty = _empty_folders(Path(location.key), files)
        hidden += _hidden_files(Path(location.key))
    return Listing(
        data,
        location,
        dict(sorted(files.items())),
        tuple(empty),
        nested,
        tuple(sorted(set(filter(None, map(_hidden_name, hidden))))),
        tuple(doubled),
    )


def _hidden_files(folder: Path) -> Iterator[str]:
    """Yield the files with a dot before their name or their folder's, up to two deep."""
    for depth in (".*", "*/.*", "*/*/.*"):
        for path in folder.glob(depth):
            if not path.is_dir():
                yield path.relative_to(folder).as_posix()
            elif not _is_rubbish(path.name):
                yield from (it.relative_to(folder).as_posix() for it in path.iterdir())


def _hidden_name(path: str) -> str | None:
    """Return what hides the picture at `path`: itself, or a folder that may be a class."""
    *folders, name = path.split("/")
    if any(map(_is_rubbish, (*folders, name))) or not may_be_picture(path):
        return None
    at = next((at for at, folder in enumerate(folders) if _is_hidden(folder)), None)
    if at is None:
        return path if "." in name.lstrip(".") else None  # no `.gitkeep`
    return "/".join(folders[: at + 1]) if at < 2 else None


def is_hidden(path: str) -> bool:
    """Whether the file at `path` is not listed, because of its name or that of its folder."""
    return any(map(_is_hidden, path.split("/")))


def _is_hidden(name: str) -> bool:
    return not name or name.startswith(".") or _is_rubbish(name)


def _is_rubbish(name: str) -> bool:
    return not name or name.lower() in _RUBBISH or name.startswith((".Trash-", "._"))


def _local(folder: str) -> Iterator[ImageRef]:
    """Yield the files of `folder` and of the folders that are linked in it, at any depth."""
    waiting = [(folder, frozenset({os.path.realpath(folder)}))]
    while waiting:
        path, parents = waiting.pop()
        yield from open_store("file://").list(path)
        for linked in _linked_folders(path):
            real = os.path.realpath(linked)
            if not any(f"{parent}/".startswith(f"{real}/") for parent in parents):
                waiting.append((linked, parents | {real}))


def _linked_folders(folder: str) -> Iterator[str]:
    for path, names, files in os.walk(folder):
        names[:] = [name for name in names if not _is_hidden(name)]
        for name in names:
            if os.path.islink(child := os.path.join(path, name)):  # noqa: PTH114, PTH118 (a Path costs more)
                yield child
        if path == folder:
            for name in files:
                child = os.path.join(path, name)  # noqa: PTH118 (as above)
                if not _is_hidden(name) and not os.path.exists(child):  # noqa: PTH110
                    raise UsageError(
                        f"{child} is a link to nothing; repair it, or remove it from the folder"
                    )


def _empty_folders(folder: Path, files: dict[str, ImageRef]) -> Iterator[str]:
    filled = {"/".join(path.split("/")[:depth]) for path in files for depth in (1, 2)}
    for depth in ("*", "*/*"):
        for path in sorted(folder.glob(depth)):
            name = path.relative_to(folder).as_posix()
            if name not in filled and not is_hidden(name) and path.is_dir():
                yield name
