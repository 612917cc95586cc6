"""`python -m seefood`: a bare call, because Beam pickles what is defined here by value."""

from seefood.cli import main

main()
