"""One answer of one person about one picture."""

import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from seefood.errors import UsageError
from seefood.records import format_utc

_REVIEWER: Final = re.compile(r"(?!\.)[\w .@+-]{1,100}(?<! )")
MAX_TEXT: Final = 500
"""The most characters of a label or a note."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says about a picture: another label than the model's, or the same."""

    uri: str
    etag: str
    label: str | None
    """The right label. None, with `labels` None, takes the earlier answers back: what the model
    said counts again."""
    was: str | None
    """The model's label that the person saw, or would have seen; None if it had failed."""
    model_digest: str | None
    """The model that said `was`."""
    reviewer: str
    at: datetime
    """UTC, in whole milliseconds."""
    note: str | None = None
    labels: tuple[str, ...] | None = None
    """Of a picture that may have several labels: all right ones, possibly none. `label` is then
    the first of them, None if there is none."""

    @property
    def names(self) -> tuple[str, ...]:
        """All right labels."""
        if self.labels is not None:
            return self.labels
        return () if self.label is None else (self.label,)

    @property
    def is_answer(self) -> bool:
        """Whether it says what is right, and does not take the earlier answers back."""
        return self.label is not None or self.labels is not None

    @property
    def only_label(self) -> str:
        """The one right label. Raises `UsageError` if there are several, or none."""
        if len(self.names) != 1:
            raise UsageError(
                f"people gave {self.uri} {len(self.names)} labels, and this makes a model that "
                "gives a picture one; leave the corrections out, or correct each picture to one"
            )
        return self.names[0]

    @property
    def key(self) -> tuple[str, str]:
        """The picture: its URI and entity tag."""
        return self.uri, self.etag

    def as_json(self) -> dict[str, Any]:
        """Return the correction as a JSON object."""
        document = {item.name: getattr(self, item.name) for item in fields(self)}
        document["at"] = format_utc(self.at)
        if self.labels is None:
            del document["labels"]
        else:
            document["labels"] = list(self.labels)
        return document

    @classmethod
    def from_json(cls, document: Any) -> "Correction":
        """Return the correction of an `as_json` object; other keys are ignored.

        Raises `ValueError` if a field is absent or of another kind.
        """
        if not isinstance(document, dict):
            raise ValueError("a correction is not an object")  # noqa: TRY004 (the content is wrong)
        texts = {}
        for name in ("uri", "etag", "label", "was", "model_digest", "reviewer", "note"):
            value = document.get(name)
            is_required = name in ("uri", "etag", "reviewer")
            if not isinstance(value, str) and (is_required or value is not None):
                raise ValueError(f"its {name} is {value!r:.40}")
            texts[name] = value
        at = datetime.fromisoformat(str(document.get("at")))
        if at.tzinfo is None:
            raise ValueError("its at has no time zone")
        labels = document.get("labels")
        is_list = isinstance(labels, list) and all(isinstance(each, str) for each in labels)
        if labels is not None and not is_list:
            raise ValueError(f"its labels are {labels!r:.40}")
        several = None if labels is None else tuple(labels)
        at = at.astimezone(UTC)
        return cls(at=at, labels=several, **texts)  # type: ignore[arg-type]  # (checked above)


def encode_correction(correction: Correction) -> bytes:
    """Return `correction` as one line of JSON, UTF-8."""
    line = json.dumps(correction.as_json(), ensure_ascii=False, separators=(",", ":"))
    return line.encode("utf-8", "backslashreplace") + b"\n"


def checked_reviewer(name: str) -> str:
    """Return `name` if it can be the name of a folder in every store, else raise `UsageError`."""
    if not _REVIEWER.fullmatch(name):
        raise UsageError(
            f"{name!r:.120} cannot be a reviewer's name; use letters, digits, spaces and . _ @ + - "
            "without a dot at the start, at most 100 characters"
        )
    return name
