"""The end of the program."""

import subprocess
import sys

_ABORTS_AT_EXIT = """
import ctypes, sys
libc = ctypes.CDLL(None)
libc.__cxa_atexit(ctypes.cast(libc.abort, ctypes.c_void_p), None, None)
sys.argv = ["seefood", *sys.argv[1:]]
from seefood.__main__ import main
main()
"""


def test_exit_code_does_not_depend_on_a_library_s_clean_up() -> None:
    """A native library that aborts in its clean-up at exit does not change the exit code."""
    command = [sys.executable, "-c", _ABORTS_AT_EXIT, "predict", "absent.jpg"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert 2 == ended.returncode
    assert "seefood: absent.jpg does not exist" in ended.stderr
