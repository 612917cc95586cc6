"""The `metadata.csv` of a Hugging Face image folder: file_name and label.

https://huggingface.co/docs/datasets/image_dataset#imagefolder. `file_name` is relative to the
folder of `metadata.csv`, which belongs beside the pictures.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from seefood.corrections.label_files.base import FinalLabel, LabelFile
from seefood.results.formats.csv import guarded, unguarded


class HuggingFace(LabelFile):
    """An image folder's metadata."""

    name = "hugging-face"
    suffixes = ("metadata.csv",)

    def encode(self, labels: Iterable[FinalLabel], base: str) -> Mapping[str, bytes]:
        """See `LabelFile.encode`. Pictures without a label are left out."""
        sink = io.StringIO(newline="")
        writer = csv.writer(sink)
        writer.writerow(("file_name", "label"))
        for label in labels:
            if label.label is not None:
                name = label.uri.removeprefix(base)
                is_local = label.uri.startswith("file://")
                writer.writerow((unquote(name) if is_local else name, guarded(label.label)))
        return {"": sink.getvalue().encode("utf-8", "surrogateescape")}

    def decode(self, files: Mapping[str, bytes]) -> Iterator[FinalLabel]:
        """See `LabelFile.decode`."""
        reader = csv.DictReader(io.StringIO(files[""].decode("utf-8-sig"), newline=""))
        for cells in reader:
            if label := cells["label"]:
                yield FinalLabel(cells["file_name"], None, unguarded(label))
