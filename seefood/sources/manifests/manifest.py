"""A manifest as a source: one file, or a folder of the part files that Spark writes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from seefood.errors import SeefoodError, UsageError
from seefood.nearest import nearest_path
from seefood.records import ImageRef, ListingNote
from seefood.sources.manifests.dialects import find_dialect
from seefood.sources.manifests.entries import EntryError, EntryReader, ListError, NoColumnError
from seefood.sources.manifests.opening import OpenList, open_list
from seefood.sources.manifests.part_files import part_files
from seefood.sources.s3_inventory import check_inventory, is_inventory, read_inventory
from seefood.storage import read
from seefood.storage.uris import Location, parse_location


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with an entry, with its place."""

    text: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as a source. See `Source`."""

    name: str
    """As the user gave it."""
    location: Location
    column: str | None = None
    """The column of the pictures' names; None to tell it by its name."""
    is_exact: bool = False

    @property
    def text(self) -> str:
        """See `Source.text`."""
        return f"manifest {self.name}"

    @property
    def empty_message(self) -> str:
        """See `Source.empty_message`."""
        return f"the {self.text} lists no picture; check the file"

    def check(self) -> None:
        """See `CheckedSource.check`. An S3 Inventory's rows are S3's own and are not read twice."""
        first, count = None, 0
        for item in self._items(is_check=True):
            if isinstance(item, _Fault):
                first, count = first or item, count + 1
        if first is not None:
            raise self._refusal(first, count)

    def list(self) -> Iterator[ImageRef]:
        """Yield what the manifest lists, in its order, with as much as it says of each picture.

        Raises `UsageError` for a manifest that is absent, or at its first fault.
        """
        return (item for item in self.walk() if isinstance(item, ImageRef))

    def walk(self) -> Iterator[ImageRef | ListingNote]:
        """See `NotingSource.walk`."""
        for item in self._items():
            if isinstance(item, _Fault):
                raise self._refusal(item, 1)
            yield item

    def _refusal(self, fault: _Fault, count: int) -> UsageError:
        others = f" ({count - 1:,} more like it)" if count > 1 else ""
        return UsageError(f"{fault.text}{others}; nothing was classified, mend it and run again")

    def _items(self, *, is_check: bool = False) -> Iterator[ImageRef | ListingNote | _Fault]:
        parts = part_files(self.location)
        for part in parts or [self.location]:
            own = self if not parts else replace(self, name=_part_name(self, part), location=part)
            yield from own._items_of_file(is_check=is_check)  # noqa: SLF001 (of the same class)

    def _items_of_file(self, *, is_check: bool) -> Iterator[ImageRef | ListingNote | _Fault]:
        try:
            opened = open_list(self.location)
            if is_inventory(opened.head):
                data = read(self.location)
                if is_check:
                    check_inventory(data, self.location)
                else:
                    yield from read_inventory(data, self.location)
                return
            yield from self._entries(opened)
        except FileNotFoundError as error:
            near = nearest_path(self.location.key) if self.location.is_local else ""
            raise UsageError(f"there is no {self.text}; check the path{near}") from error
        except NoColumnError as error:
            columns = ", ".join(f"{name:.80}" for name in error.args[0][:30])
            raise UsageError(
                f"the {self.text} has the columns {columns}, none of which is known to hold "
                "names; name the column with `--manifest-column NAME`"
            ) from error
        except ListError as error:
            raise UsageError(f"the {self.text} cannot be read: {error}") from error
        except SeefoodError:
            raise
        except Exception as error:  # gzip, csv, json and Arrow raise many kinds
            cause = f"it has no {error}" if isinstance(error, KeyError) else error
            raise UsageError(
                f"the {self.text} cannot be read: {cause}; it must be txt, csv, jsonl, json, "
                "Parquet or an S3 Inventory's manifest.json"
            ) from error

    def _entries(self, opened: OpenList) -> Iterator[ImageRef | ListingNote | _Fault]:
        """Yield the entries; a wrong one is a fault, and so is a list that ends in its middle."""
        column = self.column.strip().lower() if self.column else None
        reader = EntryReader(self.location, column)
        dialect = find_dialect(opened)
        try:
            for number, record in dialect.read(opened, column):
                try:
                    yield reader.ref(number, record)
                except EntryError as error:
                    yield _Fault(f"{dialect.unit} {number} of the {self.text}: {error}")
            if reader.repaired:
                text = (
                    f"it is not UTF-8; names such as that of {dialect.unit} {reader.repaired[0]} "
                    "are read as Latin-1 (Windows-1252)"
                )
                yield ListingNote(self.location.uri, text, is_loss=False)
        except EntryError as error:
            cannot = f"the {self.text} cannot be read: {dialect.unit} {error.number}"
            yield _Fault(f"{cannot}: {error}")


def parse_manifest(text: str, column: str | None = None) -> Manifest:
    """Return the manifest at a path or URI. Raises `UsageError` for a text that is neither."""
    return Manifest(text, parse_location(text), column)


def _part_name(manifest: Manifest, part: Location) -> str:
    inside = part.key.removeprefix(manifest.location.key.rstrip("/")).lstrip("/")
    return f"{manifest.name.rstrip('/')}/{inside}"
