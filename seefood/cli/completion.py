"""`seefood completion`: the script that completes commands, options and files in a shell."""

from typing import Any, Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
)

VARIABLE: Final = "_SEEFOOD_COMPLETE"


class _WithFiles(ShellComplete):
    """Proposes files where the command line takes a value without a list of choices."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return what fits, or the mark for files."""
        found = super().get_completions(args, incomplete)
        if found or incomplete.startswith("-") or not args:
            return found
        return [CompletionItem(incomplete, type="file")]


class _Bash(_WithFiles, BashComplete):
    """Bash 4.4 or newer."""


class _Zsh(_WithFiles, ZshComplete):
    """Zsh."""


class _Fish(_WithFiles, FishComplete):
    """Fish."""


SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def complete(group: click.Group, instruction: str, context: dict[str, Any]) -> int:
    """Answer the script of a shell: print what fits. `instruction` is such as `bash_complete`."""
    shell, _, task = instruction.partition("_")
    if shell not in SHELLS or task not in ("complete", "source"):
        return 1
    completer = SHELLS[shell](group, context, "seefood", VARIABLE)
    click.echo(completer.complete() if task == "complete" else _source(completer))
    return 0


def _source(completer: ShellComplete) -> str:
    # Not `source()`: bash's runs bash to ask for its version, and writes to stderr.
    return completer.source_template % completer.source_vars()


@click.command("completion")
@click.argument("shell", type=click.Choice(tuple(SHELLS)))
@click.pass_context
def completion_command(ctx: click.Context, *, shell: str) -> None:
    """Print the script that completes `seefood` in SHELL.

    \b
    Examples:
      seefood completion bash > ~/.local/share/bash-completion/completions/seefood
      seefood completion zsh > "${fpath[1]}/_seefood"
      seefood completion fish > ~/.config/fish/completions/seefood.fish
    """  # noqa: D301 (click's mark against re-wrapping)
    root = ctx.find_root().command
    click.echo(_source(SHELLS[shell](root, {}, "seefood", VARIABLE)))
