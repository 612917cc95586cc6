"""`seefood cascade`: a small network labels the easy pictures, a large one the others."""

from pathlib import Path

import click

from seefood.cli.numbers import FloatRange
from seefood.cli.options import open_bundle
from seefood.cli.requirements import require
from seefood.cli.working import working
from seefood.sanitize import printable


@click.command("cascade")
@click.argument("first")
@click.argument("bundle")
@click.argument("data")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="BUNDLE",
    help="The folder to write.",
)
@click.option(
    "--name", metavar="NAME", help="The model's name in rows.  [default: the output folder's name]"
)
@click.option(
    "--points-lost",
    type=FloatRange(0.0, 100.0),
    default=0.5,
    show_default=True,
    metavar="P",
    help="Percentage points of accuracy that may be lost, with 95 % confidence.",
)
@click.option(
    "--as-variant",
    is_flag=True,
    help="Write BUNDLE as it is, with the cascade in it as a variant for `classify --fast`.",
)
@click.option("--nested", is_flag=True, help="Each innermost folder of DATA is a class.")
@click.option("--overwrite", is_flag=True, help="Replace an existing bundle.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON document.")
def cascade_command(  # noqa: PLR0913 (the options of the command)
    *,
    first: str,
    bundle: str,
    data: str,
    output: Path,
    name: str | None,
    points_lost: float,
    as_variant: bool,
    nested: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Make a faster bundle of two: FIRST labels the pictures it is sure of, BUNDLE the others.

    DATA has a folder of photos for each label. Neither network may have been trained on them: they
    are used to choose the probability from which on FIRST decides. If DATA has train/ and test/,
    only test/ is used; evaluate the new bundle on other photos. Both networks need a LiteRT graph
    and the same labels. The tensorflow engine runs BUNDLE alone. Prints the bundle's folder.

    \b
    Examples:
      seefood cascade hotdog-lite hotdog held-back/ --output bundles/hotdog-fast
      seefood cascade bundles/small bundles/large s3://photos/held-back \\
        --output bundles/fast
    """  # noqa: D301 (click's mark against re-wrapping)
    require("cascade", "train", "sklearn", "scipy")
    import json

    with working("reading the photos") as tell:
        from seefood_training.cascade import make_cascade
        from seefood_training.predictions import labelled_photos

        small, large = open_bundle(first), open_bundle(bundle)
        photos = labelled_photos(
            data, large.labels, nested=nested, tell=lambda it: click.echo(printable(it), err=True)
        )
        tell("classifying the photos with both networks")
        made = make_cascade(
            small,
            large,
            photos,
            output,
            name=name or output.absolute().name,
            points_lost=points_lost,
            overwrite=overwrite,
            as_variant=as_variant,
            data_name=f"{Path(data.rstrip('/')).name}, which also chose the limit",
        )
    choice, digest = made.choice, made.bundle.digest
    for warning in made.warnings():
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        shown = {"bundle": str(output), "digest": digest, **choice.as_json()}
        click.echo(json.dumps({**shown, "time_share": made.time_share}))
        return
    click.echo(
        f"{made.bundle.name}: {small.name} labels {choice.answered_by_first.value:.1%} of "
        f"{choice.right.total:,} photos, from probability {choice.at_least:.4f} on; right on "
        f"{choice.right.value:.2%} ({large.name} alone: {choice.right_whole.value:.2%}), the same "
        f"label on {choice.same_label.value:.2%}, a picture in {made.time_share:.0%} of its time, "
        f"digest {digest[:12]}",
        err=True,
    )
    click.echo(str(output))
