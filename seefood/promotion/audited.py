"""Reads what two models say of audited pictures: the newest audit's answers and both rows."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seefood.corrections import CorrectionLog
from seefood.errors import UsageError
from seefood.label_sets import set_column, set_text
from seefood.promotion.comparison import Pair
from seefood.records import DIGEST_SHOWN, format_utc
from seefood.results.files import AUDITS
from seefood.results.output_rows import open_rows
from seefood.sanitize import field_problem
from seefood.storage import list_existing, read
from seefood.storage.uris import Location, parse_location

Key = tuple[str, str]
"""A picture: URI and entity tag."""


def audited_pairs(output: Location, current: str, candidate: str) -> list[Pair]:
    """Return what the models with the digests `current` and `candidate` say of audited pictures.

    The audit is the newest with answers that began after the candidate had labelled its pictures,
    and pictures that people had labelled by then are left out: the candidate may have learned from
    them. So are pictures without a row of both models. Raises `UsageError` if nothing remains.
    """
    labels, since = _labels(output, candidate)
    now, _ = _labels(output, current)
    learned = {each.key for each in CorrectionLog(output).refresh() if format_utc(each.at) <= since}
    comparable = (now.keys() & labels.keys()) - learned
    audits = _audits(output)
    fresh = [audit for audit in audits if audit["began"] > since]
    for audit in fresh:
        pairs = [
            Pair(answer, now[key], labels[key], probability)
            for key, (answer, probability) in _answers(audit).items()
            if key in comparable
        ]
        if pairs:
            return pairs
    command = f"`seefood audit {output.uri} --model-digest {current[:DIGEST_SHOWN]}"
    named = f"the model {candidate[:DIGEST_SHOWN]} had labelled its pictures ({since})"
    if not audits:
        reason = f"has no audit; {command}` asks for the answers that decide"
    elif not fresh:
        reason = f"has no audit that began after {named}; {command} --new` begins one"
    elif any(map(_answers, fresh)):
        reason = (
            f"has an audit, but people had labelled its pictures before {named}, or not both "
            f"models did; label more pictures with both, then {command} --new` begins another"
        )
    else:
        reason = "has an audit without a first result; the command that began it goes on with it"
    raise UsageError(f"{output.uri} {reason}")


@dataclass(frozen=True, slots=True)
class AuditAnswers:
    """The answers of an audit."""

    day: str
    """On which it began."""
    answers: Mapping[Key, tuple[str, float]]
    """The text of a picture's right labels (`seefood.label_sets`), and the probability with which
    it was drawn."""


def newest_answers(outputs: Iterable[Location]) -> AuditAnswers | None:
    """Return the newest audit with answers below one of `outputs`; None if there is none.

    Raises `UsageError` for a damaged audit.
    """
    audits = [audit for output in outputs for audit in _audits(output)]
    for audit in sorted(audits, key=lambda each: str(each["began"]), reverse=True):
        if answers := _answers(audit):
            return AuditAnswers(str(audit["began"])[:10], answers)
    return None


def _answers(audit: Mapping[str, Any]) -> dict[Key, tuple[str, float]]:
    return {
        (each["uri"], each["etag"]): (_text(each["answer"]), float(each["probability"]))
        for each in audit["sample"]
        if each.get("answer") is not None
    }


def _text(answer: str | list[str]) -> str:
    return set_text([answer] if isinstance(answer, str) else answer)


def _labels(output: Location, digest: str) -> tuple[dict[Key, str | None], str]:
    """Return the text of each picture's labels, and when the first one was given."""
    labels: dict[Key, str | None] = {}
    times: list[str] = []
    columns = ("uri", "etag", "label", "labels", "classified_at")
    for batch in open_rows(output, digest).batches(columns):
        texts = set_column(batch).to_pylist()
        keys = zip(batch["uri"].to_pylist(), batch["etag"].to_pylist(), strict=True)
        labels |= dict(zip(keys, texts, strict=True))
        times += [format_utc(min(batch["classified_at"].to_pylist()))] if texts else []
    return labels, min(times)


def _audits(output: Location) -> list[dict[str, Any]]:
    """Return the audits that can be read, the newest first."""
    audits = []
    uris = (ref.uri for ref in list_existing(output.child(f"{AUDITS}/")))
    for uri in sorted((uri for uri in uris if uri.endswith(".json")), reverse=True):
        try:
            document = json.loads(read(parse_location(uri)))
            if isinstance(document["sample"], list) and isinstance(document["began"], str):
                audits.append(document)
        except (ValueError, KeyError, TypeError, RecursionError, FileNotFoundError) as error:
            raise UsageError(
                f"{uri} is not an audit of seefood ({field_problem(error)}); move it away and "
                "try again"
            ) from error
    return audits
