"""`seefood config show`: which values options have, and where each comes from."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import click
from click.core import ParameterSource

from seefood.cli.configuration import config_keys, variables
from seefood.sanitize import printable, redacted


@dataclass(frozen=True, slots=True)
class _Setting:
    command: str
    option: str
    value: Any
    source: str


@click.group("config")
def config_command() -> None:
    """Show the values that options have without the command line, and where they come from.

    \b
    Examples:
      seefood config show
      seefood config show classify
      SEEFOOD_MODEL=hotdog-lite seefood config show predict --json
    """  # noqa: D301 (click's mark against re-wrapping)


@config_command.command(
    "show", short_help="List options with their values, and where each comes from."
)
@click.argument("command", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all defaults.")
@click.pass_context
def show_command(ctx: click.Context, *, command: str | None, as_json: bool) -> None:
    """List the options of COMMAND with their values; of all commands, those that are set.

    A value of the command line has priority over SEEFOOD_COMMAND_OPTION, this over SEEFOOD_OPTION,
    this over the command's table in the file, this over the file's top level.

    \b
    Examples:
      seefood config show classify
    """  # noqa: D301 (click's mark against re-wrapping)
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)  # noqa: S101 (the program)
    names = [command] if command else root.command.list_commands(root)
    settings = [each for name in names for each in _settings(root, name)]
    _note_misspelt_variables(root.command.list_commands(root))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in settings], indent=2, ensure_ascii=False))
        return
    shown = [each for each in settings if command or each.source != "default"]
    if not shown:
        click.echo("Nothing is set: there is no seefood.toml here and no SEEFOOD_… variable.")
        return
    rows = [
        (f"{each.command} {each.option}", _text(each.value), printable(each.source))
        for each in shown
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, source in rows:
        click.echo(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}")


def _note_misspelt_variables(commands: list[str]) -> None:
    """Name on stderr the variables that set no option but have nearly the name of one.

    Others may be those of the upload handler, which has variables of its own.
    """
    from seefood.cli import load_command
    from seefood.nearest import did_you_mean

    prefix = "SEEFOOD_"
    known = {
        variable.removeprefix(prefix)
        for name in commands
        for parameter in config_keys(load_command(name)).values()
        if isinstance(parameter, click.Option)
        for variable in variables(name, parameter)
    }
    given = {name.removeprefix(prefix) for name in os.environ if name.startswith(prefix)}
    for name in sorted(given - known):
        if near := did_you_mean(name, known, cutoff=0.8):
            cure = near.replace("mean ", f"mean {prefix}")
            click.echo(printable(f"{prefix}{name} sets no option{cure}"), err=True)


def _settings(root: click.Context, name: str) -> Iterator[_Setting]:
    from seefood.cli import CONFIG, load_command
    from seefood.errors import UsageError
    from seefood.nearest import did_you_mean

    group = root.command
    assert isinstance(group, click.Group)  # noqa: S101 (the program)
    known = group.list_commands(root)
    if name not in known:
        raise UsageError(f"there is no command {name!r}{did_you_mean(name, known)}")
    command = load_command(name)
    context = click.Context(command, info_name=name, resilient_parsing=True)
    file = root.meta.get(CONFIG)
    values: Mapping[str, Any] = (
        file.for_command(name, command, known, load_command) if file is not None else {}
    )
    context.default_map = dict(values)
    for key, parameter in config_keys(command).items():
        value, source = parameter.consume_value(context, {})
        option = key if isinstance(parameter, click.Argument) else f"--{key}"
        if isinstance(parameter, click.Option) and parameter.is_flag and not parameter.is_bool_flag:
            if value != parameter.flag_value:  # another flag of the same parameter is set, or none
                yield _Setting(name, option, value=False, source="default")
                continue
            value = True
        if source is ParameterSource.ENVIRONMENT:
            found = next(each for each in variables(name, parameter) if os.environ.get(each))
            if getattr(parameter, "is_bool_flag", False):
                value = click.BOOL.convert(value, parameter, context)
            yield _Setting(name, option, _plain(value), found)
        elif file is not None and source is ParameterSource.DEFAULT_MAP:
            yield _Setting(name, option, _plain(value), str(file.path))
        else:
            default = parameter.get_default(context)
            yield _Setting(name, option, _plain(default), "default")


def _plain(value: Any) -> Any:
    """Return a value of an option as JSON takes it; none for an option without one."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redacted(value) if isinstance(value, str) else None


def _text(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, list):
        return printable(" ".join(map(str, value)))
    return printable(str(value).lower() if isinstance(value, bool) else str(value))
