"""The registry of files with final labels, written by and read into `seefood labels`."""

from typing import Final

from seefood.corrections.label_files.base import FinalLabel, LabelFile
from seefood.corrections.label_files.class_lists import ClassLists
from seefood.corrections.label_files.hugging_face import HuggingFace
from seefood.corrections.label_files.label_studio import LabelStudio
from seefood.corrections.label_files.tables import CsvTable, JsonLinesTable, ParquetTable
from seefood.errors import UsageError

_KINDS: Final[tuple[LabelFile, ...]] = (
    ParquetTable(),
    HuggingFace(),  # before CSV: its name ends in .csv too
    CsvTable(),
    JsonLinesTable(),
    LabelStudio(),
    ClassLists(),
)


def label_file_names() -> tuple[str, ...]:
    """Return what `--format` takes."""
    return tuple(kind.name for kind in _KINDS)


def label_file(name: str | None, path: str) -> LabelFile:
    """Return the kind called `name`, else the one that the end of `path` means.

    Raises `UsageError` if neither says it.
    """
    for kind in _KINDS:
        if kind.name == name or (name is None and path.endswith(kind.suffixes or ("/",))):
            return kind
    raise UsageError(
        f"the name {path!r} does not say which kind of file it is; end it with .parquet, .csv, "
        ".jsonl, .json (Label Studio), metadata.csv (Hugging Face) or / (lists), or give --format"
    )


__all__ = ["FinalLabel", "LabelFile", "label_file", "label_file_names"]
