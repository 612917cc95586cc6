"""What C++ libraries write straight to stderr goes to the log, not between a user's lines."""

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)
_one_at_a_time = threading.RLock()  # stderr is the process's, and must find its way back


@contextmanager
def native_output_logged() -> Iterator[None]:
    """Send everything that this process writes to stderr meanwhile to the log, at level DEBUG.

    For calls known to be noisy only: what other threads write to stderr goes the same way.
    """
    with _one_at_a_time:
        sys.stderr.flush()
        try:
            stderr = os.dup(2)
        except OSError:  # closed, as in some daemons: then nobody is disturbed either
            yield
            return
        with _restored(stderr):
            yield


@contextmanager
def _restored(stderr: int) -> Iterator[None]:
    with tempfile.TemporaryFile() as stream:
        os.dup2(stream.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            stream.seek(0)
            if written := stream.read().decode(errors="replace").strip():
                _log.debug("a native library wrote: %s", written)
