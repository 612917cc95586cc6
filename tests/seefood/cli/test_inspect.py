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
    """A bundle that is intact, whose graphs no engine can load."""
    return fake_bundle(tmp_path / "fake")


def test_the_document_tells_all(bundle: Bundle) -> None:
    """`--json` states the digest, every file with its size and hash, and the free-form parts."""
    result = CliRunner().invoke(inspect_command, [str(bundle.path), "--json"])
    document = json.loads(result.stdout)
    assert bundle.digest == document["digest"]
    assert dict(bundle.files) == {name: file["sha256"] for name, file in document["files"].items()}
    assert sum(file["bytes"] for file in document["files"].values()) == document["bytes"]
    assert dict(zip(LABELS, (0.6, 0.7), strict=True)) == document["thresholds"]
    assert {"network": "none", "seconds": 0.5} == document["training"]
    assert document["input"]["fit"] == "stretch"


def test_an_engine_that_is_refused_is_shown_and_fails_the_command(bundle: Bundle) -> None:
    """The files are intact but the graph is none: exit code 1, the reason in the table."""
    result = CliRunner().invoke(inspect_command, [str(bundle.path)], standalone_mode=False)
    assert result.return_value == 1
    assert "7, all intact" in result.stdout
    assert "LiteRT cannot load" in re.sub(r"\s+", " ", result.stdout)


def test_a_graph_that_is_not_there_is_no_failure(bundle: Bundle) -> None:
    """A bundle may come without LiteRT's file, or without its SavedModel."""
    bundle.file("saved_model.pb").unlink()
    bundle.file(LITERT_MODEL).unlink()
    write_bundle(bundle.path, bundle.spec)
    arguments = [str(bundle.path), "--json"]
    result = CliRunner().invoke(inspect_command, arguments, standalone_mode=False)
    assert result.return_value == 0
    engines = json.loads(result.stdout)["engines"]
    assert {"absent"} == {engine["state"] for engine in engines}


def test_a_damaged_bundle_is_not_described(bundle: Bundle) -> None:
    """Every file is verified before anything is told."""
    bundle.file("variables/variables.index").write_bytes(b"another index")
    with pytest.raises(BundleError, match=r"variables\.index was changed"):
        CliRunner().invoke(
            inspect_command, [str(bundle.path)], catch_exceptions=False, standalone_mode=False
        )


def test_words_of_strangers_are_no_commands_of_the_terminal(bundle: Bundle) -> None:
    """Labels and records are shown with their control characters escaped."""
    spec = replace(bundle.spec, labels=("\x1b[31mred", "[bold]two"), training={"a": "\x1b]0;x\x07"})
    write_bundle(bundle.path, spec)
    result = CliRunner().invoke(inspect_command, [str(bundle.path)])
    assert "\x1b" not in result.stdout
    assert "[bold]two" in result.stdout
