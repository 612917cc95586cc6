"""Options that several subcommands share."""

import os
from pathlib import Path
from typing import Final

import click

# Written out, because the names' home imports NumPy and `--help` must be instant; a test compares.
ENGINES: Final = ("auto", "litert", "tensorflow")

model_option = click.option(
    "--model",
    metavar="BUNDLE",
    help="The model bundle's folder or URI.  [default: hot dog, in the box]",
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
    """Return the folder of the bundle that the user named, or of the one in the box.

    A bundle in a bucket is fetched into the user's cache first. Raises `BundleError`.
    """
    from seefood.bundle import default_bundle_path
    from seefood.remote_bundle import fetch_bundle
    from seefood.uris import parse_location

    if not model:
        return default_bundle_path()
    location = parse_location(model)
    if location.is_local:
        return Path(location.key)
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return fetch_bundle(model, caches / "seefood" / "models")
