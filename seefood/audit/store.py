"""Audits in an output, one JSON object each: DEST/audits/<time>-<id>.json.

It has the goal, the plan, the sample with each picture's probability of selection, and, once they
are known, answers and estimates. Answers are written as corrections first, with the audit's name
in their note; the audit's object is written when a look begins and when it ends. So whatever is
killed, nothing that was answered is lost.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from secrets import token_hex
from typing import Any

from seefood.audit.population import Population
from seefood.audit.session import Goal, Session
from seefood.errors import JobError, UsageError
from seefood.label_sets import set_labels
from seefood.records import format_utc, utc_now
from seefood.results.files import AUDITS
from seefood.storage import list_existing, read, write
from seefood.storage.uris import Location, parse_location


@dataclass(frozen=True, slots=True)
class AuditFile:
    """One audit as its object has it."""

    name: str
    """`<time>-<id>`."""
    began: str
    goal: Goal
    model_digest: str
    fingerprint: str
    """Of the rows; see `Population.fingerprint`."""
    look: int = 0
    """The current or the last look, from 0."""
    estimates: Mapping[str, Any] | None = None
    """None while more answers are needed."""

    @property
    def note(self) -> str:
        """The note of the corrections that are answers to this audit."""
        return f"audit {self.name}"


def new_audit(population: Population, goal: Goal) -> AuditFile:
    """Return an audit that begins now."""
    now = utc_now()
    name = f"{now:%Y%m%dT%H%M%SZ}-{token_hex(4)}"
    return AuditFile(name, format_utc(now), goal, population.digest, population.fingerprint)


def write_audit(
    output: Location, audit: AuditFile, session: Session, answers: Mapping[int, str]
) -> Location:
    """Write the audit with its sample and return its location. Atomic, overwrites."""

    def as_said(text: str) -> str | list[str]:
        return list(set_labels(text)) if session.population.has_several else text

    sample = []
    for index in session.drawn(audit.look).tolist():
        picture = session.population.picture(index)
        sample.append(
            {
                "uri": picture.uri,
                "etag": picture.etag,
                "said": as_said(picture.said),
                "score": round(picture.score, 6),
                "group": int(session.group[index]),
                "probability": session.probability(index, audit.look),
                "answer": None if index not in answers else as_said(answers[index]),
            }
        )
    document = {
        **{name: getattr(audit, name) for name in ("name", "began", "model_digest")},
        "fingerprint": audit.fingerprint,
        "goal": asdict(audit.goal),
        "population": len(session.population),
        "looks": [asdict(look) for look in session.looks],
        "look": audit.look,
        "sample": sample,
        "estimates": audit.estimates,
    }
    location = output.child(f"{AUDITS}/{audit.name}.json")
    write(location, (json.dumps(document, indent=1, ensure_ascii=True) + "\n").encode())
    return location


def read_audits(output: Location) -> list[AuditFile]:
    """Return the audits of an output, the newest first. Raises `JobError` for damaged ones."""
    uris = (ref.uri for ref in list_existing(output.child(f"{AUDITS}/")))
    return [_read(uri) for uri in sorted(uris, reverse=True) if uri.endswith(".json")]


def _read(uri: str) -> AuditFile:
    try:
        document = json.loads(read(parse_location(uri)))
        return AuditFile(
            document["name"],
            document["began"],
            Goal(**document["goal"]),
            document["model_digest"],
            document["fingerprint"],
            int(document["look"]),
            document["estimates"],
        )
    except (ValueError, KeyError, TypeError, FileNotFoundError, RecursionError) as error:
        raise JobError(
            f"{uri} is not an audit of seefood ({error}); move it away and run again"
        ) from error


def find_audit(audits: Iterable[AuditFile], population: Population, goal: Goal) -> AuditFile | None:
    """Return the newest audit of this model with this goal; None if there is none.

    Raises `UsageError` if its rows have changed since.
    """
    for audit in audits:
        if audit.model_digest != population.digest or not _is_same(audit.goal, goal):
            continue
        if audit.fingerprint != population.fingerprint:
            raise UsageError(
                f"the rows have changed since the audit {audit.name} began, so its sample no "
                "longer stands for them; begin another one with --new"
            )
        return audit
    return None


def _is_same(one: Goal, other: Goal) -> bool:
    names = ("within", "confidence", "per_label", "error")
    return all(getattr(one, name) == getattr(other, name) for name in names)
