"""The order in which imports search `sys.path` when seefood runs as a program."""

import os
import sys


def search_rank(entry: str) -> int:
    """Return the rank of an entry of `sys.path`: sort by it before anything else is imported.

    The standard library comes first and the working directory last. `python -m` and `PYTHONPATH=.`
    put the working directory first, where a `random.py` replaces the standard library's.
    """
    library = os.path.dirname(os.__file__)  # noqa: PTH120 (pathlib could come from the entry)
    archive = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
    if entry == library or os.path.basename(entry) in {"lib-dynload", archive}:  # noqa: PTH119
        return 0
    try:
        is_working_directory = os.path.realpath(entry) == os.path.realpath(os.curdir)
    except OSError:  # the working directory was removed
        return 1
    return 2 if is_working_directory else 1


def search_path() -> str:
    """Return the PYTHONPATH of a Python program of ours: it imports from where this one does.

    That is before any other seefood: in a clone, `python -m seefood` has the working directory
    last, and would start the workers of an installed one.
    """
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 (as above)
    path = [entry for entry in sys.path if entry]
    ours = (at for at, entry in enumerate(path) if os.path.isdir(os.path.join(entry, "seefood")))  # noqa: PTH112, PTH118
    path.insert(next(ours, len(path)), own)
    return os.pathsep.join(path)
