"""The command line: a table of all subcommands, logging, error messages and exit codes.

A subcommand's module is imported when the subcommand is used, and imports most of what it needs
when it runs: `--help` stays instant. Data goes to stdout, everything else to stderr. Exit codes:
0 done; 1 the job failed; 2 usage; 3 done, but more pictures failed than allowed; 5 done, but a
part of a source could not be listed; 130 and 143 stopped by SIGINT (Ctrl-C) or SIGTERM.
"""

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import islice
from typing import Final, NamedTuple

import click
from click.core import ParameterSource

from seefood.cli.configuration import read_config, with_variables
from seefood.cli.examples import with_examples_last
from seefood.cli.failures import code_of, fail, other_message, refuse
from seefood.cli.interrupts import STOPPED, interruptible
from seefood.cli.json_log import json_handler, use_json
from seefood.cli.terminal import (
    ReaderGoneError,
    discard_output,
    prepare_streams,
    redirect_native_stderr,
)
from seefood.errors import SeefoodError
from seefood.nearest import did_you_mean
from seefood.sanitize import SafeFormatter


class _Command(NamedTuple):
    """Where a subcommand is defined, and its line in the help."""

    module: str
    """Defines the click command as `<name>_command`."""
    summary: str


_COMMANDS: Final = {
    "classify": _Command(
        "seefood_pipeline.command", "Label every picture of folders, buckets, globs: one row each."
    ),
    "plan": _Command(
        "seefood.cli.plan", "Estimate what a run would do, take and cost; changes nothing."
    ),
    "predict": _Command("seefood.cli.predict", "Label a few pictures, one line each."),
    "explain": _Command(
        "seefood.cli.explain", "Show which parts of one picture the network uses, as a page."
    ),
    "serve": _Command(
        "seefood_lambda.local_server",
        "Label photos in the browser: the Lambda's handler on a local port.",
    ),
    "train": _Command(
        "seefood_training.commands.train", "Train a network on folders of labelled photos."
    ),
    "evaluate": _Command(
        "seefood_training.commands.evaluate", "Measure a bundle on labelled photos."
    ),
    "package": _Command(
        "seefood_training.commands.package", "Make a bundle of a model that you have."
    ),
    "cascade": _Command(
        "seefood_training.commands.cascade", "Combine a small and a large bundle into a faster one."
    ),
    "features": _Command(
        "seefood_training.commands.features", "Add the features to a bundle that states none."
    ),
    "reference": _Command(
        "seefood_training.commands.reference", "Tell a bundle what its training pictures are like."
    ),
    "teach": _Command(
        "seefood_training.commands.teach", "Teach a new last layer on stored features; relabel."
    ),
    "promote": _Command(
        "seefood.cli.promote", "Put another model into use, if an audit shows it to be better."
    ),
    "inspect": _Command("seefood.cli.inspect", "Show what is in a bundle and verify it."),
    "report": _Command("seefood.cli.report", "Write the report page of finished results again."),
    "audit": _Command(
        "seefood.cli.audit", "Say how right the labels are, from as few answers as possible."
    ),
    "sort": _Command(
        "seefood.cli.sort", "Copy, move or link pictures into a folder per label; dry run first."
    ),
    "tag": _Command("seefood.cli.tag", "Write labels into XMP sidecars or S3 object tags."),
    "undo": _Command("seefood.cli.undo", "Take back what sort or tag did."),
    "diff": _Command(
        "seefood.cli.diff", "Compare two result sets: changed labels, new and missing pictures."
    ),
    "review": _Command(
        "seefood.cli.review", "Check and correct labels in the browser, by keyboard."
    ),
    "labels": _Command(
        "seefood.cli.labels", "Write one final label a picture: a person's, else the model's."
    ),
    "duplicates": _Command(
        "seefood.cli.duplicates", "Find equal and nearly equal pictures among labelled ones."
    ),
    "like": _Command("seefood.cli.like", "Show the labelled pictures that are most like one."),
    "compact": _Command("seefood.cli.compact", "Merge small result objects into large ones."),
    "doctor": _Command(
        "seefood.cli.doctor", "Show what is installed and whether a location works."
    ),
    "config": _Command(
        "seefood.cli.config", "Show the values that options have, and where each comes from."
    ),
    "completion": _Command("seefood.cli.completion", "Print the script that completes in a shell."),
    "demo": _Command(
        "seefood_pipeline.demo_command", "Run the whole job on drawn pictures in an embedded S3."
    ),
}


_BEAM_COMMANDS: Final = frozenset({"classify"})
"""Commands that pass what follows `--` to Beam."""


CONFIG: Final = "seefood.config"
"""The key of `click.Context.meta` for the configuration file."""
_COMPLETE: Final = "_SEEFOOD_COMPLETE"
_LOG_FORMATS: Final = ("text", "json")


