import contextlib
import json
from pathlib import Path

import click
from click.testing import CliRunner

from seefood.bundle import DEFAULT_POINTS
from seefood.cli.options import FAST_POINTS, FastCommand, chosen_model, fast_option
from tests.bundles import add_fake_variant, fake_bundle


@click.command("toy", cls=FastCommand)
@click.argument("words", nargs=-1)
@fast_option
def toy(words: tuple[str, ...], fast: float | None) -> None:
    """Print the arguments as JSON."""
    click.echo(json.dumps([fast, *words]))


def _run(*arguments: str) -> object:
    result = CliRunner().invoke(toy, arguments)
    return json.loads(result.output) if result.exit_code == 0 else result.exit_code


def test_fast_takes_a_number_only_after_the_equals_sign() -> None:
    """`--fast SOURCE` does not swallow the source."""
    assert [0.5, "photos"] == _run("--fast", "photos")
    assert [1.0, "photos"] == _run("--fast=1.0", "photos")
    assert [None, "photos"] == _run("photos")
    assert [None, "--fast"] == _run("--", "--fast")
    assert 2 == _run("--fast=much", "photos")
    assert FAST_POINTS == DEFAULT_POINTS


def test_a_number_after_a_space_or_below_zero_is_told(tmp_path: Path) -> None:
    """`--fast 0` is not taken for the picture 0, unless there is one."""
    said = CliRunner().invoke(toy, ["--fast", "0", "photos"])
    assert 2 == said.exit_code
    assert "the number of --fast follows an equals sign: --fast=0" in said.output
    said = CliRunner().invoke(toy, ["--fast=-1", "photos"])
    assert 2 == said.exit_code
    assert "-1" in said.output
    assert "not in the range" in said.output
    folder = tmp_path / "2026"
    folder.mkdir()
    with contextlib.chdir(tmp_path):
        assert [0.5, "2026"] == _run("--fast", "2026")


def test_fast_chooses_a_variant_with_its_engine(tmp_path: Path) -> None:
    """The command runs the variant's bundle, pinned, with the variant's engine."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.1, 0.5)
    given = {"model": str(bundle.path), "model_digest": None, "engine": "auto"}
    plain, fast = chosen_model(given), chosen_model({**given, "fast": 0.5})
    assert (bundle.path, None, "auto") == (plain.path, plain.digest, plain.engine)
    assert (bundle.variants["int8"], "fake") == (fast.digest, fast.engine)
