"""Options that several subcommands share."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seefood.engines.registry import AUTO, engine_names

if TYPE_CHECKING:
    from seefood.bundle import Bundle

model_option = click.option(
    "--model",
    metavar="BUNDLE",
    help="The model bundle's folder or URI, or hotdog or hotdog-lite.  [default: hotdog]",
)
model_digest_option = click.option(
    "--model-digest",
    metavar="DIGEST",
    envvar="SEEFOOD_MODEL_DIGEST",
    help="Refuse any other model; the digest, or at least its first 12 digits.",
)
engine_option = click.option(
    "--engine",
    type=click.Choice(engine_names()),
    default=AUTO,
    show_default=True,
    help="What runs it.",
)
top_k_option = click.option(
    "--top-k",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="How many labels a row lists.",
)


def open_bundle(model: str | None, digest: str | None = None) -> "Bundle":
    """Return the bundle of `--model`, verified. Raises `BundleError`, also for another digest."""
    from seefood.bundle import load_bundle

    return load_bundle(model_path(model, digest), expected_digest=digest)


def model_path(model: str | None, digest: str | None = None) -> Path:
    """Return the folder of the bundle of `--model`, or of the default bundle.

    A folder has priority over a built-in model of the same name. A bundle in a bucket is downloaded
    into the user's cache. Raises `BundleError`, also if its digest is not `digest`.
    """
    from seefood.bundle import BUILT_IN, built_in_bundle_path, default_bundle_path
    from seefood.bundle.download import fetch_bundle
    from seefood.storage.local import cache_folder
    from seefood.storage.uris import parse_location

    if not model:
        return default_bundle_path()
    location = parse_location(model)
    if location.is_local:
        is_built_in = model in BUILT_IN and not Path(location.key).exists()
        return built_in_bundle_path(model) if is_built_in else Path(location.key)
    return fetch_bundle(model, cache_folder() / "seefood" / "models", expected_digest=digest)
