"""The layouts of labelled photos: folders, tables of labels, and their registry.

A layout is one module with a `Layout`, and one line in `registry.py`.
"""

from seefood_training.layouts.base import Found, Labelled, Layout, LeftOut, Listing
from seefood_training.layouts.parts import Part
from seefood_training.layouts.registry import LAYOUTS, find_photos, register_layout

__all__ = [
    "LAYOUTS",
    "Found",
    "Labelled",
    "Layout",
    "LeftOut",
    "Listing",
    "Part",
    "find_photos",
    "register_layout",
]
