"""A folder with a list of pictures for each label, for training elsewhere.

`FOLDER/<label>.txt` holds the URIs of the label's pictures, one a line; a picture of several labels
is in the list of each. A label that cannot be a
file name is percent-encoded. Such a list is a manifest for `seefood classify --manifest`.
"""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, unquote

from seefood.corrections.label_files.base import FinalLabel, LabelFile

_SUFFIX = ".txt"


class ClassLists(LabelFile):
    """A folder of lists."""

    name = "lists"
    is_folder = True

    def encode(self, labels: Iterable[FinalLabel], base: str) -> Mapping[str, bytes]:
        """See `LabelFile.encode`. Pictures without a label are left out."""
        del base
        lists: dict[str, list[str]] = {}
        for label in labels:
            for name in label.names:
                lists.setdefault(name, []).append(f"{label.uri}\n")
        return {
            f"{quote(name, safe=' +,=@()&')}{_SUFFIX}": "".join(uris).encode(
                "utf-8", "backslashreplace"
            )
            for name, uris in lists.items()
        }

    def decode(self, files: Mapping[str, bytes]) -> Iterator[FinalLabel]:
        """See `LabelFile.decode`."""
        names: dict[str, list[str]] = {}
        for name, data in files.items():
            if name.endswith(_SUFFIX):
                for line in filter(str.strip, data.decode().splitlines()):
                    names.setdefault(line, []).append(unquote(name.removesuffix(_SUFFIX)))
        for uri, labels in names.items():
            several = tuple(labels) if len(labels) > 1 else None
            yield FinalLabel(uri, None, labels[0], labels=several)
