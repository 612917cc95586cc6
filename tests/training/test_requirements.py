"""Subcommands and the extras that they need."""

import pytest

from seefood.errors import UsageError
from seefood_training.commands.requirements import require


def test_missing_library_is_reported_with_its_extra() -> None:
    """The message has the command, the library and the command that installs it."""
    with pytest.raises(UsageError) as caught:
        require("evaluate", "train", "click", "absent_library")
    assert (
        "`seefood evaluate` needs absent_library, which is not installed; "
        'run `pip install "seefood[train]"`'
    ) == str(caught.value)


def test_installed_libraries_pass() -> None:
    """Nothing is raised if all modules can be found."""
    require("evaluate", "train", "click")
