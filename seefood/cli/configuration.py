"""Values of options from a configuration file and from the environment.

A value comes from the command line; else from the variable `SEEFOOD_<COMMAND>_<OPTION>`; else from
`SEEFOOD_<OPTION>`; else from the file's table of the command; else from the file's top level; else
it is the default. The file is what --config names, else `seefood.toml`, else the table
`[tool.seefood]` of `pyproject.toml`, in the current folder. Paths in it are relative to the current
folder, as on the command line.

    model = "bundles/flowers"       # for every command that has --model

    [classify]
    sources = ["s3://photos/"]      # arguments, by their names in the help
    output = "s3://labels"
    max-failure-ratio = 0.01
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from seefood.errors import UsageError
from seefood.nearest import did_you_mean
from seefood.sanitize import printable

OWN: Final = "seefood.toml"
PROJECT: Final = "pyproject.toml"
GLOBAL: Final = frozenset({"log"})
"""Options that stand before the command, as far as a file may set them."""
_Load = Callable[[str], click.Command]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration file as it was read."""

    path: Path
    values: Mapping[str, Any]

    def log(self, formats: Sequence[str]) -> str:
        """Return the value of `log`; the first of `formats` without one. Raises `UsageError`."""
        value = self.values.get("log", formats[0])
        if value not in formats:
            raise self._error(f"log must be one of {', '.join(formats)}, not {value!r}")
        return str(value)

    def for_command(
        self, name: str, command: click.Command, names: Iterable[str], load: _Load
    ) -> dict[str, Any]:
        """Return the values for `command` by the names of its parameters.

        `names` are all commands, which `load` loads: a top-level key must belong to one of them.
        Raises `UsageError` for a key that no command has, and for a value that no option takes.
        """
        others = list(names)
        keys = config_keys(command)
        table = self.values.get(name, {})
        if not isinstance(table, Mapping):
            raise self._no_table(name)
        values: dict[str, Any] = {}
        for key, value in self.values.items():
            if key in GLOBAL or (isinstance(value, Mapping) and key in others):
                continue
            if isinstance(parameter := keys.get(_plain(key)), click.Option):
                self._add(values, parameter, key, value)
            else:
                self._check_shared(key, value, others, load)
        for key, value in table.items():
            if _plain(key) not in keys:
                cure = did_you_mean(_plain(key), keys)
                raise self._error(f"`seefood {name}` has no option {key!r}{cure}")
            self._add(values, keys[_plain(key)], f"{name}.{key}", value)
        return values

    def _check_shared(self, key: str, value: object, others: list[str], load: _Load) -> None:
        if isinstance(value, Mapping):
            raise self._error(f"there is no command {key!r}{did_you_mean(key, others)}")
        if key in others:
            raise self._no_table(key)
        known, owner = set(), ""
        for other in others:
            for name, parameter in config_keys(load(other)).items():
                if isinstance(parameter, click.Option):
                    known.add(name)
                elif name == _plain(key):
                    owner = other
        if _plain(key) not in known and owner:
            raise self._error(
                f"{key} is an argument of `seefood {owner}`; write it below [{owner}]"
            )
        if _plain(key) not in known:
            near = did_you_mean(_plain(key), [*known, *others])
            raise self._error(f"no command has an option {key!r}{near}")

    def _add(
        self, values: dict[str, Any], parameter: click.Parameter, key: str, value: object
    ) -> None:
        name = parameter.name or ""
        if isinstance(value, Mapping):
            raise self._error(f"{key} must be a value, not a table")
        if isinstance(parameter, click.Option) and parameter.is_flag:
            if not isinstance(value, bool):
                raise self._error(f"{key} must be true or false, not {value!r}")
            if parameter.is_bool_flag:
                values[name] = value
            elif value:  # one of several flags that set the same parameter, such as --logits
                values[name] = parameter.flag_value
        elif parameter.multiple or parameter.nargs != 1:
            values[name] = (
                [str(each) for each in value] if isinstance(value, list) else [str(value)]
            )
        elif isinstance(value, list | bool):
            given = "a list" if isinstance(value, list) else str(value).lower()
            raise self._error(f"{key} takes one value, not {given}")
        else:
            values[name] = str(value)

    def _no_table(self, command: str) -> UsageError:
        return self._error(f"{command} is a command; write its options below [{command}]")

    def _error(self, message: str) -> UsageError:
        return UsageError(printable(f"{self.path}: {message}"))


def config_keys(command: click.Command) -> dict[str, click.Parameter]:
    """Return the parameters of a command by the keys that a file may use for them."""
    return {
        _key_of(parameter): parameter
        for parameter in command.params
        if not getattr(parameter, "is_eager", False)
    }


def _key_of(parameter: click.Parameter) -> str:
    names: Sequence[str] = parameter.opts if isinstance(parameter, click.Option) else ()
    return max(names, key=len).lstrip("-") if names else str(parameter.name)


def _plain(key: str) -> str:
    return key.replace("_", "-")


def variables(command: str, parameter: click.Parameter) -> list[str]:
    """Return the environment variables of an option, the more specific one first."""
    option = _key_of(parameter).replace("-", "_").upper()
    return [f"SEEFOOD_{command.replace('-', '_').upper()}_{option}", f"SEEFOOD_{option}"]


def with_variables(name: str, command: click.Command) -> click.Command:
    """Let each option of `command` be read from its environment variables, too."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.is_eager:
            parameter.envvar = variables(name, parameter)
    return command


def read_config(named: str | None) -> ConfigFile | None:
    """Return the file that `named` says, or that of the current folder; None without one.

    Raises `UsageError` for a file that cannot be read.
    """
    if named:
        return _read(Path(named), is_project=Path(named).name == PROJECT)
    for path, is_project in ((Path(OWN), False), (Path(PROJECT), True)):
        if path.is_file() and (found := _read(path, is_project=is_project)).values:
            return found
    return None


def _read(path: Path, *, is_project: bool) -> ConfigFile:
    try:
        values = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; check --config") from error
    except ValueError as error:  # also what is not UTF-8
        if is_project:  # another tool's file, which may be broken without harm
            return ConfigFile(path, {})
        raise UsageError(f"{path} is no TOML file: {error}") from error
    if is_project:
        tools = values.get("tool")
        values = tools.get("seefood", {}) if isinstance(tools, dict) else {}
        if not isinstance(values, dict):
            raise UsageError(f"{path}: tool.seefood must be a table, not {values!r}")
    return ConfigFile(path, values)
