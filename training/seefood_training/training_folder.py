"""`BUNDLE-training/`: what a run keeps beside its bundle, and the lock that one run holds on it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from seefood.errors import UsageError

DRAFT: Final = "draft"
"""The folder in which the bundle is made."""
_LOCK: Final = "lock"
_OWN: Final = (_LOCK, DRAFT, "photos.jpg", "augmentation.jpg", "curves.png", "epochs.json")
_CHECKPOINT: Final = "checkpoint-"


def folder_of(output: Path) -> Path:
    """Return the folder of the run that writes the bundle `output`."""
    return output.with_name(f"{output.name}-training")


def check_folder(output: Path) -> None:
    """Raise `UsageError` if the folder of the run has files that are not of a run.

    They would be mixed with those of the run, and lost with `--restart`.
    """
    folder = folder_of(output)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is not a folder of a run; choose another `--output`")
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    other = [name for name in names if not _is_own(name) and not name.startswith(".")]
    if other:
        raise UsageError(
            f"the run keeps its checkpoints in {folder}, which has {other[0]!r}; choose another "
            "`--output`"
        )


@contextmanager
def training_folder(output: Path, *, restart: bool = False) -> Iterator[Path]:
    """Yield the folder of the run that writes `output`; with `restart` what a run left is removed.

    Raises `UsageError` if another run has it, on this machine. An empty folder is removed at the
    end.
    """
    folder = folder_of(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _LOCK).open("w") as lock:
            _take(lock.fileno(), output)
            if restart:
                _discard(folder)
            try:
                yield folder
            finally:
                (folder / _LOCK).unlink(missing_ok=True)
    finally:
        with suppress(OSError):  # not empty
            folder.rmdir()


def _take(lock: int, output: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(
            f"another run is writing {output}; wait for its end, or choose another `--output`"
        ) from error
    except OSError:  # a file system without locks
        return


def _is_own(name: str) -> bool:
    return name in _OWN or name.startswith(_CHECKPOINT)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder / DRAFT, ignore_errors=True)
    for path in folder.iterdir():
        if _is_own(path.name) and path.name not in (_LOCK, DRAFT):
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108 (a folder of this name stays)
