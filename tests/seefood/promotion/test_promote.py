"""Rules of promotion: only what fresh audited pictures show to be better comes into use."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from seefood.bundle import load_bundle, write_bundle
from seefood.cli.diff import diff_command
from seefood.cli.options import model_path
from seefood.cli.promote import promote_command
from seefood.corrections import Correction, CorrectionLog
from seefood.errors import BundleError, UsageError
from seefood.promotion.comparison import Pair, compare_pairs
from seefood.records import ImageRef, Row
from seefood.results.files import encode_rows, part_location
from seefood.storage import write
from seefood.storage.uris import parse_location
from tests.bundles import fake_bundle
from tests.fakes import make_row

_NIGHT = datetime(2026, 11, 26, 3, tzinfo=UTC)
_LABELS = ("hotdog", "not_hotdog")


def _bundle(folder: Path, name: str) -> str:
    """Write a bundle of its own digest and return the digest."""
    (folder / name).mkdir(parents=True)
    return fake_bundle(folder / name, name=name).digest


def _rows(digest: str, truths: list[str], error: float, seed: int) -> list[Row]:
    chance = random.Random(seed)
    wrong = dict(zip(_LABELS, reversed(_LABELS), strict=True))
    return [
        make_row(
            f"s3://b/{n}.jpg",
            label=wrong[truth] if chance.random() < error else truth,
            model_digest=digest,
            classified_at=_NIGHT,
        )
        for n, truth in enumerate(truths)
    ]


def _write(output: Path, digest: str, rows: list[Row]) -> None:
    refs = [ImageRef(row.uri, row.etag) for row in rows]
    location = part_location(parse_location(str(output)), digest, refs, "jsonl")
    write(location, encode_rows(rows, "jsonl"))


def _audit(output: Path, truths: Sequence[str | None], began: datetime) -> None:
    sample = [
        {
            "uri": f"s3://b/{n}.jpg",
            "etag": "e1",
            "answer": truth,
            "probability": 0.2 + 0.6 * (n % 2),
        }
        for n, truth in enumerate(truths)
    ]
    document = {"began": began.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "sample": sample}
    (output / "audits").mkdir(parents=True)
    (output / "audits" / "20261127T000000Z-1.json").write_text(json.dumps(document))


def _promote(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(
        promote_command, [*arguments, "--json"], standalone_mode=False, catch_exceptions=True
    )
    if isinstance(result.exception, UsageError):
        raise result.exception
    return int(result.return_value), json.loads(result.stdout)


@pytest.mark.parametrize(
    ("error", "is_promoted"), [(0.02, True), (0.1, False), (0.16, False), (0.5, False)]
)
def test_only_the_better_model_comes_into_use(
    error: float, tmp_path: Path, *, is_promoted: bool
) -> None:
    """The model in use is wrong on 10 %. A planted worse model, or an equal one, is refused."""
    current, candidate = (_bundle(tmp_path, name) for name in ("current", "candidate"))
    truths = random.Random(1).choices(_LABELS, k=500)
    output, pointer = tmp_path / "out", str(tmp_path / "current.json")
    _write(output, current, _rows(current, truths, 0.1, 2))
    _write(output, candidate, _rows(candidate, truths, error, 3))
    _audit(output, truths, _NIGHT + timedelta(hours=1))
    assert 0 == _promote(str(tmp_path / "current"), "--to", pointer)[0]
    code, said = _promote(str(tmp_path / "candidate"), "--to", pointer, "--on", str(output))
    assert (0 if is_promoted else 1) == code
    assert is_promoted == said["promoted"]
    in_use = load_bundle(model_path(pointer)).digest
    assert (candidate if is_promoted else current) == in_use
    if is_promoted:
        _promote("--back", "--to", pointer)
        assert current == load_bundle(model_path(pointer)).digest


@pytest.mark.parametrize(
    ("began", "answer", "is_corrected", "cure"),
    [
        (
            None,
            None,
            False,
            r"has no audit; `seefood audit file://\S+/out --model-digest \w{12}` asks",
        ),
        (-1, "hotdog", False, r"no audit that began after the model \w+ had .* --new` begins one"),
        (1, None, False, "without a first result; the command that began it goes on"),
        (1, "hotdog", True, r"people had labelled its pictures before .* label more pictures"),
    ],
)
def test_answers_that_do_not_count_are_refused_with_the_cure(
    tmp_path: Path, began: int | None, answer: str | None, cure: str, *, is_corrected: bool
) -> None:
    """The audit must begin after the candidate has labelled pictures that nobody had labelled."""
    current, candidate = (_bundle(tmp_path, name) for name in ("current", "candidate"))
    truths = ["hotdog"] * 300
    output, pointer = tmp_path / "out", str(tmp_path / "current.json")
    _write(output, current, _rows(current, truths, 0.5, 2))
    _write(output, candidate, rows := _rows(candidate, truths, 0.0, 3))
    if began is not None:
        _audit(output, [answer] * 300, _NIGHT + timedelta(hours=began))
    if is_corrected:
        before = _NIGHT - timedelta(hours=1)
        CorrectionLog(parse_location(str(output))).append(
            [Correction(row.uri, row.etag, row.label, None, current, "ann", before) for row in rows]
        )
    _promote(str(tmp_path / "current"), "--to", pointer)
    with pytest.raises(UsageError, match=cure):
        _promote(str(tmp_path / "candidate"), "--to", pointer, "--on", str(output))
    assert current == load_bundle(model_path(pointer)).digest


def test_pictures_that_the_candidate_may_have_learned_do_not_count(tmp_path: Path) -> None:
    """It learned 150 corrections by heart, and is right less often on all other pictures."""
    current, candidate = (_bundle(tmp_path, name) for name in ("current", "candidate"))
    truths = random.Random(1).choices(_LABELS, k=500)
    output, pointer = tmp_path / "out", str(tmp_path / "current.json")
    known = _rows(candidate, truths[:150], 0.0, 3)
    _write(output, current, _rows(current, truths, 0.2, 2))
    _write(output, candidate, [*known, *_rows(candidate, truths, 0.26, 4)[150:]])
    _audit(output, truths, _NIGHT + timedelta(hours=1))
    before = _NIGHT - timedelta(hours=1)
    CorrectionLog(parse_location(str(output))).append(
        [Correction(row.uri, row.etag, row.label, None, current, "ann", before) for row in known]
    )
    _promote(str(tmp_path / "current"), "--to", pointer)
    code, said = _promote(str(tmp_path / "candidate"), "--to", pointer, "--on", str(output))
    assert 1 == code
    assert 350 == said["evidence"]["answers"]
    assert said["evidence"]["difference"] < 0


def test_a_picture_without_a_row_of_the_model_in_use_is_no_mistake_of_it(tmp_path: Path) -> None:
    """The candidate labelled more pictures, and is worse on those that both labelled."""
    current, candidate = (_bundle(tmp_path, name) for name in ("current", "candidate"))
    truths = random.Random(1).choices(_LABELS, k=500)
    output, pointer = tmp_path / "out", str(tmp_path / "current.json")
    _write(output, current, _rows(current, truths[:250], 0.05, 2))
    _write(output, candidate, _rows(candidate, truths, 0.2, 3))
    _audit(output, truths, _NIGHT + timedelta(hours=1))
    _promote(str(tmp_path / "current"), "--to", pointer)
    code, said = _promote(str(tmp_path / "candidate"), "--to", pointer, "--on", str(output))
    assert 1 == code
    assert 250 == said["evidence"]["answers"]


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    """Each with the cure, and nothing changes."""
    _bundle(tmp_path, "current")
    bundle, pointer = str(tmp_path / "current"), str(tmp_path / "current.json")
    with pytest.raises(UsageError, match="nothing was in use"):
        _promote("--back", "--to", pointer)
    with pytest.raises(UsageError, match=r"does not end in \.json"):
        _promote(bundle, "--to", str(tmp_path / "current.txt"))
    with pytest.raises(UsageError, match="name the BUNDLE"):
        _promote("--to", pointer)
    _promote(bundle, "--to", pointer)
    with pytest.raises(UsageError, match="in use already"):
        _promote(bundle, "--to", pointer)
    with pytest.raises(UsageError, match="no model before"):
        _promote("--back", "--to", pointer)
    with pytest.raises(UsageError, match="leave BUNDLE and --on out"):
        _promote(bundle, "--back", "--to", pointer)
    (tmp_path / "broken.json").write_text('{"current": 3}')
    with pytest.raises(UsageError, match="does not say which model"):
        _promote(bundle, "--to", str(tmp_path / "broken.json"))


def test_a_model_that_was_changed_behind_the_pointer_does_not_run(tmp_path: Path) -> None:
    """The pointer pins the digest."""
    _bundle(tmp_path, "current")
    pointer = str(tmp_path / "current.json")
    _promote(str(tmp_path / "current"), "--to", pointer)
    loaded = load_bundle(tmp_path / "current")
    (tmp_path / "current" / "saved_model.pb").write_bytes(b"another graph")
    write_bundle(tmp_path / "current", loaded.spec)
    with pytest.raises(BundleError, match="was expected"):
        model_path(pointer)


def test_a_picture_counts_by_its_probability() -> None:
    """Doubtful pictures, which an audit draws more often, count less."""
    doubtful = [Pair("a", "b", "a", 1.0)] * 40
    usual = [Pair("a", "a", "b", 0.01)] * 20 + [Pair("a", "a", "a", 0.01)] * 200
    found = compare_pairs([*doubtful, *usual])
    assert (40, 20) == (found.only_candidate, found.only_current)
    assert found.difference < 0
    assert not found.is_better(0.0)


def test_equal_models_are_promoted_in_at_most_one_of_twenty_trials() -> None:
    """The bound that is claimed, over 400 audits of two equally good models."""
    chance = random.Random(6)
    promoted = 0
    for _ in range(400):
        pairs = [
            Pair(
                "a", "b" if chance.random() < 0.1 else "a", "b" if chance.random() < 0.1 else "a", p
            )
            for p in (0.2, 0.8) * 150
        ]
        promoted += compare_pairs(pairs).is_better(0.0)
    assert promoted <= 0.05 * 400 + 10


def test_diff_weighs_the_answers_of_an_audit(tmp_path: Path) -> None:
    """B is worse only where pictures are drawn often: of all pictures it is better."""
    one, other = "a" * 64, "b" * 64
    truths = ["hotdog"] * 300
    output = tmp_path / "out"
    wrong = {one: range(0, 300, 10), other: range(1, 300, 8)}
    for digest, places in wrong.items():
        rows = _rows(digest, truths, 0.0, 1)
        labels = ["not_hotdog" if n in places else "hotdog" for n in range(300)]
        _write(
            output, digest, [replace(r, label=name) for r, name in zip(rows, labels, strict=True)]
        )
    _audit(output, truths, _NIGHT)
    sides = [str(output / "results" / f"digest={digest[:12]}") for digest in (one, other)]
    said = CliRunner().invoke(diff_command, sides).output
    assert "Of all pictures, by 300 answers of the audit of 2026-11-26" in said
    expected = (30 / 0.2 - 38 / 0.8) / (150 / 0.2 + 150 / 0.8)
    assert f"B is right more often by {100 * expected:+.1f} points" in said
