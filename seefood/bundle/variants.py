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
    loaded = [load_variant(bundle, name, digest) for name, digest in bundle.variants.items()]
    return tuple(sorted(loaded, key=_time_share))


def present_variants(bundle: Bundle) -> tuple[Bundle, ...]:
    """Return those that are in the bundle's folder: a download may leave them out."""
    absent = absent_variants(bundle)
    present = {name: each for name, each in bundle.variants.items() if name not in absent}
    return load_variants(replace(bundle, variants=present))


def absent_variants(bundle: Bundle) -> list[str]:
    """Return the names of the variants that `bundle` lists and that its folder does not hold."""
    return [name for name in bundle.variants if not (bundle.path / VARIANTS / name).is_dir()]


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


def no_variant_because(bundle: Bundle) -> str | None:
    """Return why no faster variant of `bundle` can be made or measured; None if one can be."""
    spec = bundle.spec
    if spec.multi_label:
        return "it gives a picture several labels, and labelled folders give it one"
    if bundle.variant is not None:
        return "it is a variant itself"
    if spec.rejection is not None:
        return "it rejects pictures by their features, which a variant does not have"
    if bundle.is_cascade:
        return "it is a cascade; make the variant of the large bundle with `cascade --as-variant`"
    if not bundle.has_litert or spec.adapter is not None:
        return (
            "it has no graph that can be converted; package the model's SavedModel or .keras file"
        )
    return None


def load_variant(bundle: Bundle, name: str, digest: str) -> Bundle:
    """Return the faster variant `name` of `bundle`, with all its files verified.

    Raises `BundleError` as `load_variants` does, and for another digest than `digest`.
    """
    if len(PurePosixPath(name).parts) != 1 or name in {".", "..", "/"}:
        raise BundleError(f"the bundle {bundle.path} names the variant {name!r}; do not use it")
    folder = bundle.path / VARIANTS / name
    if not folder.is_dir():
        raise BundleError(
            f"the bundle {bundle.path} is here without its faster variant {name}; copy "
            f"{VARIANTS} too (a Lambda's zip has it with `make lambda-zip FAST=1`), or leave fast "
            "out"
        )
    if not (folder / MANIFEST).is_file():
        raise BundleError(
            f"the bundle {folder} is damaged: {MANIFEST} is missing; get the bundle around it "
            "again from where it was made"
        )
    variant = load_bundle(folder, expected_digest=digest)
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
