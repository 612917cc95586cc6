"""Progress messages."""

import sys


def log(message: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()
