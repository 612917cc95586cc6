"""The program: `seefood` and `python -m seefood`."""

import atexit
import os
import sys
from contextlib import suppress

from seefood.import_path import search_rank
from seefood.utf8_mode import ensure_utf8_mode

sys.path.sort(key=search_rank)
ensure_utf8_mode()

import signal  # noqa: E402 (after the search path was sorted)

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the command line has its own handler, Ctrl-C ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from seefood import cli  # noqa: E402 (as above)


def main() -> None:
    """Run the command line and end the process with its exit code.

    The interpreter is not finalized: CPython aborts there, with another exit code, if a thread that
    outlives the command holds the lock of a stream; and it would take 0.25 s to collect Beam's
    modules.
    """
    try:
        cli.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    else:
        code = 0
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 (temporary files, logs, metrics; `os._exit` skips them)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, or there is none
                stream.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
