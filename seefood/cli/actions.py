"""What `seefood sort`, `tag` and `undo` have in common: dry run, journal, outcome."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from seefood.sanitize import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from seefood.actions.journal import Journal
    from seefood.actions.planning import Planned
    from seefood.actions.running import Result
    from seefood.storage.uris import Location

_SHOWN: Final = 20

yes_option = click.option("--yes", is_flag=True, help="Do it. Without, it is only shown.")
all_option = click.option(
    "--all",
    "show_all",
    is_flag=True,
    help=f"Show every step without --yes.  [default: the first {_SHOWN}]",
)
only_option = click.option(
    "--only", metavar="LABEL", multiple=True, help="Only pictures with this label; repeatable."
)
unsure_option = click.option(
    "--unsure",
    metavar="NAME",
    help="Act on unsure pictures as if this were their label; `skip` leaves them out.  "
    "[default: the model's label]",
)


def act(
    output: "Location",
    command: Mapping[str, Any],
    plan: "Callable[[], Planned]",
    *,
    yes: bool,
    show_all: bool,
) -> int:
    """Show what a command would do, or do it; return the exit code."""
    from seefood.actions.journal import begin_journal, unfinished
    from seefood.actions.running import take

    journal = unfinished(output, command)
    if journal is not None:
        click.echo(f"Going on with {journal.name}, which was stopped.", err=True)
    else:
        planned = plan()
        _show_counts(planned)
        if not planned.steps:
            click.echo("There is nothing to do.")
            return 0
        if not yes:
            show_steps([step.shown for step in planned.steps], show_all=show_all)
            return 0
        journal = begin_journal(output, command, planned.steps, planned.made)
    if not yes:
        show_steps([step.shown for step in journal.steps], show_all=show_all)
        return 0
    return report(journal, take(journal), "done")


def show_steps(lines: "list[str]", *, show_all: bool) -> None:
    """Print the steps of a dry run, or the first ones and how many more there are."""
    count = len(lines) if show_all else _SHOWN
    for line in lines[:count]:
        click.echo(printable(line))
    if len(lines) > count:
        click.echo(f"and {len(lines) - count:,} more, which --all shows")
    click.echo("Nothing was done. Add --yes to do it.")


def report(journal: "Journal", result: "Result", verb: str) -> int:
    """Print what became of the steps; return the exit code."""
    from seefood.actions.carrying import Outcome

    click.echo(f"{result.counts[Outcome.DONE]:,} of {len(journal.steps):,} steps {verb}")
    for problem in result.problems[:_SHOWN]:
        click.echo(f"seefood: {printable(problem)}", err=True)
    if result.problems:
        click.echo(
            f"seefood: {len(result.problems):,} steps could not be {verb}; mend that and run the "
            "same command again",
            err=True,
        )
        return 1
    if verb == "done":
        click.echo(f"`seefood undo {printable(journal.output.uri)}` takes it back.", err=True)
    return 0


def _show_counts(planned: "Planned") -> None:
    for label, count in sorted(planned.labels.items()):
        click.echo(f"{count:>9,}  {printable(label)}")
    if planned.present:
        click.echo(f"{planned.present:>9,}  are there already")
    if planned.unlabelled:
        click.echo(f"{planned.unlabelled:>9,}  have no label to act on")
