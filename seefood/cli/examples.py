"""Puts the examples of a command at the end of its help, where a terminal shows them last."""

from inspect import cleandoc
from typing import Final

import click

_MARK: Final = "\b\nExamples:"


def with_examples_last(command: click.Command) -> click.Command:
    """Move the examples of the docstring from the help to its end; also in subcommands."""
    text, mark, examples = cleandoc(command.help or "").partition(_MARK)
    if mark:
        command.help, command.epilog = text.rstrip(), mark + examples
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_examples_last(each)
    return command
