"""The pictures of ../shared/data/cases: each has the row that its description states."""

import json
from pathlib import Path

import pytest

from seefood.bundle import load_bundle
from seefood.classification import Model, classify_images
from seefood.engines.loading import load_engine
from seefood.records import ImageRef, Row, Status

pytestmark = [pytest.mark.photos, pytest.mark.filterwarnings("ignore::UserWarning")]


@pytest.fixture(scope="module")
def rows(shared: Path, bundle_path: Path) -> dict[str, Row]:
    """Return the row of each picture, by its name."""
    bundle = load_bundle(bundle_path)
    files = sorted((shared / "cases" / "pictures").iterdir())
    fetched = [(ImageRef(file.name, "e", 1), file.read_bytes()) for file in files]
    made = classify_images(fetched, load_engine(bundle, "litert"), Model.of(bundle))
    return {row.uri: row for row in made}


def test_each_case_has_its_row(shared: Path, rows: dict[str, Row]) -> None:
    """Status, label, size and error code are right, and the score is its reference's."""
    cases = json.loads((shared / "cases" / "expected.json").read_text())["pictures"]
    assert set(cases) == set(rows)
    wrong: list[tuple[object, ...]] = []
    for name, case in cases.items():
        row = rows[name]
        if case["status"] == "failed":
            if row.error_code != case["error_code"]:
                wrong.append((name, row.error_code, row.error_message))
            continue
        reference = rows[case["same_as"]]
        expected = (case["label"], case["width"], case["height"])
        is_near = abs((row.score or 0) - (reference.score or 0)) <= case["score_within"]
        if (row.label, row.width, row.height) != expected or not is_near:
            wrong.append((name, row.status, row.label, row.score, row.error_message))
        if row.status not in (Status.OK, Status.UNSURE):
            wrong.append((name, row.status))
    assert [] == wrong
