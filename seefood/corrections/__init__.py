"""What people say about pictures: corrections beside the rows of an output.

    correction  one answer of one person about one picture, as a JSON line
    log         appends answers to an output and reads them; the latest of a picture counts
    confusion   how people's labels compare with a model's
    final       one final label a picture: a person's, else the model's

Corrections are facts about a picture (URI and entity tag), not about a model: they outlive every
model, and a picture whose content changes loses them.
"""

from seefood.corrections.confusion import Confusion
from seefood.corrections.correction import Correction, checked_reviewer
from seefood.corrections.final import FINAL_COLUMNS, By, apply_corrections
from seefood.corrections.log import CorrectionLog, Corrections, read_corrections

__all__ = [
    "FINAL_COLUMNS",
    "By",
    "Confusion",
    "Correction",
    "CorrectionLog",
    "Corrections",
    "apply_corrections",
    "checked_reviewer",
    "read_corrections",
]
