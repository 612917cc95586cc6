"""Writes the result files and the pages that show the tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import one_line
from benchmarks.plot import draw_plot
from benchmarks.registry import BENCHMARKS
from benchmarks.sections import Section, to_markdown
from benchmarks.settings import ROOT

Results = Mapping[str, Mapping[str, Any]]
"""Machine and section by the benchmark's name."""

_BEGIN: Final = "<!-- benchmarks: begin (written by make bench) -->"
_END: Final = "<!-- benchmarks: end -->"


@dataclass(frozen=True, slots=True)
class _Page:
    """A page with the two markers, and the benchmarks whose tables it shows between them."""

    file: Path
    names: frozenset[str]
    aims: bool


_PAGES: Final = (
    _Page(
        ROOT / "benchmarks" / "README.md", frozenset(each.name for each in BENCHMARKS), aims=True
    ),
    _Page(ROOT / "README.md", frozenset({"web", "upload"}), aims=False),
)


def read_results(folder: Path) -> dict[str, Any]:
    """Return the results that earlier runs wrote to `folder`."""
    file = folder / "results.json"
    if not file.exists():
        return {}
    results: dict[str, Any] = json.loads(file.read_bytes())
    return results


def write_results(results: Results, folder: Path) -> None:
    """Write all results, single runs included, to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def write_pages(results: Results, folder: Path, *, readme: bool) -> None:
    """Write tables and plot to `folder`; with `readme`, also update the pages that show them."""
    known = [each.name for each in BENCHMARKS if each.name in results]
    tables = to_tables(results, known, aims=True)
    (folder / "results.md").write_text(f"# Benchmarks\n\n{tables}")
    sections = [Section.from_json(results[name]["section"]) for name in known]
    draw_plot(sections, one_line(results[known[0]]["machine"]), folder / "results.svg")
    for page in _PAGES if readme else ():
        shown = [name for name in known if name in page.names]
        text = page.file.read_text()
        tables = to_tables(results, shown, aims=page.aims)
        page.file.write_text(replace_between_markers(text, tables))


def to_tables(results: Results, names: Sequence[str], *, aims: bool) -> str:
    """Return the tables of the benchmarks `names`, each with its machine and commit."""
    texts = []
    for name in names:
        section = Section.from_json(results[name]["section"])
        table = to_markdown(section if aims else replace(section, aims=()))
        texts.append(f"{table}\nMeasured on {one_line(results[name]['machine'])}.\n")
    return "\n".join(texts)


def replace_between_markers(text: str, tables: str) -> str:
    """Return `text` with `tables` between its two markers.

    Raises `ValueError` if a marker is missing.
    """
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"the page has no {_BEGIN} … {_END}")
    return f"{before}{_BEGIN}\n\n{tables}\n{_END}{after}"
