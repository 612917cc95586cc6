import contextlib
import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from seefood.bundle import DEFAULT_POINTS
from seefood.bundle.named import open_bundle
from seefood.cli.numbers import FloatRange
from seefood.cli.options import FAST_POINTS, FastCommand, chosen_model, fast_option
from seefood.cli.plan import plan_command
from seefood.engines.fast import choose_bundle
from seefood.errors import UsageError
from seefood.results.files import encode_rows, part_location
from seefood.storage import open_store
from seefood.storage.uris import parse_location
from tests.bundles import add_fake_variant, fake_bundle
from tests.fakes import make_row
from tests.pictures import jpeg


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


def test_a_plan_counts_what_the_variant_has_not_labelled(tmp_path: Path) -> None:
    """Rows of the bundle are no rows of its variant: only `--fast` has work to do."""
    photo, output = tmp_path / "a.jpg", parse_location(str(tmp_path / "out"))
    photo.write_bytes(jpeg())
    (ref,) = open_store(parse_location(str(photo)).root).list(str(photo))
    digest = open_bundle().digest
    row = make_row(ref.uri, etag=ref.etag, model_digest=digest)
    part = part_location(output, digest, [row], "jsonl")
    open_store(part.root).write(part.key, encode_rows([row], "jsonl"))
    given = [str(photo), "--output", str(tmp_path / "out"), "--json"]
    plan = json.loads(CliRunner().invoke(plan_command, given).stdout)
    assert (0, None) == (plan["due"], plan.get("fast"))
    plan = json.loads(CliRunner().invoke(plan_command, [*given, "--fast"]).stdout)
    assert (0, 1) == (plan["due"], plan["fast"]["due"])


@pytest.mark.parametrize("text", ["nan", "NaN", "much", "", "-0.1", "inf"])
def test_a_range_takes_numbers_in_it_alone(text: str) -> None:
    """`nan` is below and above nothing, so that no comparison would ever refuse it."""
    with pytest.raises(click.BadParameter):
        FloatRange(0.0, 1.0).convert(text, None, None)


def test_fast_in_python_means_what_the_option_means(tmp_path: Path) -> None:
    """True is a bare `--fast`, a number its number; anything else is refused."""
    bundle = add_fake_variant(fake_bundle(tmp_path / "b"), "int8", 0.7, 0.5)
    chosen = {fast: choose_bundle(bundle, fast=fast)[0].name for fast in (None, False, 0.7, 100)}
    assert {None: "fake", False: "fake", 0.7: "fake-int8", 100: "fake-int8"} == chosen
    with pytest.raises(UsageError, match=r"int8 loses 0\.70 points"):
        choose_bundle(bundle, fast=True)
    wrong: Any
    for wrong in (-1, float("nan"), 101, "0.5"):
        with pytest.raises(UsageError, match="it is how many percentage points"):
            choose_bundle(bundle, fast=wrong)
