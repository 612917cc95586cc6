"""The words by which people name the parts of their data: to train on, to validate, to test."""

import re
from enum import StrEnum
from typing import Final
from unicodedata import combining, normalize


class Part(StrEnum):
    """What a photo is for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


_WORDS: Final = {
    Part.TRAIN: "train training trainset trainingset traindata trainingsdaten entrenamiento "
    "entrainement apprentissage treinamento treino addestramento",
    Part.VALIDATION: "val valid validate validation valset validset validationset dev devset "
    "validierung validierungsdaten validacion validacao validazione",
    Part.TEST: "test tests testing testset testdata testdaten eval evaluation prueba pruebas teste",
}
_PARTS: Final = {word: part for part, words in _WORDS.items() for word in words.split()}
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def part_of(name: str) -> Part | None:
    """Return the part that a folder, a table or a cell called `name` stands for, or None."""
    return _PARTS.get(_plain(name).lower())


def part_in(name: str) -> Part | None:
    """Return the part that one of the words of `name` stands for, as in `seg_train` or `02 Test`.

    None if there is no such word, or words of two parts.
    """
    words = (word.lower() for word in _WORD.findall(_plain(name)))
    parts = {part for word in words if (part := _PARTS.get(word)) is not None}
    return parts.pop() if len(parts) == 1 else None


def _plain(name: str) -> str:
    """Return `name` without blanks around it and without accents."""
    return "".join(it for it in normalize("NFD", name.strip()) if not combining(it))
