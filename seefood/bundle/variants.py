"""Reads the faster variants inside a bundle, and lists in `bundle.json` those that were added."""

import shutil
from dataclasses import replace
from pathlib import PurePosixPath

from seefood.bundle.bundle import VARIANTS, Bundle, load_bundle
from seefood.bundle.manifest_file import MANIFEST, read_manifest, write_manifest
from seefood.errors import BundleError
from seefood.records import DIGEST_SHOWN


def load_variants(bundle: Bundle) -> tuple[Bundle, ...]:
    """Return the faster variants of `bundle`, the fastest first, with all their files verified.

    Raises `BundleError` for one that is damaged, changed, or made for another bundle.
    """
    loaded = [_load(bundle, name, digest) for name, digest in bundle.variants.items()]
    return tuple(sorted(loaded, key=_time_share))


def present_variants(bundle: Bundle) -> tuple[Bundle, ...]:
    """Return those that are in the bundle's folder: a download may leave them out."""
    present = {
        name: digest
        for name, digest in bundle.variants.items()
        if (bundle.path / VARIANTS / name).is_dir()
    }
    return load_variants(replace(bundle, variants=present))


def list_variants(bundle: Bundle) -> Bundle:
    """Write the variants that are in the folder of `bundle` into its `bundle.json`.

    The digest stays. Overwrites `bundle.json`; not atomic. Returns the bundle with its variants.
    """
    names = [file.parents[1].name for file in bundle.path.glob(f"{VARIANTS}/*/{MANIFEST}")]
    variants = {name: load_bundle(bundle.path / VARIANTS / name).digest for name in sorted(names)}
    result = replace(bundle, variants=variants)
    load_variants(result)
    document = {**read_manifest(bundle.path), "variants": variants}
    if not variants:
        del document["variants"]
    write_manifest(bundle.path, document)
    return result


def remove_variants(bundle: Bundle) -> Bundle:
    """Remove the variants of `bundle` from its folder and its `bundle.json`; the digest stays."""
    shutil.rmtree(bundle.path / VARIANTS, ignore_errors=True)
    return list_variants(bundle)


def _load(bundle: Bundle, name: str, digest: str) -> Bundle:
    if len(PurePosixPath(name).parts) != 1 or name in {".", "..", "/"}:
        raise BundleError(f"the bundle {bundle.path} names the variant {name!r}; do not use it")
    if not (bundle.path / VARIANTS / name).is_dir():
        raise BundleError(
            f"the bundle {bundle.path} is here without its faster variant {name}; copy "
            f"{VARIANTS} too (a Lambda's zip has it with `make lambda-zip FAST=1`), or leave fast "
            "out"
        )
    variant = load_bundle(bundle.path / VARIANTS / name, expected_digest=digest)
    stated = variant.variant
    if stated is None or stated.of != bundle.digest:
        raise BundleError(
            f"{variant.path} is not a variant of {bundle.digest[:DIGEST_SHOWN]}, the bundle around "
            "it; get the bundle again from where it was made"
        )
    if variant.labels != bundle.labels or variant.spec.rule.fit != bundle.spec.rule.fit:
        raise BundleError(
            f"{variant.path} has other labels or another fit than the bundle around it; get the "
            "bundle again from where it was made"
        )
    return variant


def _time_share(variant: Bundle) -> float:
    return variant.variant.time_share if variant.variant else 1.0
