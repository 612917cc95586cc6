"""Rules of `seefood inspect`."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from seefood.bundle import LITERT_MODEL, Bundle, write_bundle
from seefood.cli.inspect import inspect_command
from seefood.errors import BundleError
from tests.bundles import LABELS, fake_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """An intact bundle whose graphs no engine can load."""
    return fake_bundle(tmp_path / "fake")


def test_the_json_document_is_complete(bundle: Bundle) -> None:
    """`--json` prints the digest, every file with its size and hash, and the free-form parts."""
    result = CliRunner().invoke(inspect_command, [str(bundle.path), "--json"])
    document = json.loads(result.stdout)
    assert bundle.digest == document["digest"]
    assert dict(bundle.files) == {name: file["sha256"] for name, file in document["files"].items()}
    assert sum(file["bytes"] for file in document["files"].values()) == document["bytes"]
    assert dict(zip(LABELS, (0.6, 0.7), strict=True)) == document["thresholds"]
    assert {"network": "none", "seconds": 0.5} == document["training"]
    assert document["input"]["fit"] == "stretch"


def test_a_refused_engine_fails_the_command(bundle: Bundle) -> None:
    """If an engine cannot load the graph, the exit code is 1 and the table has the reason."""
    result = CliRunner().invoke(inspect_command, [str(bundle.path)], standalone_mode=False)
    assert result.return_value == 1
    assert "7, all intact" in result.stdout
    assert "LiteRT cannot load" in re.sub(r"\s+", " ", result.stdout)


def test_the_curve_of_mistakes_is_shown(tmp_path: Path) -> None:
    """What a bundle states of its thresholds is shown; anything else in its place is not."""
    for name, curve, is_shown in (
        ("a", [[0.0, 0.2], [0.5, 0.1]], True),
        ("b", "0.2", False),
        ("c", [[0.1]], False),
    ):
        made = fake_bundle(tmp_path / name, training={"unsure": {"curve": curve}})
        shown = CliRunner().invoke(inspect_command, [str(made.path)]).stdout
        assert is_shown == ("0% unsure: 20.0% wrong; 50% unsure: 10.0% wrong" in shown)


def test_an_absent_graph_is_not_a_failure(bundle: Bundle) -> None:
    """A bundle may lack LiteRT's file or the SavedModel."""
    bundle.file("saved_model.pb").unlink()
    bundle.file(LITERT_MODEL).unlink()
    write_bundle(bundle.path, bundle.spec)
    arguments = [str(bundle.path), "--json"]
    result = CliRunner().invoke(inspect_command, arguments, standalone_mode=False)
    assert result.return_value == 0
    engines = json.loads(result.stdout)["engines"]
    assert {"absent"} == {engine["state"] for engine in engines}


def test_a_damaged_bundle_is_not_described(bundle: Bundle) -> None:
    """Every file is verified before anything is printed."""
    bundle.file("variables/variables.index").write_bytes(b"another index")
    with pytest.raises(BundleError, match=r"variables\.index was changed"):
        CliRunner().invoke(
            inspect_command, [str(bundle.path)], catch_exceptions=False, standalone_mode=False
        )


def test_control_characters_are_escaped(bundle: Bundle) -> None:
    """Control characters in labels and training records are escaped, and markup is text."""
    spec = replace(bundle.spec, labels=("\x1b[31mred", "[bold]two"), training={"a": "\x1b]0;x\x07"})
    write_bundle(bundle.path, spec)
    result = CliRunner().invoke(inspect_command, [str(bundle.path)])
    assert "\x1b" not in result.stdout
    assert "[bold]two" in result.stdout


def test_the_table_leaves_details_to_json(tmp_path: Path) -> None:
    """A share is one line with its interval; confusion cells and settings are counted only."""
    share = {"value": 0.9528, "interval_95": [0.9313, 0.9678], "count": 505, "of": 530}
    cells = {f"label {n}": {"other": n} for n in range(40)}
    spec = replace(
        fake_bundle(tmp_path / "plain").spec,
        metrics={"test": {"accuracy": share, "confusion": cells, "odd": {**share, "value": None}}},
        training={"network": "none", "schedule": {"epochs": 3}},
    )
    fake_bundle(tmp_path / "fake")
    write_bundle(tmp_path / "fake", spec)
    shown = CliRunner().invoke(inspect_command, [str(tmp_path / "fake")]).stdout
    assert re.search(r"test\.accuracy +95\.3% \(93\.1 to 96\.8\), 505 of 530\n", shown)
    assert "test.odd" in shown
    assert "505 of 530" in shown
    assert "label 1" not in shown
    assert "epochs" not in shown
    assert "40 more with --json" in shown


def test_what_a_list_holds_is_shown_as_words(tmp_path: Path) -> None:
    """A list of records in a bundle's training is no Python literal on the screen."""
    made = fake_bundle(tmp_path / "a", training={"kept": [{"number": 1, "loss": 0.31459}]})
    assert "number 1, loss 0.3146" in CliRunner().invoke(inspect_command, [str(made.path)]).stdout
