"""The program: `seefood` and `python -m seefood`."""

import sys

from seefood.import_path import search_rank

sys.path.sort(key=search_rank)

from seefood.cli import main

if __name__ == "__main__":
    main()
