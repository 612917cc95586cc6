"""A file with the right labels of pictures, which plays the person in a simulated audit.

For pictures of several labels it has a column `labels`: a JSON list, as `seefood labels` writes it,
or names with `;` between.
"""

import csv
import io
import json
from collections.abc import Iterable

from seefood.errors import UsageError
from seefood.label_sets import set_text
from seefood.nearest import nearest_path
from seefood.storage import read
from seefood.storage.uris import parse_location


def read_truth(text: str) -> dict[str, str]:
    """Return the text of the right labels of each URI in a CSV file `uri,label` or `uri,labels`.

    See `seefood.label_sets`. A path instead of a URI is one of this machine. Raises `UsageError`.
    """
    try:
        content = read(parse_location(text)).decode("utf-8-sig", "surrogateescape")
        lines = csv.DictReader(io.StringIO(content, newline=""))
        columns = set(lines.fieldnames or ())
        if "uri" not in columns or not columns & {"label", "labels"}:
            raise UsageError(f"{text} has no columns uri and label; its first line must name them")
        return {
            parse_location(line["uri"]).uri: set_text(_right(line))
            for line in lines
            if line["uri"] and (line.get("label") or line.get("labels") is not None)
        }
    except FileNotFoundError as error:
        raise UsageError(
            f"there is nothing at {text}; check the path{nearest_path(text)}"
        ) from error
    except (csv.Error, ValueError) as error:
        raise UsageError(f"{text} is not a CSV file ({error})") from error


def _right(line: dict[str, str]) -> Iterable[str]:
    labels = (line.get("labels") or "").strip()
    if labels.startswith("["):
        return [str(label) for label in json.loads(labels)]
    if not labels and line.get("label"):
        return [line["label"]]
    return [label.strip() for label in labels.split(";") if label.strip()]
