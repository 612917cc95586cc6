"""Starts the program again in Python's UTF-8 mode where the locale has another encoding."""

import os
import sys


def ensure_utf8_mode() -> None:
    """Replace this process by one in UTF-8 mode unless file names are encoded as UTF-8 already.

    In the C or a Latin-1 locale Python cannot express most file names. What is printed keeps the
    locale's encoding.
    """
    if sys.getfilesystemencoding() == "utf-8" or sys.flags.utf8_mode:
        return
    if sys.stdout is not None:
        os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
    os.environ["PYTHONUTF8"] = "1"  # for worker processes
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 (this very program)
