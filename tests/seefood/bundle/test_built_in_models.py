"""The built-in models: loaded by name, intact, and documented."""

from contextlib import chdir
from pathlib import Path

import pytest

from seefood.bundle import BUILT_IN, built_in_bundle_path, default_bundle_path, load_bundle
from seefood.cli.options import model_path


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_is_loaded_by_its_name(name: str, tmp_path: Path) -> None:
    """`--model` takes the name of a built-in model, which is intact and has that name."""
    with chdir(tmp_path):
        assert built_in_bundle_path(name) == model_path(name)
    assert name == load_bundle(built_in_bundle_path(name)).spec.name


def test_no_name_is_the_default() -> None:
    """Without `--model` it is the first built-in model."""
    assert default_bundle_path() == model_path(None) == model_path(BUILT_IN[0])


def test_a_folder_of_the_users_comes_first(tmp_path: Path) -> None:
    """A user's folder takes precedence over a built-in model of the same name."""
    (tmp_path / "hotdog-lite").mkdir()
    with chdir(tmp_path):
        assert tmp_path / "hotdog-lite" == model_path("hotdog-lite").resolve()


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_states_its_figures_and_how_it_was_made(name: str) -> None:
    """Each bundle contains its test metrics, the recipe, and a model card."""
    bundle = load_bundle(built_in_bundle_path(name))

    assert 761 == bundle.spec.metrics["test"]["pictures"]
    assert "python -m training.recipe" == bundle.spec.training["recipe"]
    assert "## Known failures" in bundle.file("assets.extra/MODEL_CARD.md").read_text()
