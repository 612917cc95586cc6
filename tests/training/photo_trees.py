"""Folders of empty photos and tables for the tests of layouts, which never open a photo."""

from pathlib import Path

from seefood_training.data import PhotoSet

Files = dict[str, str]
"""Text by path."""


def make(folder: Path, files: Files) -> Path:
    """Write `files`, text by path; return `folder`."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    return folder


def photos(*names: str) -> Files:
    """Return empty photos with these paths."""
    return dict.fromkeys(names, "")


def found(photo_set: PhotoSet) -> dict[str, list[str]]:
    """Return `class/name` of the photos in each part that has some."""
    parts = {
        "train": photo_set.train,
        "validation": photo_set.validation,
        "test": photo_set.test,
    }
    return {
        part: [f"{photo_set.labels[photo.label]}/{photo.name}" for photo in photos]
        for part, photos in parts.items()
        if photos
    }
