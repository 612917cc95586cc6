"""`seefood explain`: writes a page about what the network computes for one picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from seefood.cli.options import model_digest_option, model_option, open_bundle


@click.command("explain")
@click.argument("image")
@click.option("--output", required=True, metavar="PAGE.html", help="The page to write.")
@model_option
@model_digest_option
@click.option(
    "--lang",
    type=click.Choice(("en", "pt")),
    default="en",
    show_default=True,
    help="English or Portuguese.",
)
@click.option(
    "--photos",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Labelled photos for the last chapter: a folder for each class.",
)
@click.option(
    "--compare",
    multiple=True,
    metavar="BUNDLE",
    help="Another bundle that classifies IMAGE too; may be repeated.",
)
def explain_command(
    *, image: str, output: str, photos: Path | None, compare: Sequence[str], **options: Any
) -> None:
    """Write a self-contained page about what the network computes for IMAGE.

    \b
    Examples:
      seefood explain lunch.jpg --output lunch.html
      seefood explain lunch.jpg --output almoco.html --lang pt
      seefood explain lunch.jpg --output lunch.html \\
        --compare lenet5 --photos hotdog-data
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.errors import PictureError, UsageError
    from seefood.explain.page import Picture, explain_picture
    from seefood.nearest import nearest_path
    from seefood.runs.summary import shown
    from seefood.sanitize import printable
    from seefood.storage import read, write
    from seefood.storage.uris import parse_location

    bundle = open_bundle(options["model"], options["model_digest"])
    others = [open_bundle(other) for other in compare]
    try:
        data = read(parse_location(image))
        page = explain_picture(
            Picture(Path(image).name, data),
            bundle,
            language="pt" if options["lang"] == "pt" else "en",
            photos=photos,
            compared=others,
        )
    except FileNotFoundError as error:
        near = nearest_path(image)
        raise UsageError(f"there is no picture at {image}; check the path{near}") from error
    except PictureError as error:
        raise UsageError(f"{image} cannot be explained: {error}") from error
    target = parse_location(output)
    write(target, page.encode())
    click.echo(printable(shown(target)))
