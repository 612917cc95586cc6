"""The queue of an audit: random pictures, shown blind, until the goal is reached."""

from collections.abc import Sequence
from dataclasses import replace
from threading import RLock
from typing import Final

from seefood.audit.population import Population
from seefood.audit.session import Session
from seefood.audit.store import AuditFile, write_audit
from seefood.corrections import Correction, CorrectionLog
from seefood.corrections.known_labels import checked_label
from seefood.errors import UsageError
from seefood.label_sets import set_labels, set_text
from seefood.records import Row, Status, utc_now
from seefood.review.queue import Answer, Card, Neighbour, Progress, View, answered_labels
from seefood.review.reviewer import joined_labels, model_labels
from seefood.storage.uris import Location

_MAX_LABEL: Final = 500


class AuditQueue:
    """Implements `seefood.review.queue.Queue`; the number of a card is the picture's index."""

    is_blind = True

    def __init__(
        self,
        output: Location,
        population: Population,
        audit: AuditFile,
        reviewer: str,
        more_labels: Sequence[str] = (),
    ) -> None:
        """Read the answers that were given before, and write the audit's object."""
        self.audit = audit
        self.title = output.uri
        self._output = output
        self._population = population
        self._reviewer = reviewer
        self._session = Session(population, audit.goal)
        self._log = CorrectionLog(output)
        self._said: dict[int, Correction] = {}
        self._index = {key: at for at, key in enumerate(self._keys())}
        self._labels = joined_labels(model_labels(output), population.labels, more_labels)
        self._lock = RLock()
        self._changes = 0
        self._is_ready = False
        self.refresh()
        self._is_ready = True
        self._write()
        self._advance()

    @property
    def has_several(self) -> bool:
        """See `Queue.has_several`."""
        return self._population.has_several

    def labels(self) -> Sequence[str]:
        """See `Queue.labels`."""
        given = sorted({label for each in self._said.values() for label in each.names})
        return joined_labels(self._labels, given)

    def add_label(self, label: str) -> None:
        """See `Queue.add_label`."""
        with self._lock:
            self._labels = joined_labels(self._labels, [checked_label(label)])
            self._changes += 1

    def find(self, uri: str, etag: str) -> int | None:
        """See `Queue.find`."""
        return self._index.get((uri, etag))

    def progress(self, view: View) -> Progress:
        """See `Queue.progress`."""
        del view
        with self._lock:
            drawn = self._drawn()
            answered = sum(index in self._said for index in drawn)
            if self.audit.estimates is not None:
                accuracy = self.audit.estimates["accuracy"]
                low, high = (f"{accuracy[end]:.1%}" for end in ("low", "high"))
                share = low if low == high else f"between {low} and {high}"
                text = f"{share} of the labels are right"
            else:
                is_first = not self.audit.look
                text = "then the first result" if is_first else "the result was not yet sure enough"
            is_done = self.audit.estimates is not None
            return Progress(len(drawn), answered, text, is_done=is_done)

    def cards(self, view: View, start: int, count: int) -> list[Card]:
        """See `Queue.cards`."""
        del view
        with self._lock:
            return [self._card(index) for index in self._drawn()[start : start + count]]

    def near(self, number: int, count: int) -> list[Neighbour] | None:
        """See `Queue.near`. The page of an audit does not ask."""
        del number, count
        raise UsageError("an audit shows no other pictures")

    def next_open(self, view: View, start: int) -> int | None:
        """See `Queue.next_open`."""
        del view
        with self._lock:
            drawn = self._drawn()
            places = range(start, len(drawn))
            return next((place for place in places if drawn[place] not in self._said), None)

    def card(self, number: int) -> Card:
        """See `Queue.card`."""
        with self._lock:
            if number not in set(self._drawn()):
                raise KeyError(number)
            return self._card(number)

    def answer(self, answers: Sequence[Answer], answer_id: str) -> None:
        """See `Queue.answer`. Finishes the look if it was the last one that was missing."""
        with self._lock:
            drawn = set(self._drawn())
            corrections = [self._correction(each, drawn) for each in answers]
            for written in self._log.append(corrections, answer_id):
                self._take(written)
            self._advance()

    def refresh(self) -> int:
        """See `Queue.refresh`."""
        with self._lock:
            new = [each for each in self._log.refresh() if each.note == self.audit.note]
            for correction in sorted(new, key=lambda each: each.at):
                self._take(correction)
            if new and self._is_ready:
                self._advance()
            return self._changes

    def _keys(self) -> list[tuple[str, str]]:
        return list(zip(self._population.uris, self._population.etags, strict=True))

    def _drawn(self) -> list[int]:
        drawn: list[int] = self._session.drawn(self.audit.look).tolist()
        return drawn

    def _card(self, index: int) -> Card:
        picture = self._population.picture(index)
        row = Row(
            uri=picture.uri,
            etag=picture.etag,
            version_id=None,
            size_bytes=picture.size_bytes,
            width=None,
            height=None,
            format=None,
            label=None,
            score=None,
            top=None,
            status=Status.OK,
            error_code=None,
            error_message=None,
            model="",
            model_digest=self._population.digest,
            engine="",
            classified_at=utc_now(),
        )
        return Card(index, row, self._said.get(index))

    def _correction(self, answer: Answer, drawn: set[int]) -> Correction:
        if answer.number not in drawn:
            raise UsageError(f"picture {answer.number} is not in the sample; load the page again")
        picture = self._population.picture(answer.number)
        was = next(iter(set_labels(picture.said)), None)
        label, several = answered_labels(answer, was, has_several=self.has_several)
        for each in (several or ()) if label is None else (label, *(several or ())):
            if not (each.strip() and len(each) <= _MAX_LABEL):
                raise UsageError(f"{each!r:.60} cannot be a label; give one of 1 to 500 characters")
        return Correction(
            picture.uri,
            picture.etag,
            label,
            was,
            self._population.digest,
            self._reviewer,
            utc_now(),
            self.audit.note,
            several,
        )

    def _take(self, correction: Correction) -> None:
        index = self._index.get(correction.key)
        if index is None:
            return
        known = self._said.get(index)
        if known is not None and known.at > correction.at:
            return
        self._changes += 1
        self._said[index] = correction
        if not correction.is_answer:
            del self._said[index]

    def _answers(self) -> dict[int, str]:
        return {index: set_text(each.names) for index, each in self._said.items()}

    def _advance(self) -> None:
        """Finish every look that has all its answers; stop at the goal."""
        while self.audit.estimates is None:
            answers = self._answers()
            if any(index not in answers for index in self._drawn()):
                return
            look = self.audit.look
            if self._session.is_enough(look, answers):
                estimates = self._session.estimates(look, answers).as_json()
                self.audit = replace(self.audit, estimates=estimates)
            else:
                self.audit = replace(self.audit, look=look + 1)
            self._write()

    def _write(self) -> None:
        write_audit(self._output, self.audit, self._session, self._answers())
