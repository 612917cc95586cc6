"""`seefood tag`: writes labels into object tags or XMP sidecars."""

import click

from seefood.cli.actions import all_option, only_option, unsure_option, yes_option
from seefood.cli.profile_options import profile_option
from seefood.errors import UsageError


@click.command("tag")
@click.argument("dest")
@profile_option
@click.option("--xmp", is_flag=True, help="Write PICTURE.xmp with the label as a keyword.")
@click.option("--tags", is_flag=True, help="Set the S3 object tag seefood-label.")
@only_option
@unsure_option
@yes_option
@all_option
def tag_command(
    *,
    dest: str,
    xmp: bool,
    tags: bool,
    only: tuple[str, ...],
    unsure: str | None,
    **how: bool,
) -> int:
    """Mark each picture of the rows below DEST with its final label.

    XMP sidecars get the label as flat and as hierarchical keyword (seefood|hotdog), which
    Lightroom, digiKam and darktable read. Other tags and keywords stay. `seefood undo` takes it
    back.

    \b
    Examples:
      seefood tag results --xmp
      seefood tag s3://labels/2026 --tags --yes
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.actions.planning import plan_tags
    from seefood.cli.actions import act
    from seefood.storage.uris import parse_location

    if xmp == tags:
        raise UsageError("give --xmp or --tags")
    kind = "xmp" if xmp else "tags"
    output = parse_location(dest)
    command = {"tag": kind, "only": list(only), "unsure": unsure}
    return act(output, command, lambda: plan_tags(output, kind, only, unsure), **how)
