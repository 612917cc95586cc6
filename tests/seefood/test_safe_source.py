"""What the source tree never does: nothing that runs what it reads, nothing that unpacks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

FILES = sorted(
    file
    for folder in ("seefood", "pipeline", "lambda", "training", "infra")
    for file in (ROOT / folder).rglob("*.py")
)
MODULES = frozenset(
    {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch"}
)
CALLS = frozenset({"eval", "exec", "extractall", "unpack_archive", "yaml.load", "os.system"})
ARGUMENTS = (("allow_pickle", True), ("shell", True), ("verify", False))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def _calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            whole = ast.unparse(node.func)
            yield from {whole, whole.rpartition(".")[2] if "." in whole else whole} & CALLS
            for argument in node.keywords:
                if isinstance(argument.value, ast.Constant):
                    given = (argument.arg, argument.value.value)
                    yield from (
                        f"{name}={value}" for name, value in ARGUMENTS if given == (name, value)
                    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_that_is_read_can_run(file: Path) -> None:
    """No pickle in any form, no `eval`, no shell, no archive unpacked as it asks to be."""
    tree = ast.parse(file.read_text())
    assert set() == MODULES & set(_imports(tree))
    assert [] == list(_calls(tree))
