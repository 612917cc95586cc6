"""Where the tables of a run go."""

import pytest

from benchmarks.pages import between_marks, to_tables
from benchmarks.sections import Section, at_most
from tests.conftest import ROOT

BEGIN = "<!-- benchmarks: begin (written by make bench) -->"
END = "<!-- benchmarks: end -->"


def _done() -> dict[str, dict[str, object]]:
    section = Section(
        title="Web photos",
        note="In turns.",
        columns=("contender", "s"),
        rows=(("ours", "1.0"),),
        aims=(at_most("start to exit", 2.0, 1.0),),
    )
    machine = {
        "processor": "a processor",
        "cores": 2,
        "memory_gb": 8.0,
        "python": "3.11",
        "system": "Linux",
        "commit": "abc1234",
        "measured_at": "2026-11-26T12:00:00Z",
    }
    return {"web": {"machine": machine, "section": section.as_json()}}


def test_tables_name_the_machine_and_the_aims_where_they_are_asked_for() -> None:
    """The README shows figures; what was wanted stands in the benchmarks' own page."""
    full, short = (to_tables(_done(), ["web"], aims=aims) for aims in (True, False))
    assert "| ours | 1.0 |" in full
    assert "| ours | 1.0 |" in short
    assert "commit abc1234" in short
    assert ("at most 2 s" in full, "at most 2 s" in short) == (True, False)


def test_what_stands_between_the_marks_is_replaced() -> None:
    """And nothing else; a page without marks is an error, not a page without figures."""
    page = f"# Title\n\n{BEGIN}\n\nold\n\n{END}\n\nThe end.\n"
    assert between_marks(page, "new\n") == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\n\nThe end.\n"
    with pytest.raises(ValueError, match="a page has no"):
        between_marks("# Title\n", "new\n")


@pytest.mark.parametrize("name", ["README.md", "benchmarks/README.md"])
def test_both_pages_have_their_marks(name: str) -> None:
    """Whoever edits them must not lose the tables."""
    assert between_marks((ROOT / name).read_text(), "new\n")
