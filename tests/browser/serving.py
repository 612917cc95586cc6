"""Runs `seefood serve` for the tests of its page."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(bundle: Path) -> Iterator[str]:
    """Serve the page with the model `bundle` until the block ends; give its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "seefood", "serve", "--port", "0", "--model", bundle],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    found = re.search(r"http://\S+/", process.stderr.readline())
    assert found is not None
    try:
        yield found[0]
    finally:
        process.terminate()
        process.communicate()
