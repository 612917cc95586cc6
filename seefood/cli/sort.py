"""`seefood sort`: copies, moves or links pictures into a folder per label."""

import click

from seefood.cli.actions import all_option, only_option, unsure_option, yes_option
from seefood.cli.profile_options import profile_option


@click.command("sort")
@click.argument("dest")
@profile_option
@click.option("--to", "target", required=True, metavar="FOLDER", help="A folder or a prefix.")
@click.option(
    "--by",
    "action",
    type=click.Choice(["copy", "move", "link"]),
    default="copy",
    show_default=True,
    help="What to do with each picture.",
)
@only_option
@unsure_option
@yes_option
@all_option
def sort_command(
    *,
    dest: str,
    target: str,
    action: str,
    only: tuple[str, ...],
    unsure: str | None,
    **how: bool,
) -> int:
    """Bring each picture of the rows below DEST into a folder of its label below --to.

    Final labels count: what a person said, else the model. Nothing is ever overwritten. What is
    done is written to DEST/journal first; the same command goes on after a stop, and `seefood
    undo` takes it back. Rows and corrections follow pictures that are moved.

    \b
    Examples:
      seefood sort results --to sorted
      seefood sort s3://labels --to s3://sorted --by move --unsure check --yes
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.actions.planning import plan_sort
    from seefood.cli.actions import act
    from seefood.storage.uris import parse_location

    output, to = parse_location(dest), parse_location(target)
    command = {"sort": action, "to": to.uri, "only": list(only), "unsure": unsure}
    return act(output, command, lambda: plan_sort(output, to, action, only, unsure), **how)
