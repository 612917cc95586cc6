import pytest

from benchmarks.pages import replace_between_markers, to_tables
from benchmarks.sections import Section, at_most
from tests.conftest import ROOT

BEGIN = "<!-- benchmarks: begin (written by make bench) -->"
END = "<!-- benchmarks: end -->"


def results() -> dict[str, dict[str, object]]:
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


def test_tables_name_the_machine_and_optionally_the_aims() -> None:
    """The README shows figures; the benchmarks' page also shows the aims."""
    full, short = (to_tables(results(), ["web"], aims=aims) for aims in (True, False))
    assert "| ours | 1.0 |" in full
    assert "| ours | 1.0 |" in short
    assert "commit abc1234" in short
    assert ("at most 2 s" in full, "at most 2 s" in short) == (True, False)


def test_only_text_between_the_markers_is_replaced() -> None:
    """A page without markers raises `ValueError`."""
    page = f"# Title\n\n{BEGIN}\n\nold\n\n{END}\n\nThe end.\n"
    assert (
        replace_between_markers(page, "new\n")
        == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\n\nThe end.\n"
    )
    with pytest.raises(ValueError, match="the page has no"):
        replace_between_markers("# Title\n", "new\n")


@pytest.mark.parametrize("name", ["README.md", "benchmarks/README.md"])
def test_both_pages_have_their_markers(name: str) -> None:
    """Both pages show the tables of `make bench`."""
    assert replace_between_markers((ROOT / name).read_text(), "new\n")
