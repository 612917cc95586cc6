"""The file that says which model is in use: `--model` takes it in place of a bundle.

It is a small JSON object at a path or URI that ends in `.json`. Whoever reads it, the batch job or
a deployment of the Lambda, gets the bundle and the digest that it must have.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from seefood.errors import UsageError
from seefood.sanitize import field_problem
from seefood.storage import read, write
from seefood.storage.uris import Location

SUFFIX: Final = ".json"
_KEPT: Final = 20
"""Earlier models that the file remembers."""


@dataclass(frozen=True, slots=True)
class InUse:
    """A model that is or was in use."""

    model: str
    """The bundle's folder or URI."""
    digest: str
    since: str
    """When it came into use, UTC."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Why: what `seefood promote` found."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """The model in use, and those before it, the latest first."""

    current: InUse
    before: tuple[InUse, ...] = ()

    def replaced(self, new: InUse) -> "Pointer":
        """Return the pointer with `new` in use."""
        return Pointer(new, (self.current, *self.before)[:_KEPT])

    def back(self) -> "Pointer":
        """Return the pointer with the model before in use. Raises `UsageError` if none was."""
        if not self.before:
            raise UsageError(
                f"there is no model before {self.current.model}; promote one in place of it"
            )
        return Pointer(self.before[0], self.before[1:])


def read_pointer(location: Location) -> Pointer | None:
    """Return the pointer at `location`; None if there is none. Raises `UsageError` for others."""
    try:
        data = read(location)
    except FileNotFoundError:
        return None
    try:
        document = json.loads(data)
        models = [InUse(**each) for each in (document["current"], *document["before"])]
        if not all(isinstance(each.model, str) and isinstance(each.digest, str) for each in models):
            raise TypeError("a model or digest that is no text")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{location.uri} does not say which model is in use ({field_problem(error)}); move it "
            "away, then `seefood promote BUNDLE --to FILE` writes another"
        ) from error
    return Pointer(models[0], tuple(models[1:]))


def write_pointer(pointer: Pointer, location: Location) -> None:
    """Write the pointer. Atomic, overwrites."""
    document = {"current": asdict(pointer.current), "before": list(map(asdict, pointer.before))}
    write(location, (json.dumps(document, indent=2) + "\n").encode())
