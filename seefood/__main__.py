"""The program: `seefood` and `python -m seefood`."""

import sys

from seefood.import_path import search_rank
from seefood.utf8_mode import ensure_utf8_mode

sys.path.sort(key=search_rank)
ensure_utf8_mode()

from seefood.cli import main  # noqa: E402 (after the search path was sorted)

if __name__ == "__main__":
    main()
