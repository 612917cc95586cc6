"""Redirects what C++ libraries write to stderr into the log."""

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)
_lock = threading.RLock()  # file descriptor 2 is shared by the whole process


@contextmanager
def native_output_logged() -> Iterator[None]:
    """Log everything that this process writes to stderr while the block runs, at level DEBUG.

    Only for calls known to be noisy: what other threads write to stderr goes to the log as well.
    """
    with _lock:
        sys.stderr.flush()
        try:
            stderr = os.dup(2)
        except OSError:  # closed, as in some daemons
            yield
            return
        with _redirected(stderr):
            yield


@contextmanager
def _redirected(stderr: int) -> Iterator[None]:
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
