"""Imports Beam without the libraries that a job in this process does not use.

Beam imports pandas and the clients of MongoDB, AWS and Google if they are installed, for transforms
that seefood does not use, and works without them; pyarrow does the same with pandas. Hiding them
during the import saves a third of the time to the first row. Libraries that Beam requires but this
job never calls are loaded at their first use. Only the command line does this, in its own process,
and only for the runner in the process; a job for another runner imports all of Beam.
"""

import gc
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Final

_HIDDEN: Final = frozenset(
    {"apache_beam.io.gcp", "boto3", "bson", "pandas", "pymongo", "regex", "requests"}
)
_LAZY: Final = frozenset({"httplib2", "yaml"})


def import_in_background(*more: str) -> threading.Thread:
    """Import the job with what it needs of Beam, and then the modules `more`, on a thread.

    A process that ends waits for it: one that ends while a C++ library is initialised is aborted.
    """
    thread = threading.Thread(target=_import_all, args=more, name="import")
    thread.start()
    return thread


def _import_all(*more: str) -> None:
    # A module that cannot be imported raises its error where it is used.
    with _hidden_libraries(), _no_garbage_collection(), suppress(ImportError):
        import_module("seefood_pipeline.bulk_job")  # first, before another thread imports Beam
        pyarrow = import_module("pyarrow")
        pyarrow.array([0])  # the first untyped array makes pyarrow import pandas
        for name in more:
            import_module(name)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Collect no garbage in the block: imports create many objects, and all of them stay."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # later collections skip these objects
        gc.enable()


@contextmanager
def _hidden_libraries() -> Iterator[None]:
    """Hide libraries from this thread while the block runs."""
    finder = _HidingFinder(threading.get_ident())
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _HidingFinder(MetaPathFinder):
    """For one thread, hides some modules and loads others lazily."""

    def __init__(self, thread: int) -> None:
        self._thread = thread

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib`."""
        if threading.get_ident() != self._thread:
            return None
        if fullname in _HIDDEN or fullname.partition(".")[0] in _HIDDEN:
            raise ModuleNotFoundError(f"{fullname} is hidden here", name=fullname)
        spec = PathFinder.find_spec(fullname, path, target) if fullname in _LAZY else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
