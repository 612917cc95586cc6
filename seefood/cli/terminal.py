"""What C libraries write behind Python's back does not reach a user's terminal."""

import os
import sys


def keep_native_output_away() -> None:
    """Send what C libraries write to stderr nowhere; Python's own stderr goes on as it was.

    libtiff writes a line for each oddity of a picture and XNNPACK announces itself, both straight
    to descriptor 2. Python's stderr gets a descriptor of its own. Does nothing where stderr is
    another stream already, as in tests, or closed.
    """
    stderr = sys.stderr
    if stderr is not sys.__stderr__ or stderr is None or stderr.fileno() != 2:
        return
    stderr.flush()
    terminal = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    # Line by line: a progress bar and a sentence must not wait for a full buffer.
    sys.stderr = os.fdopen(terminal, "w", 1, stderr.encoding, "backslashreplace")
