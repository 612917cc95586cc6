"""The queue of an audit: blind, resumable, and for two people at once."""

import json

import pytest

from seefood.audit.population import read_population
from seefood.audit.session import Goal
from seefood.audit.store import find_audit, new_audit, read_audits
from seefood.corrections import read_corrections
from seefood.errors import UsageError
from seefood.report.writing import rewrite_report
from seefood.review.audit_queue import AuditQueue
from seefood.review.queue import Answer
from seefood.storage import read
from seefood.storage.uris import parse_location
from tests.fakes import make_row
from tests.review_client import TOKEN, ReviewClient
from tests.seefood.results.test_output_rows import put_part

GOAL = Goal(within=0.15, confidence=0.9, per_label=False, error=0.1, seed=3)


@pytest.fixture
def output(memory: str) -> str:
    """Return an output of 60 pictures, 45 with the label that the tests look for."""
    labels = ["secretword" if number % 4 else "other" for number in range(60)]
    rows = [
        make_row(f"s3://b/{number}.jpg", label=label, score=0.8125, top=((label, 0.8125),))
        for number, label in enumerate(labels)
    ]
    put_part(memory, "a", *rows)
    return memory


def _open(output: str, reviewer: str = "ada") -> AuditQueue:
    """Return the queue that `seefood audit` serves."""
    location = parse_location(output)
    population = read_population(location)
    known = find_audit(read_audits(location), population, GOAL)
    return AuditQueue(location, population, known or new_audit(population, GOAL), reviewer)


def _answer(queue: AuditQueue, count: int, name: str) -> None:
    """Answer the next open pictures, as many as there are of `count`."""
    for number in range(count):
        position = queue.next_open({}, 0)
        if position is None:
            return
        (card,) = queue.cards({}, position, 1)
        queue.answer([Answer(card.number, "other")], f"{name}{number}")


def test_the_page_gets_nothing_that_the_model_said(output: str) -> None:
    """No label, score or model is in the cards, before and after an answer."""
    client = ReviewClient(_open(output), output)
    cards = client.json("cards?start=0&count=60")["cards"]
    assert len(cards) >= 20
    letter = {"id": "a1", "answers": [{"number": cards[0]["number"], "label": "other"}]}
    replies = [json.dumps(cards), json.dumps(client.json("answers?start=1&count=5", letter))]
    assert "200" == client.status
    replies.append(json.dumps(client.json("cards?start=0&count=60")))
    assert [] == [word for word in ("secretword", "0.8125", "score") if word in "".join(replies)]
    assert {"secretword", "other"} == set(client.json("state")["labels"])
    client.call(f"/{TOKEN}/heat/{cards[0]['number']}")
    assert "200" != client.status


def test_the_same_audit_goes_on_after_a_kill(output: str) -> None:
    """A new process has the answers, the sample and its order, and asks no picture again."""
    first = _open(output)
    _answer(first, 7, "a")
    again = _open(output)
    assert first.audit.name == again.audit.name
    assert 7 == again.progress({}).answered
    assert 7 == again.next_open({}, 0)
    uris = [[card.row.uri for card in queue.cards({}, 0, 99)] for queue in (first, again)]
    assert uris[0] == uris[1]
    assert len(uris[0]) == len(set(uris[0]))


def test_two_people_share_the_work(output: str) -> None:
    """Each sees the other's answers after a refresh; both have the same estimates at the end."""
    ada = _open(output)
    bob = _open(output, "bob")
    assert ada.audit.name == bob.audit.name
    _answer(ada, 5, "a")
    bob.refresh()
    assert 5 == bob.next_open({}, 0)
    _answer(bob, 99, "b")
    ada.refresh()
    assert ada.progress({}).is_done
    assert ada.audit.estimates == bob.audit.estimates
    location = parse_location(output)
    said = read_corrections(location)
    assert {"ada", "bob"} == {each.reviewer for each in said.values()}
    assert len(said) == len(bob.cards({}, 0, 99))
    (audit,) = read_audits(location)
    assert audit.estimates is not None
    assert audit.estimates["accuracy"]["low"] <= 0.25 <= audit.estimates["accuracy"]["high"]
    page = read(rewrite_report(location)).decode()
    assert f"The audit of {audit.began[:10]} asked about {len(said)} of 60 pictures" in page
    assert 'dir="auto">secretword</th><td>0 [' in page


def test_an_audit_whose_rows_changed_is_refused(output: str) -> None:
    """Its sample does not stand for other rows; another goal or model begins anew."""
    location = parse_location(output)
    _answer(_open(output), 1, "a")
    put_part(output, "b", make_row("s3://b/more.jpg", label="other"))
    with pytest.raises(UsageError, match=r"rows have changed since the audit .* --new"):
        _open(output)
    assert 1 == len(read_audits(location))
    wider = Goal(within=0.2, confidence=0.9, per_label=False, error=0.1, seed=3)
    assert find_audit(read_audits(location), read_population(location), wider) is None


def test_the_report_states_no_estimates_of_other_rows(output: str) -> None:
    """If rows have changed since the audit, the page says that, and no share of right labels."""
    _answer(_open(output), 60, "a")
    location = parse_location(output)
    assert "of the labels are right" in read(rewrite_report(location)).decode()
    put_part(output, "b", make_row("s3://b/new.jpg", label="other", score=0.5))
    page = read(rewrite_report(location)).decode()
    assert "The rows have changed since the audit of" in page
    assert "of the labels are right" not in page
