"""Options that several subcommands share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from seefood.bundle import Bundle

# Written out, because the names' home imports NumPy and `--help` must be instant; a test compares.
ENGINES: Final = ("auto", "litert", "tensorflow", "openvino", "openvino-bf16")

model_option = click.option(
    "--model",
    metavar="BUNDLE",
    help="The model bundle's folder or URI, or hotdog or hotdog-lite.  [default: hotdog]",
)
model_digest_option = click.option(
    "--model-digest",
    metavar="DIGEST",
    envvar="SEEFOOD_MODEL_DIGEST",
    help="Refuse any other model: the digest, or its first 12 digits or more.",
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


def named_bundle(model: str | None, digest: str | None = None) -> "Bundle":
    """Return the verified bundle that the user named; with `digest` no other one.

    Raises `BundleError`.
    """
    from seefood.bundle import load_bundle

    return load_bundle(model_path(model, digest), expected_digest=digest)


def model_path(model: str | None, digest: str | None = None) -> Path:
    """Return the folder of the bundle that the user named, or of the default one.

    A folder of the user's comes before a built-in model that has its name. A bundle in a bucket
    is fetched into the user's cache first, unless it is another one than `digest` says. Raises
    `BundleError`.
    """
    from seefood.bundle import BUILT_IN, built_in_bundle_path, default_bundle_path
    from seefood.bundle.download import fetch_bundle
    from seefood.storage.uris import parse_location

    if not model:
        return default_bundle_path()
    location = parse_location(model)
    if location.is_local:
        is_built_in = model in BUILT_IN and not Path(location.key).exists()
        return built_in_bundle_path(model) if is_built_in else Path(location.key)
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return fetch_bundle(model, caches / "seefood" / "models", expected_digest=digest)
