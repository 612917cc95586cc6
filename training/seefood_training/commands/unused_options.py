"""Options that are given and have no effect are refused, because the user expects one."""

from collections.abc import Iterable

import click
from click.core import ParameterSource

from seefood.errors import UsageError


def refuse_options(names: Iterable[str], why: str) -> None:
    """Raise `UsageError` if one of the parameters `names` is on the command line.

    One in the configuration file or the environment may be meant for another run. `why` is the end
    of the sentence "`--x` has no effect …".
    """
    context = click.get_current_context()
    wanted = set(names)
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in wanted and source is ParameterSource.COMMANDLINE:
            raise UsageError(f"`{option.opts[0]}` has no effect {why}")


def options_but(*names: str) -> set[str]:
    """Return the names of the parameters of the command that runs, without `names`."""
    return {each.name or "" for each in click.get_current_context().command.params} - set(names)
