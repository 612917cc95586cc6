"""`seefood package --fast-data`: adds faster variants to a bundle, measured on labelled photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seefood.bundle import BUILT_IN, MANIFEST, Bundle, built_in_bundle_path, load_bundle
from seefood.bundle.variant import variant_as_json
from seefood.bundle.variants import load_variants
from seefood.errors import UsageError
from seefood_training.data import read_labelled
from seefood_training.predictions import labelled_photos, without_copies
from seefood_training.training_photos import read_training_photos
from seefood_training.variants import (
    add_variants,
    check_can_have_variants,
    copy_with_variants,
    split_fast_data,
)


@dataclass(frozen=True, slots=True)
class PackagedFast:
    """A bundle with faster variants."""

    bundle: Bundle
    variants: tuple[dict[str, Any], ...]
    """Each as JSON, the fastest first."""
    notes: tuple[str, ...]
    """A sentence for each variant, and for each that was not made."""


def bundle_named(model: str) -> Bundle | None:
    """Return the bundle that `model` names: a folder, or a built-in one; None if it is none."""
    path = Path(model)
    if model in BUILT_IN and not path.exists():
        path = built_in_bundle_path(model)
    return load_bundle(path) if (path / MANIFEST).is_file() else None


def check_fast_data(data: str, labels: Sequence[str]) -> None:
    """Raise `UsageError` for photos that are too few, or that have other labels than `labels`.

    Without `labels`, those of a model that is not open yet, any are taken.
    """
    known = labels or read_labelled(data, to_measure=True).labels
    split_fast_data(labelled_photos(data, known), data)


def package_fast(
    bundle: Bundle, data: str, output: Path | None, *, overwrite: bool = False
) -> PackagedFast:
    """Add faster variants to a copy of `bundle` in the folder `output`; None adds them in place.

    A quarter of the photos of `data` measures the ranges of integers, the others the loss. Copies
    of photos that the bundle was made from are left out. Raises `UsageError` for photos that are
    too few or have other labels, and if no variant can be made.
    """
    check_can_have_variants(bundle)
    name = Path(data.rstrip("/")).name or data
    told: list[str] = []
    given = labelled_photos(data, bundle.labels, tell=told.append)
    known = read_training_photos(bundle.path)
    photos = split_fast_data(without_copies(given, known, bundle.spec.rule), name)
    if output is None:
        made, notes = add_variants(bundle, photos)
    else:
        made, notes = copy_with_variants(bundle, photos, output, overwrite=overwrite)
    documents, sentences = [], []
    for each in load_variants(made):
        variant = each.variant
        if variant is not None:
            documents.append({"digest": each.digest, **variant_as_json(variant)})
            sentences.append(
                f"variant {variant.name}: {variant.time_share:.0%} of the time, "
                + variant.loss.sentence
            )
    if not documents:
        where = "" if output is None else f"; {output} is the bundle without one"
        raise UsageError(f"no faster variant could be made: {'; '.join(notes)}{where}")
    notes = (*told, *sentences, *(f"no variant {note}" for note in notes))
    return PackagedFast(made, tuple(documents), notes)
