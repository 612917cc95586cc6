"""Who reviews, and which labels there are to choose from."""

import getpass
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from seefood.corrections import Correction, checked_reviewer
from seefood.errors import JobError, UsageError
from seefood.label_sets import set_column, set_labels
from seefood.runs.run_files import list_summaries
from seefood.storage import read
from seefood.storage.uris import Location

if TYPE_CHECKING:
    from seefood.results.output_rows import OutputRows


def reviewer_name(given: str | None) -> str:
    """Return the name under which answers are written: `given`, else that of this user.

    Raises `UsageError` for a name that cannot be a folder, or if this user has none.
    """
    if given is not None:
        return checked_reviewer(given)
    try:
        return checked_reviewer(getpass.getuser())
    except (OSError, KeyError) as error:
        raise UsageError("this user has no name; give --reviewer NAME") from error


def model_labels(output: Location) -> list[str]:
    """Return the labels of the model of the latest run below `output`, as its summary states them.

    Empty if there was no run.
    """
    summaries = list_summaries(output)
    if not summaries:
        return []
    try:
        labels = json.loads(read(summaries.popitem()[1]))["model"]["labels"]
    except (ValueError, KeyError, TypeError, FileNotFoundError, JobError):
        return []
    return [label for label in labels if isinstance(label, str)]


def known_labels(
    rows: "OutputRows", corrections: Mapping[tuple[str, str], Correction], more: Sequence[str]
) -> list[str]:
    """Return every label of the models, the rows, the corrections, and of `more`, once each."""
    seen = {
        label: None
        for batch in rows.batches(("label", "labels"))
        for text in set_column(batch).dictionary.to_pylist()
        for label in set_labels(text)
    }
    return joined_labels(model_labels(rows.output), sorted(seen), spoken_labels(corrections), more)


def spoken_labels(corrections: Mapping[tuple[str, str], Correction]) -> list[str]:
    """Return the labels that people gave, sorted."""
    return sorted({label for each in corrections.values() for label in each.names})


def joined_labels(*groups: Iterable[str]) -> list[str]:
    """Return the labels of all groups in their order, each once."""
    return list(dict.fromkeys(label for group in groups for label in group))
