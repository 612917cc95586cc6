"""Corrections of pictures to which models give several labels, wherever corrections count."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from seefood import read
from seefood.audit.population import read_population
from seefood.audit.session import Goal, Session
from seefood.audit.store import new_audit
from seefood.audit.truth import read_truth
from seefood.cli import main
from seefood.corrections import Confusion, Correction, CorrectionLog, read_corrections
from seefood.corrections.label_files import label_file, label_file_names
from seefood.corrections.output_labels import final_labels, import_labels
from seefood.corrections.verdict import Verdict, judged
from seefood.errors import UsageError
from seefood.label_sets import set_text
from seefood.records import Row
from seefood.report.corrected import corrected
from seefood.results.diff import changes
from seefood.results.output_rows import open_rows
from seefood.review.audit_queue import AuditQueue
from seefood.review.output_queue import OutputQueue
from seefood.review.queue import Answer
from seefood.storage.uris import parse_location
from tests.fakes import failed, make_row
from tests.review_client import ReviewClient
from tests.seefood.results.test_output_rows import put_part

_LABELS = {1: ("cat", "dog"), 2: (), 3: ("dog",), 4: ("cat",)}
_TOP = (("cat", 0.8), ("dog", 0.6), ("bird", 0.1))
_SAID: dict[int, list[str]] = {1: ["bird", "cat"], 2: ["dog"], 3: [], 4: ["cat"]}
"""What people say; of the failed picture nothing."""


def _row(number: int, labels: tuple[str, ...]) -> Row:
    main_label = labels[0] if labels else "cat"
    return make_row(f"s3://b/{number}.jpg", label=main_label, labels=labels, top=_TOP)


def _rows() -> list[Row]:
    return [_row(number, labels) for number, labels in _LABELS.items()]


def _reviewed(root: str) -> OutputQueue:
    """Return the queue of an output whose pictures have the answers `_SAID`, given by its page."""
    put_part(root, "a", *_rows(), failed("s3://b/5.jpg", "corrupt", "bad"))
    queue = OutputQueue(parse_location(root), "ada", ("bird",), refresh_seconds=0.0)
    queue.start()
    queue.wait_until_loaded()
    client = ReviewClient(queue, root)
    assert client.json("state")["several"] is True
    cards = {
        card["name"]: card for card in client.json("cards?start=0&count=9&order=stored")["cards"]
    }
    for number, labels in _SAID.items():
        said = {"number": cards[f"{number}.jpg"]["number"], "label": None, "labels": labels}
        client.json("answers", {"id": f"a{number}", "answers": [said]})
        assert "200" == client.status
    return queue


def test_the_page_takes_sets_of_labels(memory: str) -> None:
    """Filters, progress and the log know them; an unknown label is refused; null takes back."""
    queue = _reviewed(memory)
    corrections = read_corrections(parse_location(memory))
    said = {int(uri[7]): set(each.names) for (uri, _), each in corrections.items()}
    assert {number: set(labels) for number, labels in _SAID.items()} == said
    assert "cat" == corrections["s3://b/1.jpg", "e1"].label  # the model's main label is right
    assert 4 == queue.progress({}).answered

    def shown(**view: str) -> list[str]:
        return [card.row.uri[7] for card in queue.cards({**view, "order": "stored"}, 0, 9)]

    assert ["1", "4"] == shown(label="cat")
    assert ["2"] == shown(label="dog")
    assert ["1", "2", "3"] == shown(said="changed")
    assert ["4"] == shown(said="agreed")
    with pytest.raises(UsageError, match="nobody knows the label 'fish'"):
        queue.answer([Answer(0, None, labels=("fish",))], "b1")
    queue.answer([Answer(2, None)], "b2")
    assert ["3", "5"] == shown(said="open")


def test_one_label_stays_one_label(memory: str) -> None:
    """Where models give one label, several are refused, and one in a list is one."""
    put_part(memory, "a", make_row("s3://b/1.jpg"))
    queue = OutputQueue(parse_location(memory), "ada")
    queue.start()
    queue.wait_until_loaded()
    with pytest.raises(UsageError, match="one label here, not 2"):
        queue.answer([Answer(0, None, labels=("red", "green"))], "a1")
    queue.answer([Answer(0, None, labels=("red",))], "a2")
    (correction,) = read_corrections(parse_location(memory)).values()
    assert ("red", None) == (correction.label, correction.labels)


def test_final_labels_are_sets(memory: str) -> None:
    """In `labels`, in Python, and in every file and back."""
    _reviewed(memory)
    log = CorrectionLog(parse_location(memory))
    log.refresh()
    lines = list(final_labels(open_rows(log.output), log.corrections))
    assert {**_SAID, 5: []} == {int(line.uri[7]): sorted(line.names) for line in lines}
    rows = {row["uri"][7]: row for row in read(memory, columns=("uri", "label", "labels", "by"))}
    assert ["cat", "bird"] == rows["1"]["labels"]
    assert (None, [], "person") == tuple(rows["3"][name] for name in ("label", "labels", "by"))
    assert (None, "model") == (rows["5"]["labels"], rows["5"]["by"])
    for name in label_file_names():
        kind = label_file(name, "")
        back = list(kind.decode(kind.encode(lines, "s3://b/")))
        found = {int(line.uri.rpartition("/")[2][0]): sorted(line.names) for line in back}
        expected = {number: labels for number, labels in _SAID.items() if labels or name != "lists"}
        assert expected == {number: found[number] for number in expected}, name


def test_files_with_sets_become_corrections(memory: str) -> None:
    """All or nothing; several labels are refused where models give one."""
    put_part(memory, "a", *_rows())
    rows, log = open_rows(parse_location(memory)), CorrectionLog(parse_location(memory))
    text = "\n".join(
        json.dumps({"uri": f"s3://b/{number}.jpg", "labels": labels})
        for number, labels in _SAID.items()
    )
    lines = list(label_file("jsonl", "").decode({"": text.encode()}))
    done = import_labels(rows, log, lines, reviewer="ada", known=["cat", "dog", "bird"])
    assert {"written": 4} == done.counts
    again = import_labels(rows, log, lines, reviewer="ada", known=["cat", "dog", "bird"])
    assert {"known": 4} == again.counts
    put_part(f"{memory}/one", "a", make_row("s3://b/1.jpg"))
    one = parse_location(f"{memory}/one")
    with pytest.raises(UsageError, match=r"gives s3://b/1\.jpg 2 labels"):
        import_labels(
            open_rows(one), CorrectionLog(one), lines[:1], reviewer="ada", known=["cat", "bird"]
        )


def test_report_and_diff_compare_sets(memory: str) -> None:
    """A picture is right if all its labels are; the table is of single labels."""
    _reviewed(memory)
    corrections = read_corrections(parse_location(memory))
    confusion = Confusion()
    list(confusion.counting(_rows(), corrections))
    assert (4, 3) == (confusion.answered, confusion.corrected)
    expected = {("cat", "cat"): 2, ("dog", None): 2, (None, "dog"): 1, (None, "bird"): 1}
    assert expected == confusion.pairs
    section = corrected(confusion)
    assert section is not None
    assert "not given" == section.columns[-1] == section.lines[-1][0]
    before = {row.uri: row for row in _rows()}
    after = {**before, "s3://b/1.jpg": _row(1, ("cat", "bird"))}
    verdict = Verdict()
    list(judged(changes(before, after), corrections, verdict))
    assert (1, 2) == (verdict.both, verdict.neither)
    assert ["bird + cat"] == [label for _, label in verdict.only_after]


def test_an_audit_of_sets(memory: str, tmp_path: Path) -> None:
    """The accuracy is of sets, precision and recall of labels; --simulate reads them as well."""
    put_part(memory, "a", *_rows())
    location = parse_location(memory)
    population = read_population(location)
    assert population.has_several
    assert ("cat", "dog") == population.labels
    picture = population.picture(0)
    assert set_text(["dog", "cat"]) == picture.said
    assert pytest.approx(0.8 * 0.6 * 0.9) == picture.score
    goal = Goal(0.02, 0.95, per_label=False, error=0.02, seed=1)
    queue = AuditQueue(location, population, new_audit(population, goal), "ada", ["bird"])
    for card in queue.cards({}, 0, 9):
        queue.answer(
            [Answer(card.number, None, labels=tuple(_SAID[int(card.row.uri[7])]))],
            f"a{card.number}",
        )
    assert queue.audit.estimates is not None
    assert 0.25 == queue.audit.estimates["accuracy"]["estimate"]
    labels = queue.audit.estimates["labels"]
    ends = {name: labels[name]["precision"]["estimate"] for name in ("cat", "dog")}
    assert {"cat": 1.0, "dog": 0.0} == ends
    assert 1 == labels["bird"]["true"]["estimate"]
    truth = tmp_path / "truth.csv"
    lines = [f"s3://b/{number}.jpg,{';'.join(names)}" for number, names in _SAID.items()]
    truth.write_text("\n".join(["uri,labels", *lines]))
    say = read_truth(str(truth))
    session = Session(population, goal)
    played = session.estimates(*session.play(lambda index: say[population.uris[index]]))
    assert queue.audit.estimates == played.as_json()


def test_a_model_of_one_label_learns_from_pictures_with_one() -> None:
    """Several labels, or none, are no example of a class: one sentence says so."""
    one = Correction("s3://b/1", "e", "cat", None, None, "ada", make_row().classified_at)
    assert "cat" == one.only_label == replace(one, labels=("cat",)).only_label
    with pytest.raises(UsageError, match="people gave s3://b/1 2 labels"):
        _ = replace(one, labels=("cat", "dog")).only_label


def test_the_command_prints_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`labels` counts each label, and `--json` has the list."""
    _reviewed(str(tmp_path))
    with pytest.raises(SystemExit, match="0"):
        main(["labels", str(tmp_path), "--json"])
    out, err = capsys.readouterr()
    documents = [json.loads(line) for line in out.splitlines()]
    assert ["cat", "bird"] == documents[0]["labels"]
    assert "labels" not in documents[4]
    assert "        2          2  cat" in err
