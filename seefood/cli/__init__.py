"""The command line: a table of all subcommands, logging, error messages and exit codes.

A subcommand's module is imported when the subcommand is used, and imports most of what it needs
when it runs: `--help` stays instant. Data goes to stdout, everything else to stderr. Exit codes:
0 done; 1 the job failed; 2 usage; 3 done, but more pictures failed than allowed; 5 done, but a
part of a source could not be listed.
"""

import gc
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple

import click

from seefood.cli.terminal import discard_output, prepare_streams, redirect_native_stderr
from seefood.errors import SeefoodError, UsageError
from seefood.sanitize import SafeFormatter, printable, redacted


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
    "package": _Command("seefood_training.commands.package", "Make a bundle from a SavedModel."),
    "cascade": _Command(
        "seefood_training.commands.cascade", "Combine a small and a large bundle into a faster one."
    ),
    "inspect": _Command("seefood.cli.inspect", "Show what is in a bundle and verify it."),
    "report": _Command("seefood.cli.report", "Write the report page of finished results again."),
    "diff": _Command(
        "seefood.cli.diff", "Compare two result sets: changed labels, new and missing pictures."
    ),
    "labels": _Command(
        "seefood.cli.labels", "Write one final label a picture: a person's, else the model's."
    ),
    "compact": _Command("seefood.cli.compact", "Merge small result objects into large ones."),
    "doctor": _Command(
        "seefood.cli.doctor", "Show what is installed and whether a location works."
    ),
    "demo": _Command(
        "seefood_pipeline.demo_command", "Run the whole job on drawn pictures in an embedded S3."
    ),
}


_BEAM_COMMANDS: Final = frozenset({"classify"})
"""Commands that pass what follows `--` to Beam."""


class _LazyGroup(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the subcommand's module and return its command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(_COMMANDS[cmd_name].module), f"{cmd_name}_command")
        assert isinstance(command, click.Command)  # noqa: S101 (a convention of this package)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.summary) for name, each in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="seefood", message="%(version)s")
@click.option("--verbose", is_flag=True, help="Show logs, and tracebacks of errors.")
@click.pass_context
def cli(ctx: click.Context, *, verbose: bool) -> None:
    """Label pictures with a convolutional network: one row per picture.

    \b
    Examples:
      seefood predict lunch.jpg
      seefood classify ~/Pictures --output results
      seefood classify s3://photos/2026/ --output s3://labels/2026
    """  # noqa: D301 (click's mark against re-wrapping)
    ctx.obj = ctx.obj or []
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
    if not verbose:
        redirect_native_stderr()
    try:
        code = cli.main(own, prog_name="seefood", standalone_mode=False, obj=rest)
        sys.stdout.flush()
    except click.exceptions.Abort:
        _fail("stopped", 130)
    except click.ClickException as error:
        _refuse(error)
    except SeefoodError as error:
        discard_output()
        if verbose:
            raise
        _fail(str(error), 2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:
        discard_output()
        sys.exit(0)
    except Exception as error:
        if verbose:
            raise
        discard_output()
        _fail(_other_message(error), 1)
    gc.freeze()  # a collection over Beam's modules at exit would take 0.25 s
    sys.exit(code if isinstance(code, int) else 0)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments for click, and those after `--` for Beam's parser.

    Only the commands that run Beam have such; for the others click takes what follows as names.
    """
    command = next((each for each in arguments if not each.startswith("-")), None)
    if "--" not in arguments or command not in _BEAM_COMMANDS:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _other_message(error: Exception) -> str:
    """Return the message of an error that is not seefood's own: the system's, or a bug."""
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


def _refuse(error: click.ClickException) -> None:
    """Print the usage error as one sentence; without arguments, show the help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        sys.exit(error.exit_code)
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"; see `{context.command_path} --help`" if context else ""
    _fail(f"{error.format_message().rstrip('.')}{hint}", error.exit_code)


def _fail(message: str, code: int) -> None:
    click.echo(f"seefood: {printable(redacted(message))}", err=True)
    sys.exit(code)
