"""Errors of the command line: one sentence on stderr, and the exit code."""

import re
from typing import Final

import click
from click.core import ParameterSource

from seefood.cli.interrupts import exit_code
from seefood.cli.json_log import tell_json
from seefood.cli.requirements import absent_library
from seefood.errors import UsageError
from seefood.nearest import did_you_mean
from seefood.sanitize import printable, redacted

_CLICK_NAMES: Final = re.compile(r"is not a valid (integer|float)( range)?")
_NUMBERS: Final = {"integer": "is not a whole number", "float": "is not a number"}
_NO_CHOICE: Final = re.compile(r"'([^']*)' is not one of ")


def code_of(error: BaseException) -> int:
    """Return the exit code of a command that ends with `error`."""
    if isinstance(error, KeyboardInterrupt | click.exceptions.Abort):
        return exit_code() or 130
    return exit_code() or (2 if isinstance(error, UsageError) else 1)


def other_message(error: Exception) -> str:
    """Return the message of an error that is not seefood's own: the system's, or a bug."""
    if isinstance(error, ModuleNotFoundError) and (message := absent_library(error)):
        return message
    if isinstance(error, OSError):
        where = f" for {error.filename}" if error.filename is not None else ""
        return (
            f"the system refused{where}: {error.strerror or error}; mend that and run the same "
            "command again (`seefood --verbose …` shows what was tried)"
        )
    return (
        f"unexpected error: {type(error).__name__}: {error}; this is a bug in seefood: run "
        "the command again with `seefood --verbose …` and report its output"
    )


def refuse(error: click.ClickException) -> int:
    """Print the usage error as one sentence; without arguments, show the help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = _usage_message(error)
    if context:
        joint = " See" if message.endswith("?") else "; see"
        message += f"{joint} `{context.command_path} --help`"
    return fail(message, error.exit_code)


def _usage_message(error: click.ClickException) -> str:
    """Return click's message with the nearest name, and with where a bad value comes from."""
    if isinstance(error, click.NoSuchOption):
        known = (
            [name for each in error.ctx.command.params for name in each.opts] if error.ctx else []
        )
        return f"there is no option {error.option_name}{did_you_mean(error.option_name, known)}"
    message = error.format_message().rstrip(".")
    message = _CLICK_NAMES.sub(lambda found: _NUMBERS[found[1]], message)
    if not isinstance(error, click.BadParameter) or error.param is None:
        return message
    found = _NO_CHOICE.search(message)
    if found and isinstance(error.param.type, click.Choice):
        message += did_you_mean(found[1], map(str, error.param.type.choices))
    context, name = error.ctx, error.param.name
    source = context.get_parameter_source(name) if context and name else None
    if source is ParameterSource.DEFAULT_MAP:
        return f"{message} (it is in the configuration file; see `seefood config show`)"
    if source is ParameterSource.ENVIRONMENT:
        return f"{message} (it is in the environment; see `seefood config show`)"
    return message


def fail(message: str, code: int) -> int:
    """Print the message on stderr and return the exit code."""
    text = printable(redacted(message))
    if not tell_json(text, "error", {"exit_code": code}):
        click.echo(f"seefood: {text}", err=True)
    return code
