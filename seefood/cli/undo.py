"""`seefood undo`: takes back what `seefood sort` or `seefood tag` did."""

import click

from seefood.cli.actions import all_option, yes_option
from seefood.cli.profile_options import profile_option
from seefood.errors import UsageError


@click.command("undo")
@click.argument("dest")
@profile_option
@click.option("--journal", "name", metavar="NAME", help="Which one.  [default: the latest]")
@yes_option
@all_option
def undo_command(*, dest: str, name: str | None, yes: bool, show_all: bool) -> int:
    """Restore what was before the latest `seefood sort` or `seefood tag` of DEST.

    Also of one that was stopped half-way. Copies and sidecars that
    others have changed since are left alone and named; moved pictures return with their edits.

    \b
    Examples:
      seefood undo results
      seefood undo s3://labels/2026 --yes
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.actions.journal import read_journals
    from seefood.actions.running import undo
    from seefood.cli.actions import report, show_steps
    from seefood.storage.uris import parse_location

    journals = [each for each in read_journals(parse_location(dest)) if not each.is_undone]
    if name is not None:
        journals = [each for each in journals if each.name == name]
    if not journals:
        which = f" {name}" if name else ""
        raise UsageError(f"there is no journal{which} to undo below {dest}; see DEST/journal/")
    journal = journals[0]
    action = next((name for name in ("sort", "tag") if name in journal.command), "command")
    click.echo(f"Undo of the {action} in journal {journal.name}.", err=True)
    if not yes:
        show_steps([f"undo: {step.shown}" for step in journal.steps], show_all=show_all)
        return 0
    return report(journal, undo(journal), "undone")
