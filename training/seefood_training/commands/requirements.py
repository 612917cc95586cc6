"""Checks that the libraries of a subcommand are installed before it imports them."""

from importlib.util import find_spec
from typing import Final

from seefood.errors import UsageError

_LIBRARIES: Final = {
    "matplotlib": "matplotlib",
    "scipy": "SciPy",
    "sklearn": "scikit-learn",
    "tensorflow": "TensorFlow",
}
"""Names for users, by import name."""


def require(command: str, extra: str, *modules: str) -> None:
    """Raise `UsageError` with the command that installs `extra` if one of `modules` is absent."""
    missing = [_LIBRARIES.get(name, name) for name in modules if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"`seefood {command}` needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed; "
            f'run `pip install "seefood[{extra}]"`'
        )
