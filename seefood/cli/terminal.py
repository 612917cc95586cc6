"""Keeps the output of C libraries off the user's terminal."""

import os
import sys


def redirect_native_stderr() -> None:
    """Send what C libraries write to descriptor 2 to /dev/null; Python's stderr is unaffected.

    libtiff writes a line for each oddity of a picture, and XNNPACK announces itself. Python's
    stderr gets a new descriptor. Does nothing if stderr is closed or not descriptor 2, as in tests.
    """
    stderr = sys.stderr
    if stderr is not sys.__stderr__ or stderr is None or stderr.fileno() != 2:
        return
    stderr.flush()
    terminal = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    # Line buffered: a progress bar or a message must not wait for a full buffer.
    sys.stderr = os.fdopen(terminal, "w", 1, stderr.encoding, "backslashreplace")
