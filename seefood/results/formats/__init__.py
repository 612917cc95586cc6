"""The registry of result formats.

A new format is a module like `jsonl` with a subclass of `ResultFormat`, registered here, or by
another package through `register_format`. Importing the registry loads neither NumPy nor pyarrow:
the command line and the upload handler use it.
"""

from typing import Final

from seefood.errors import UsageError
from seefood.results.formats.base import ResultFormat
from seefood.results.formats.csv import Csv
from seefood.results.formats.jsonl import JsonLines
from seefood.results.formats.parquet import Parquet

_FORMATS: Final[dict[str, ResultFormat]] = {}
_BY_SUFFIX: Final[dict[str, ResultFormat]] = {}


def register_format(result_format: ResultFormat) -> None:
    """Add a format that rows can be written in and read from.

    Raises `ValueError` if another format has one of its suffixes.
    """
    suffixes = (result_format.name, *result_format.other_suffixes)
    for suffix in suffixes:
        if suffix in _BY_SUFFIX:
            raise ValueError(f"the suffix {suffix!r} is that of {_BY_SUFFIX[suffix].name}")
    _FORMATS[result_format.name] = result_format
    _BY_SUFFIX.update(dict.fromkeys(suffixes, result_format))


def format_names() -> tuple[str, ...]:
    """Return the names of the formats, in the order of their registration."""
    return tuple(_FORMATS)


def result_format(name: str) -> ResultFormat:
    """Return the format called `name`. Raises `UsageError` if there is none."""
    if name not in _FORMATS:
        raise UsageError(f"there is no format {name!r}; use one of {', '.join(_FORMATS)}")
    return _FORMATS[name]


def format_of(uri: str) -> ResultFormat | None:
    """Return the format of a result object by its suffix; None if it is not a result object."""
    return _BY_SUFFIX.get(uri.rpartition(".")[2])


for _format in (Parquet(), JsonLines(), Csv()):
    register_format(_format)

__all__ = ["ResultFormat", "format_names", "format_of", "register_format", "result_format"]
