"""Finds the bundle that a user names: a folder, a URI, a built-in model, or the one in use."""

from pathlib import Path

from seefood.bundle.bundle import (
    Bundle,
    built_in_bundle_path,
    default_bundle_path,
    load_bundle,
)
from seefood.bundle.download import fetch_bundle
from seefood.bundle.manifest_file import BUILT_IN
from seefood.bundle.pointer import SUFFIX, read_pointer
from seefood.errors import BundleError
from seefood.sanitize import shown
from seefood.storage.local import cache_folder
from seefood.storage.uris import parse_location


def open_bundle(
    model: str | Path | Bundle | None = None,
    digest: str | None = None,
    *,
    with_variants: bool = False,
) -> Bundle:
    """Return the bundle that `model` names, verified: `bundle_path` and `load_bundle` in one.

    `digest` pins the model: the whole digest, or at least its first 12 digits. Raises
    `BundleError`.
    """
    path = bundle_path(model, digest, with_variants=with_variants)
    return load_bundle(path, expected_digest=digest)


def bundle_path(
    model: str | Path | Bundle | None = None,
    digest: str | None = None,
    *,
    with_variants: bool = False,
) -> Path:
    """Return the folder of the bundle that `model` is or names; None names the default model.

    A folder has priority over a built-in model of the same name. A bundle in a bucket is downloaded
    into the user's cache, `with_variants` with its faster variants. A file of `seefood promote`
    names the bundle in use and its digest. Raises `BundleError`, also if its digest is not
    `digest`.
    """
    if model is None:
        return default_bundle_path()
    if isinstance(model, (Bundle, Path)):
        return model.path if isinstance(model, Bundle) else model
    if not isinstance(model, str) or not model:
        raise BundleError(
            f"{shown(model)} names no model; give a bundle's folder or URI, or a built-in model: "
            f"{', '.join(BUILT_IN)}"
        )
    location = parse_location(model)
    if location.key.endswith(SUFFIX) and (pointer := read_pointer(location)) is not None:
        due = pointer.current.digest
        path = bundle_path(pointer.current.model, digest or due, with_variants=with_variants)
        load_bundle(path, expected_digest=due)
        return path
    if location.is_local:
        is_built_in = model in BUILT_IN and not Path(location.key).exists()
        return built_in_bundle_path(model) if is_built_in else Path(location.key)
    cache = cache_folder() / "seefood" / "models"
    return fetch_bundle(model, cache, expected_digest=digest, with_variants=with_variants)
