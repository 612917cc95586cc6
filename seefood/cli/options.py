"""Options that several subcommands share."""

from pathlib import Path
from typing import Final

import click

# Written out, because the names' home imports NumPy and `--help` must be instant; a test compares.
ENGINES: Final = ("auto", "litert", "tensorflow")

model_option = click.option(
    "--model", metavar="BUNDLE", help="The model bundle's folder.  [default: hot dog, in the box]"
)
engine_option = click.option(
    "--engine", type=click.Choice(ENGINES), default="auto", show_default=True, help="What runs it."
)
top_k_option = click.option(
    "--top-k",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="How many labels a row lists.",
)


def model_path(model: str | None) -> Path:
    """Return the folder of the bundle that the user named, or of the one in the box."""
    from seefood.bundle import default_bundle_path

    return Path(model).expanduser().absolute() if model else default_bundle_path()
