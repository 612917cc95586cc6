"""A file with the right labels of pictures, which plays the person in a simulated audit."""

import csv
import io

from seefood.errors import UsageError
from seefood.storage import read
from seefood.storage.uris import parse_location


def read_truth(text: str) -> dict[str, str]:
    """Return the right label of each URI in a CSV file `uri,label`.

    A path instead of a URI is one of this machine. Raises `UsageError`.
    """
    try:
        content = read(parse_location(text)).decode("utf-8-sig", "surrogateescape")
        lines = csv.DictReader(io.StringIO(content, newline=""))
        if not {"uri", "label"} <= set(lines.fieldnames or ()):
            raise UsageError(f"{text} has no columns uri and label; its first line must name them")
        return {
            parse_location(line["uri"]).uri: line["label"]
            for line in lines
            if line["uri"] and line["label"]
        }
    except FileNotFoundError as error:
        raise UsageError(f"there is nothing at {text}; check the path") from error
    except csv.Error as error:
        raise UsageError(f"{text} is not a CSV file ({error})") from error
