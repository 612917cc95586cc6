"""Chooses where a loop in Python shows its progress."""

import sys

from seefood.runs.progress import Style


def progress_style(wanted: bool | None) -> Style:  # noqa: FBT001 (the user's own keyword)
    """Return the style of a progress bar; None shows one where a person watches.

    That is a notebook or a terminal.
    """
    if wanted is False:
        return "quiet"
    if _is_notebook():
        return "notebook"
    if sys.stderr.isatty():
        return "bar"
    return "lines" if wanted else "quiet"


def _is_notebook() -> bool:
    """Whether this is a kernel of a notebook, which shows HTML. Imports nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
