"""Subcommands and the extras that they need."""

from importlib.metadata import metadata

import pytest

from seefood.cli.requirements import EXTRAS, absent_library, require
from seefood.errors import UsageError


def test_missing_library_is_reported_with_its_extra() -> None:
    """The message has the command, the library and the command that installs it."""
    with pytest.raises(UsageError) as caught:
        require("evaluate", "train", "click", "absent_library")
    assert (
        "`seefood evaluate` needs absent_library, which is not installed; "
        'run `pip install "seefood[train]"`'
    ) == str(caught.value)


def test_a_library_that_a_command_meets_first_is_reported_likewise() -> None:
    """A module of an extra is named with the extra, also where no command asked for it before."""
    found = absent_library(ModuleNotFoundError("No module named 'scipy'", name="scipy.stats"))
    assert (
        'this command needs SciPy, which is not installed; run `pip install "seefood[train]"`'
    ) == found
    assert None is absent_library(ModuleNotFoundError("No module named 'ours'", name="ours"))


def test_each_extra_is_one_of_the_package() -> None:
    """The extras are those of pyproject.toml."""
    extras = set(metadata("seefood").get_all("Provides-Extra") or ())
    assert {each.name for each in EXTRAS} <= extras


def test_installed_libraries_pass() -> None:
    """Nothing is raised if all modules can be found."""
    require("evaluate", "train", "click")
