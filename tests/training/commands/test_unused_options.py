"""Options that would have no effect are refused, before a model is read."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from seefood.errors import UsageError
from seefood_training.commands.package import package_command

PACKAGE = [
    pytest.param(("model", "--accept", "0.02"), "`--accept` has no effect without", id="R"),
    pytest.param(
        ("model", "--unsure-share", "0"), "`--unsure-share` has no effect without", id="share"
    ),
    pytest.param(
        ("hotdog", "--fast-data", "photos", "--calibrate", "photos"),
        "`--calibrate` has no effect on hotdog, which is a bundle",
        id="a bundle",
    ),
    pytest.param(
        ("hotdog", "--fast-data", "photos", "--name", "x"), "`--name` has no effect", id="its name"
    ),
]


@pytest.mark.parametrize(("options", "message"), PACKAGE)
def test_package(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    """Whoever gives an option expects an effect."""
    result = CliRunner().invoke(package_command, [*options, "--output", str(tmp_path / "b")])

    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
