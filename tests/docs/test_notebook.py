"""docs/notebook.ipynb, run from its first to its last cell."""

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT


@pytest.mark.beam
@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.timeout(600)
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs, and the outputs in the file are of the kinds that a run gives."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.reads((ROOT / "docs" / "notebook.ipynb").read_text(), as_version=4)
    before = [_kinds(cell) for cell in notebook.cells]
    NotebookClient(notebook, timeout=500, kernel_name="python3").execute(cwd=str(tmp_path))
    assert before == [_kinds(cell) for cell in notebook.cells]
    printed = "".join(
        each.get("text", "") for cell in notebook.cells for each in cell.get("outputs", ())
    )
    for word in ("not_hotdog", "accuracy", "Certified"):
        assert word in printed


def _kinds(cell: "nbformat.NotebookNode") -> list[str]:
    """Return the kinds of a cell's outputs: a stream once, however often it was written to."""
    kinds = [kind for each in cell.get("outputs", ()) for kind in each.get("data", {"text": ""})]
    return sorted(set(kinds))
