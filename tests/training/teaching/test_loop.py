"""The loop of docs/loop.md, on drawn pictures: from rows to a better model in use, and back."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner
from PIL import Image

from seefood.audit.population import read_population
from seefood.audit.session import Goal
from seefood.audit.store import new_audit
from seefood.bundle import Bundle, load_bundle
from seefood.classification import ClassifyOptions, Model, classify_images
from seefood.cli.options import model_path
from seefood.cli.promote import promote_command
from seefood.corrections import Correction, CorrectionLog
from seefood.engines.loading import load_engine
from seefood.features.files import write_part_features
from seefood.features.stored import load_vectors
from seefood.records import utc_now
from seefood.results.files import encode_rows, part_location, read_rows
from seefood.review.audit_queue import AuditQueue
from seefood.review.queue import Answer
from seefood.storage import fetch, write
from seefood.storage.uris import Location, parse_location
from seefood_training.commands.teach import teach_command
from seefood_training.teaching.bundle import write_taught_bundle
from seefood_training.teaching.examples import correction_examples
from seefood_training.teaching.head import fit_head
from seefood_training.teaching.relabel import relabel
from tests.fakes import put_all
from tests.pictures import encoded, noise

PICTURES = 50
CORRECTED = 16


def _truth(uri: str) -> str:
    return uri.rpartition("/")[2].partition("-")[0]


def _drawn() -> dict[str, bytes]:
    """Return pictures of coarse and of fine noise, by names that begin with their class."""
    found = {}
    for number in range(PICTURES):
        name, size = (("coarse", 4), ("fine", 48))[number % 2]
        pixels = noise(size, size, seed=number).repeat(96 // size, 0).repeat(96 // size, 1)
        found[f"{name}-{number}.png"] = encoded(Image.fromarray(pixels), "PNG")
    return found


def _call(command: click.Command, *arguments: object) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(
        command, [*map(str, arguments), "--json"], standalone_mode=False, catch_exceptions=False
    )
    return int(result.return_value or 0), json.loads(result.stdout)


def _label(bundle: Bundle, root: str, output: Location) -> None:
    """Write rows and features of drawn pictures, as a run does."""
    refs = put_all(root, _drawn())
    engine = load_engine(bundle, features=True)
    fetched = [(ref, fetch(ref)) for ref in refs]
    rows = classify_images(fetched, engine, Model.of(bundle), ClassifyOptions(features=True))
    part = part_location(output, bundle.digest, refs, "parquet")
    write_part_features(part, output, bundle.digest, rows)
    write(part, encode_rows(rows, "parquet"))


def _correct(output: Location, digest: str) -> None:
    now = utc_now()
    rows = sorted(read_rows(output, digest), key=lambda row: int(row.uri[:-4].rpartition("-")[2]))
    CorrectionLog(output).append(
        [
            Correction(row.uri, row.etag, _truth(row.uri), row.label, digest, "ann", now)
            for row in rows[:CORRECTED]
        ]
    )


def _plant_worse(source: Bundle, output: Location, folder: Path) -> Bundle:
    """Write a bundle that learned the opposite of every correction, and its rows."""
    vectors = load_vectors(output, source.digest)
    taught = correction_examples(output, vectors)
    head = fit_head(replace(taught, labels=1 - taught.labels))
    bundle = write_taught_bundle(source, folder, head, labels=taught.names, record=taught.record)
    relabel(output, source.digest, vectors, head.probe, Model.of(bundle))
    return bundle


def _audit(output: Location, digest: str) -> int:
    """Answer an audit of the model `digest` truly; return the number of answers."""
    population = read_population(output, digest)
    audit = new_audit(population, Goal(0.2, 0.95, per_label=False, error=0.05, seed=1))
    queue = AuditQueue(output, population, audit, "ann", ("coarse", "fine"))
    for number in count():
        place = queue.next_open({}, 0)
        if queue.audit.estimates is not None or place is None:
            return number
        (card,) = queue.cards({}, place, 1)
        queue.answer([Answer(card.number, _truth(card.row.uri))], f"answer{number}")
    raise AssertionError


def test_corrections_become_a_better_model_in_use_and_a_worse_one_never(
    tmp_path: Path, memory: str
) -> None:
    """Fresh audited pictures decide; the pointer file is what `--model` runs; one command back."""
    source = load_bundle(model_path("hotdog-lite"))
    output, in_use = parse_location(f"{memory}/out"), tmp_path / "current.json"
    _call(promote_command, source.path, "--to", in_use)
    _label(source, f"{memory}-pictures", output)
    _correct(output, source.digest)
    model = ("--model", in_use, "--output", tmp_path / "taught")
    _, taught = _call(teach_command, output.uri, "--corrections", *model)
    assert {"coarse": 8, "fine": 8} == taught["examples"]
    assert PICTURES == taught["rows"]
    worse = _plant_worse(source, output, tmp_path / "worse")
    answers = _audit(output, source.digest)
    arguments = ("--to", in_use, "--on", output.uri)
    assert 0 == _call(promote_command, tmp_path / "taught", *arguments)[0]
    assert taught["digest"] == load_bundle(model_path(str(in_use))).digest
    code, said = _call(promote_command, tmp_path / "worse", *arguments)
    assert (1, False) == (code, said["promoted"])
    assert 5 < said["evidence"]["answers"] < answers
    assert worse.digest != load_bundle(model_path(str(in_use))).digest
    better = load_bundle(model_path(str(in_use)))
    fresh = [
        (ref, fetch(ref)) for ref in put_all(f"{memory}-next", dict(list(_drawn().items())[:6]))
    ]
    rows = classify_images(fresh, load_engine(better), Model.of(better))
    assert [_truth(row.uri) for row in rows] == [row.label for row in rows]
    assert 0 == _call(promote_command, "--back", "--to", in_use)[0]
    assert source.digest == load_bundle(model_path(str(in_use))).digest
