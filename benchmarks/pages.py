"""The pages that show what was measured: all of it with its aims, and the README's part of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import one_line
from benchmarks.plot import draw_plot
from benchmarks.sections import Section, to_markdown
from benchmarks.setting import ROOT
from benchmarks.works import WORKS

Done = Mapping[str, Mapping[str, Any]]
"""By work: the machine that it was measured on, and its section."""

_BEGIN: Final = "<!-- benchmarks: begin (written by make bench) -->"
_END: Final = "<!-- benchmarks: end -->"


@dataclass(frozen=True, slots=True)
class _Page:
    """A page with the two marks, and what stands between them."""

    file: Path
    works: frozenset[str]
    aims: bool


_PAGES: Final = (
    _Page(ROOT / "benchmarks" / "README.md", frozenset(work.name for work in WORKS), aims=True),
    _Page(ROOT / "README.md", frozenset({"web", "upload_door"}), aims=False),
)


def read_results(folder: Path) -> dict[str, Any]:
    """Return what earlier runs left in `folder`."""
    file = folder / "results.json"
    if not file.exists():
        return {}
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


def write_results(done: Done, folder: Path) -> None:
    """Keep everything that was measured, single runs and all."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(done, indent=1, ensure_ascii=False) + "\n")


def write_pages(done: Done, folder: Path, *, readme: bool) -> None:
    """Write tables and plot into `folder`; with `readme`, tables into the pages that show them."""
    known = [work.name for work in WORKS if work.name in done]
    tables = to_tables(done, known, aims=True)
    (folder / "results.md").write_text(f"# Benchmarks\n\n{tables}")
    sections = [Section.from_json(done[name]["section"]) for name in known]
    draw_plot(sections, one_line(done[known[0]]["machine"]), folder / "results.svg")
    for page in _PAGES if readme else ():
        shown = [name for name in known if name in page.works]
        text = page.file.read_text()
        page.file.write_text(between_marks(text, to_tables(done, shown, aims=page.aims)))


def to_tables(done: Done, names: Sequence[str], *, aims: bool) -> str:
    """Return the tables of the works `names`, each with the machine and the commit."""
    texts = []
    for name in names:
        section = Section.from_json(done[name]["section"])
        table = to_markdown(section if aims else replace(section, aims=()))
        texts.append(f"{table}\nMeasured on {one_line(done[name]['machine'])}.\n")
    return "\n".join(texts)


def between_marks(text: str, tables: str) -> str:
    """Return `text` with `tables` in place of what stood between its marks.

    Raises `ValueError` if a mark is missing.
    """
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"a page has no {_BEGIN} … {_END}")
    return f"{before}{_BEGIN}\n\n{tables}\n{_END}{after}"