def load_command(name: str) -> click.Command:
    """Import the module of a subcommand and return its command."""
    command = getattr(import_module(_COMMANDS[name].module), f"{name}_command")
    assert isinstance(command, click.Command)  # noqa: S101 (a convention of this package)
    return with_variables(name, with_examples_last(command))


class _LazyGroup(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the subcommand's module and return its command."""
        del ctx
        return load_command(cmd_name) if cmd_name in _COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the subcommand; for an unknown one the error names the nearest."""
        if args[0] not in _COMMANDS and not ctx.resilient_parsing:
            near = did_you_mean(args[0], _COMMANDS)
            raise click.UsageError(f"there is no command {args[0]!r}{near}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.summary) for name, each in _COMMANDS.items()])

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> "list[click.shell_completion.CompletionItem]":
        """Return the commands that begin with `incomplete`, without importing them."""
        from click.shell_completion import CompletionItem

        names = [name for name in _COMMANDS if name.startswith(incomplete)]
        items = [CompletionItem(name, help=_COMMANDS[name].summary) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "SEEFOOD"},
)
@click.version_option(package_name="seefood", message="%(version)s")
@click.option("--verbose", is_flag=True, help="Show logs, and tracebacks of errors.")
@click.option(
    "--log",
    type=click.Choice(_LOG_FORMATS),
    default="text",
    help="What stderr gets: text, or one JSON object a line.",
)
@click.option(
    "--config",
    metavar="FILE",
    help="Values of options; see `seefood config show`.  [default: seefood.toml]",
)
@click.pass_context
def cli(ctx: click.Context, *, verbose: bool, log: str, config: str | None) -> None:
    """Label pictures with a convolutional network: one row per picture.

    \b
    Examples:
      seefood predict lunch.jpg
      seefood classify ~/Pictures --output results
      seefood classify s3://photos/2026/ --output s3://labels/2026
    """  # noqa: D301 (click's mark against re-wrapping)
    ctx.obj = ctx.obj or []
    name = ctx.invoked_subcommand
    file = read_config(config) if name is not None else None
    is_given = ctx.get_parameter_source("log") is not ParameterSource.DEFAULT
    _set_up_logs(log if is_given or file is None else file.log(_LOG_FORMATS), verbose=verbose)
    if file is not None and name is not None:
        ctx.meta[CONFIG] = file
        command = load_command(name)
        ctx.default_map = {name: file.for_command(name, command, _COMMANDS, load_command)}


with_examples_last(cli)


def _set_up_logs(log: str, *, verbose: bool) -> None:
    if log == "json":
        use_json()
    handler = json_handler()
    if handler is None:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, handlers=[handler])
    logging.captureWarnings(capture=True)
    if not verbose:  # Beam logs the traceback of an exception that it also raises
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; `classify` passes the arguments after `--` to Beam."""
    prepare_streams()
    own, rest = _split(list(sys.argv[1:] if arguments is None else arguments))
    verbose = "--verbose" in own
    if _COMPLETE in os.environ:
        _complete()
    if not verbose:
        redirect_native_stderr()
    own = _global_options_first(own)
    if own[:2] == ["--log", "json"] or os.environ.get("SEEFOOD_LOG") == "json":
        use_json()  # already here, for errors of usage
    with interruptible():
        code = _run(own, rest, verbose=verbose)
        sys.exit(code)


def _run(own: list[str], rest: list[str], *, verbose: bool) -> int:
    """Run the command and return its exit code; an error is one sentence on stderr."""
    try:
        code = cli.main(own, prog_name="seefood", standalone_mode=False, obj=rest)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        discard_output()
        return fail(STOPPED, code_of(error))
    except click.ClickException as error:
        return refuse(error)
    except SeefoodError as error:
        discard_output()
        if verbose:
            raise
        return fail(str(error), code_of(error))
    except ReaderGoneError:
        discard_output()
        return 0
    except Exception as error:
        if verbose:
            raise
        discard_output()
        return fail(other_message(error), code_of(error))
    return code if isinstance(code, int) else 0


def _complete() -> None:
    """Answer the script of a shell and exit."""
    from seefood.cli.completion import complete

    sys.exit(complete(cli, os.environ[_COMPLETE], {}))


def _global_options_first(arguments: list[str]) -> list[str]:
    """Return the arguments with --log, --config and --verbose before the command.

    Users add them at the end; click expects them at the beginning.
    """
    found: dict[str, list[str]] = {"--log": [], "--config": [], "--verbose": []}
    others: list[str] = []
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name not in found or (name == "--verbose" and equals):
            others.append(word)
        elif name == "--verbose":
            found[name] = [name]
        else:
            found[name] = [name, value] if equals else [name, *islice(words, 1)]
    return [*(word for each in found.values() for word in each), *others]


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments for click, and those after `--` for Beam's parser.

    Only the commands that run Beam have such; for the others click takes what follows as names.
    """
    if "--" not in arguments or not _BEAM_COMMANDS & set(arguments[: arguments.index("--")]):
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]
