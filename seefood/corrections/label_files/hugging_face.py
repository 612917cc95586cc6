"""The `metadata.csv` of a Hugging Face image folder: file_name and label.

https://huggingface.co/docs/datasets/image_dataset#imagefolder. `file_name` is relative to the
folder of `metadata.csv`, which belongs beside the pictures. If pictures have several labels, there
is a column `labels` with JSON lists as well.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from seefood.corrections.label_files.base import FinalLabel, LabelFile
from seefood.corrections.label_files.tables import text_labels
from seefood.results.formats.csv import guarded, unguarded


class HuggingFace(LabelFile):
    """An image folder's metadata."""

    name = "hugging-face"
    suffixes = ("metadata.csv",)

    def encode(self, labels: Iterable[FinalLabel], base: str) -> Mapping[str, bytes]:
        """See `LabelFile.encode`. Pictures without a label are left out."""
        sink = io.StringIO(newline="")
        writer = csv.writer(sink)
        lines = [label for label in labels if label.names or label.labels is not None]
        has_several = any(label.labels is not None for label in lines)
        writer.writerow(("file_name", "label", *(("labels",) if has_several else ())))
        for label in lines:
            name = label.uri.removeprefix(base)
            is_local = label.uri.startswith("file://")
            several = (json.dumps(label.names, ensure_ascii=False),) if has_several else ()
            text = guarded(label.label or "")
            writer.writerow((unquote(name) if is_local else name, text, *several))
        return {"": sink.getvalue().encode("utf-8", "surrogateescape")}

    def decode(self, files: Mapping[str, bytes]) -> Iterator[FinalLabel]:
        """See `LabelFile.decode`."""
        reader = csv.DictReader(io.StringIO(files[""].decode("utf-8-sig"), newline=""))
        for cells in reader:
            label = unguarded(cells["label"]) or None
            several = text_labels(cells.get("labels"))
            if label or several is not None:
                yield FinalLabel(cells["file_name"], None, label, labels=several)
