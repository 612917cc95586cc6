"""Beam, imported without what a job in this process never uses: half the time to the first row.

Beam imports pandas and clients of MongoDB, AWS and Google wherever they are installed, for
transforms that are not ours, and does without where they are not; so does pyarrow with pandas, at
the first array it makes. What Beam cannot do without and this job never touches is imported when
somebody touches it. Only the command line asks for this, whose process is seefood's own, and only
for the runner in the process: another runner gets all of Beam.
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

_LEFT_OUT: Final = frozenset(
    {"apache_beam.io.gcp", "boto3", "bson", "pandas", "pymongo", "regex", "requests"}
)
_LATER: Final = frozenset({"httplib2", "yaml"})


def import_in_background(*later: str) -> threading.Thread:
    """Start to import the job and its libraries, without those that it can do without.

    Then come the modules `later`, which are wanted at the end.
    """
    thread = threading.Thread(target=_import, args=later, name="import", daemon=True)
    thread.start()
    return thread


def _import(*later: str) -> None:
    # Whoever needs what cannot be imported says so; this thread has nobody to say it to.
    with _left_out(), _nothing_collected(), suppress(ImportError):
        import_module("seefood_pipeline.bulk_job")  # at once, before anybody else does
        pyarrow = import_module("pyarrow")
        pyarrow.array([0])  # of no stated type: this is where pyarrow looks for pandas, once
        for name in later:
            import_module(name)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Make no garbage collection: thousands of new functions and classes, and all of them stay."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # nor does a later collection look through them
        gc.enable()


@contextmanager
def _left_out() -> Iterator[None]:
    """Let this thread, and no other, find the libraries absent."""
    finder = _Absent(threading.get_ident())
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Absent(MetaPathFinder):
    """Finds, for one thread, that some libraries are not there, and others there but asleep."""

    def __init__(self, thread: int) -> None:
        self._thread = thread

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib`."""
        if threading.get_ident() != self._thread:
            return None
        if fullname in _LEFT_OUT or fullname.partition(".")[0] in _LEFT_OUT:
            raise ModuleNotFoundError(f"{fullname} is left out here", name=fullname)
        spec = PathFinder.find_spec(fullname, path, target) if fullname in _LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
