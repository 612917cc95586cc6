"""A launch checks everything first, and writes a summary at the end."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from seefood.bundle import Bundle
from seefood.errors import BundleError, UsageError
from seefood.results.files import read_rows
from seefood.runs.run_spec import RunOptions
from seefood.storage import open_store, read
from seefood.storage.uris import parse_location
from seefood_pipeline.launcher import launch
from seefood_pipeline.request import Request
from tests.bundles import fake_bundle
from tests.fakes import put_all
from tests.pictures import jpeg

pytestmark = pytest.mark.beam


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle for the fake engine."""
    return fake_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def request_(memory: str, bundle: Bundle) -> Request:
    """A request over three pictures, one of them broken."""
    put_all(f"{memory}-in", {"a.jpg": jpeg(), "b.jpg": jpeg((5, 250, 5)), "c.jpg": b"no"})
    return Request((f"{memory}-in",), f"{memory}/out", bundle.path, RunOptions(engine="fake"))


def _keys(output: str) -> list[str]:
    location = parse_location(output)
    return [ref.uri for ref in open_store(location.root).list("")]


def test_a_run_is_accounted_for(request_: Request, bundle: Bundle) -> None:
    """It writes rows, a summary that is also returned, and a report; no other file stays."""
    outcome = launch(request_, "quiet")
    assert 3 == len(list(read_rows(parse_location(request_.output))))
    written = json.loads(json.dumps(outcome.summary))
    assert written == json.loads(read(outcome.folder.child("summary.json")))
    assert (3, 0, 3, bundle.digest, "fake") == (
        outcome.summary["listed"], outcome.summary["skipped_by_ledger"], outcome.summary["rows"],
        outcome.summary["model"]["digest"], outcome.summary["model"]["engine"],
    )  # fmt: skip
    assert 1 / 3 == pytest.approx(outcome.failure_ratio)
    assert outcome.report is not None
    assert b"<html" in read(outcome.report)
    kinds = sorted(key.rpartition("/")[2].rpartition(".")[2] for key in _keys(request_.output))
    assert ["html", "json", "parquet"] == kinds


def test_force_classifies_again_and_leaves_one_row_each(request_: Request) -> None:
    """`force` classifies pictures that have rows; the new rows replace them."""
    launch(replace(request_, report=False), "quiet")
    again = launch(replace(request_, report=False), "quiet")
    assert (3, 0) == (again.summary["skipped_by_ledger"], again.summary["rows"])
    assert 0.0 == again.failure_ratio == again.summary["classify_seconds"]
    options = replace(request_.options, force=True)
    forced = launch(replace(request_, report=False, options=options), "quiet")
    assert (0, 3) == (forced.summary["skipped_by_ledger"], forced.summary["rows"])
    assert 3 == len(list(read_rows(parse_location(request_.output))))


def test_a_run_off_the_main_thread(request_: Request) -> None:
    """A launch works on any thread; only the main thread can handle signals."""
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(launch, replace(request_, report=False), "quiet").result()
    assert 3 == outcome.summary["rows"]


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"sources": ("/nowhere",)}, UsageError, "there is nothing at /nowhere"),
        ({"sources": ("memory://empty",)}, UsageError, "holds no picture"),
        ({"bundle": Path("/nowhere")}, BundleError, "there is no model bundle at /nowhere"),
        ({"options": RunOptions(engine="abacus")}, UsageError, "there is no engine 'abacus'"),
        ({"beam_arguments": ("--no_such",)}, UsageError, "Beam knows no option --no_such"),
        ({"output": "/dev/null/out"}, UsageError, "the output cannot be written"),
    ],
    ids=["source", "empty", "bundle", "engine", "beam", "output"],
)
def test_mistakes_are_found_before_any_work(
    request_: Request, changes: dict[str, object], kind: type[UsageError], words: str
) -> None:
    """Each has its message, and nothing is written."""
    with pytest.raises(kind, match=words):
        launch(replace(request_, **changes), "quiet")  # type: ignore[arg-type]
    assert [] == _keys(request_.output)


def test_a_model_that_computes_something_else_is_refused(request_: Request, tmp_path: Path) -> None:
    """The certificate is checked before the first picture; the message has both numbers."""
    certified = fake_bundle(tmp_path / "bundle")
    goldens = certified.spec.certificate.goldens
    wrong = replace(goldens[0], probabilities=(0.9, 0.1))
    certificate = replace(certified.spec.certificate, goldens=(wrong, *goldens[1:]))
    other = fake_bundle(tmp_path / "other", certificate=certificate)
    with pytest.raises(BundleError, match=r"the certificate of .* says 0\.[91]00000"):
        launch(replace(request_, bundle=other.path), "quiet")
    assert [] == _keys(request_.output)
