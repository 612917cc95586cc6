"""What a bundle knows of the pictures that its model was made from: what runs are compared with.

It is in `bundle.json` and outside of what the digest is computed from, because it decides no row:
a bundle can be given one at any time, and its results stay valid.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seefood.drift.fingerprint import SCORES, Fingerprint
from seefood.drift.measures import MEASURES, SCORE
from seefood.sanitize import field_problem


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of a picture whose label is known."""

    label: str
    score: float
    truth: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The fingerprint of the training pictures, and how right the model is at each score."""

    fingerprint: Fingerprint
    """Its scores are of pictures that the model was not trained on."""
    right: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By label: how many of the pictures in each bin of its scores have that label."""
    confused: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By label: the true labels of the other pictures that were given it."""

    def as_json(self) -> dict[str, Any]:
        """Return the reference as a JSON object."""
        confused = {label: dict(sorted(each.items())) for label, each in self.confused.items()}
        return {
            "fingerprint": self.fingerprint.as_json(),
            "right": {label: list(counts) for label, counts in sorted(self.right.items())},
            "confused": dict(sorted(confused.items())),
        }

    @classmethod
    def from_json(cls, document: Any) -> "Reference | None":
        """Return the reference that `as_json` wrote; None for one of another version.

        Raises `ValueError` for anything else.
        """
        try:
            fingerprint = Fingerprint.from_json(document["fingerprint"])
            right = {str(label): tuple(map(int, each)) for label, each in document["right"].items()}
            confused = {
                str(label): {str(truth): int(count) for truth, count in counts.items()}
                for label, counts in document["confused"].items()
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"it is not the reference of a bundle ({field_problem(error)})"
            ) from error
        if fingerprint is None:
            return None
        for label, counts in right.items():
            said = fingerprint.numbers.get(f"{SCORES}{label}", ())
            if len(said) != len(counts) or any(a > b for a, b in zip(counts, said, strict=True)):
                raise ValueError(f"it has other scores of {label!r:.60} than its fingerprint")
        return cls(fingerprint, right, confused)


def reference_of(
    pictures: Fingerprint, novelty: tuple[int, ...], answers: Iterable[Answer]
) -> Reference:
    """Return the reference of training pictures.

    `pictures` is the fingerprint of their rows. `answers`, and the histogram `novelty`, are of
    pictures that the model was not trained on: its scores of others say nothing of how right it is.
    """
    edges = MEASURES[SCORE].edges
    said: dict[str, list[int]] = {}
    right: dict[str, list[int]] = {}
    confused: dict[str, Counter[str]] = {}
    for answer in answers:
        at = bisect_right(edges, answer.score)
        said.setdefault(answer.label, [0] * (len(edges) + 1))[at] += 1
        is_right = answer.truth == answer.label
        right.setdefault(answer.label, [0] * (len(edges) + 1))[at] += is_right
        if not is_right:
            confused.setdefault(answer.label, Counter())[answer.truth] += 1
    numbers = {name: each for name, each in pictures.numbers.items() if not name.startswith(SCORES)}
    numbers |= {"novelty": novelty} if any(novelty) else {}
    numbers |= {f"{SCORES}{label}": tuple(counts) for label, counts in said.items()}
    return Reference(
        replace(pictures, numbers=numbers),
        {label: tuple(counts) for label, counts in right.items()},
        confused,
    )
