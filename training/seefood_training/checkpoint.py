"""A training run's state in one file, written atomically."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from seefood.errors import JobError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a run needs to continue."""

    fingerprint: str
    """Of the task; see `Task.fingerprint`."""
    epochs: list[dict[str, Any]]
    """The history so far."""
    variables: list[NDArray[Any]]
    """Of the model, the optimizer and the running average, in this order."""
    best: list[NDArray[Any]]
    """The trainable weights of the best epoch."""


def save_checkpoint(file: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `file`. Atomic; overwrites. Raises `JobError`."""
    head = json.dumps({"fingerprint": checkpoint.fingerprint, "epochs": checkpoint.epochs})
    arrays = {f"variable_{index}": value for index, value in enumerate(checkpoint.variables)}
    arrays |= {f"best_{index}": value for index, value in enumerate(checkpoint.best)}
    partial = file.with_name(f"{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            np.savez(stream, head=np.asarray(head), **arrays)  # type: ignore[arg-type]
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise JobError(
            f"cannot write {file}: {error.strerror}; free space, then run the same command again: "
            "it goes on from the last epoch that was written"
        ) from error


def load_checkpoint(file: Path, fingerprint: str) -> Checkpoint | None:
    """Return the checkpoint in `file`; None if it is absent, damaged or of another task."""
    try:
        with np.load(file) as arrays:  # noqa: TID251 (refuses pickles by default)
            head = json.loads(str(arrays["head"]))
            if head["fingerprint"] != fingerprint:
                return None
            return Checkpoint(
                fingerprint,
                head["epochs"],
                _numbered(arrays, "variable"),
                _numbered(arrays, "best"),
            )
    except (FileNotFoundError, BadZipFile, KeyError, ValueError, EOFError):
        return None


def _numbered(arrays: Any, name: str) -> list[NDArray[Any]]:
    count = sum(key.startswith(f"{name}_") for key in arrays.files)
    return [arrays[f"{name}_{index}"] for index in range(count)]
