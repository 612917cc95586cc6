"""Pictures that people corrected in an output (`seefood review`), as photos to learn from.

They are read from where they lie. What a person said about a picture counts more than its folder.
"""

from dataclasses import replace
from typing import Final

from seefood.corrections import read_corrections
from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.storage.uris import parse_location
from seefood_training.layouts.base import Found, Labelled, class_name
from seefood_training.layouts.parts import Part

_NOTHING: Final = Found((), "corrections")


def with_corrections(found: Found | None, output: str, *, to_measure: bool = False) -> Found:
    """Return the photos of `found` and the pictures with corrections below `output`.

    A photo that has a correction (same URI and entity tag) takes its label. The other pictures are
    to train on or, with `to_measure`, in the part of `found` that a bundle is measured on: those to
    test with, else to validate with, else all. Raises `UsageError` if there are no corrections, or
    one that gives a picture several labels.
    """
    corrections = dict(read_corrections(parse_location(output)))
    if not corrections:
        raise UsageError(
            f"there are no corrections below {output}; answer some with `seefood review {output}`"
        )
    found = found or _NOTHING
    photos = []
    for photo in found.photos:
        correction = corrections.pop((photo.ref.uri, photo.ref.etag), None)
        label = photo.label if correction is None else class_name(correction.only_label)
        photos.append(replace(photo, label=label))
    changed = sum(new.label != old.label for new, old in zip(photos, found.photos, strict=True))
    present = {photo.part for photo in found.photos}
    measured = (part for part in (Part.TEST, Part.VALIDATION) if part in present)
    part = next(measured, Part.TRAIN) if to_measure else Part.TRAIN
    photos += [
        Labelled(ImageRef(each.uri, each.etag), class_name(each.only_label), part)
        for each in corrections.values()
    ]
    note = (
        f"{len(corrections):,} pictures are added from the corrections of {output}, and "
        f"{changed:,} labels of photos are changed by them."
    )
    layout = found.layout if found is _NOTHING else f"{found.layout}, with corrections"
    return replace(found, photos=tuple(photos), layout=layout, notes=(*found.notes, note))
