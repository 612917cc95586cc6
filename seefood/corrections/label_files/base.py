"""The base class of files with final labels."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from seefood.corrections.final import By


@dataclass(frozen=True, slots=True)
class FinalLabel:
    """One picture and its final label."""

    uri: str
    """In a file that is read, perhaps only the end of a URI or of a path."""
    etag: str | None
    label: str | None
    by: By = By.PERSON
    score: float | None = None
    model_digest: str | None = None
    """The model that said the label, or gave the score."""
    note: str | None = None
    labels: tuple[str, ...] | None = None
    """All labels, of a picture that may have several; `label` is the main one."""

    @property
    def names(self) -> tuple[str, ...]:
        """All labels of the picture."""
        if self.labels is not None:
            return self.labels
        return () if self.label is None else (self.label,)


class LabelFile(ABC):
    """A kind of file with labels; one registered instance for each kind."""

    name: ClassVar[str]
    """What `--format` takes."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Ends of file names that mean this kind."""
    is_folder: ClassVar[bool] = False
    """Whether it is several files in a folder."""

    @abstractmethod
    def encode(self, labels: Iterable[FinalLabel], base: str) -> Mapping[str, bytes]:
        """Return the files by their names in the folder; a single file has the name "".

        `base` is what the URIs of all pictures begin with, for kinds that have relative paths.
        """

    @abstractmethod
    def decode(self, files: Mapping[str, bytes]) -> Iterator[FinalLabel]:
        """Yield the labels of such files. Raises `ValueError` or `KeyError` for other content."""
