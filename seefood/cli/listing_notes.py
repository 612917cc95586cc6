"""Prints on stderr what a listing left out, for every subcommand that lists."""

from collections.abc import Mapping
from typing import Final

import click

from seefood.sanitize import printable, redacted

INCOMPLETE: Final = 5
"""The exit code if a part of a source could not be listed."""
_MAX_LINES: Final = 20


def print_listing_notes(left_out: Mapping[str, int], remarks: Mapping[str, int]) -> None:
    """Print one line for each note, at most twenty of each kind."""
    for prefix, notes in (("left out: ", left_out), ("", remarks)):
        for text, count in list(notes.items())[:_MAX_LINES]:
            times = f" ({count:,} times)" if count > 1 else ""
            click.echo(f"seefood: {prefix}{printable(redacted(text))}{times}", err=True)
        if len(notes) > _MAX_LINES:
            click.echo(f"seefood: and {len(notes) - _MAX_LINES:,} more notes", err=True)
    if left_out:
        click.echo(
            "seefood: the listing is not complete; mend what was left out and run the same "
            "command again",
            err=True,
        )
