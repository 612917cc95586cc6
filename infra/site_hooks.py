"""Hooks of the documentation site: pages that are made from the code or lie beside `docs/`."""

import ast
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from seefood.bundle import default_bundle_path, load_bundle
from seefood.cli import cli
from seefood.explain.page import LANGUAGES, Language, Picture, explain_picture
from seefood.results.columns import COLUMNS, LABELS, SCORED_LABELS
from seefood.synthetic import draw_picture

_ROOT: Final = Path(__file__).resolve().parents[1]
_BESIDE: Final = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks/method.md",
}
"""Files outside `docs/`, and their pages."""
_LINK: Final = re.compile(r"(!?\[[^\]]*\])\((?!https?:|#|mailto:)([^)\s]+)\)")
_NOTEBOOK: Final = "notebook.md"
_STYLES: Final = re.compile(r"\x1b\[[0-9;]*m")
_COLUMNS: Final = "<!-- columns -->"
_COMMANDS: Final = "<!-- commands -->"
_HELP_WIDTH: Final = 90
_GLASS_BOX_PICTURE: Final = "hotdog_mustard"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files below `docs/`."""
    for source, page in _BESIDE.items():
        text = _relinked((_ROOT / source).read_text(), source, page)
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, _NOTEBOOK, content=_notebook()))
    listed = llms_text(config.site_name, config.site_description or "", config.nav or [])
    files.append(File.generated(config, "llms.txt", content=listed))
    for language in LANGUAGES:
        page = _explanation(language)
        files.append(File.generated(config, f"glass-box-{language}.html", content=page))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links from `docs/` to files beside it lead to their pages; fill in the columns."""
    del config, files
    path = page.file.src_uri
    if path in _BESIDE.values():
        return markdown
    text = _relinked(markdown, f"docs/{path}", path)
    return text.replace(_COLUMNS, _columns_table()).replace(_COMMANDS, _command_help())


def _relinked(text: str, source: str, page: str) -> str:
    """Return `text` of the file `source` with its links as they are from `page`.

    A link to a file that has no page becomes plain text.
    """

    def link(match: re.Match[str]) -> str:
        path, hash_mark, anchor = match[2].partition("#")
        file = (_ROOT / source).parent.joinpath(path).resolve().relative_to(_ROOT).as_posix()
        if file not in _BESIDE and not (file.startswith("docs/") and "." in file):
            return match[1].strip("[]")
        up = "../" * page.count("/")
        to = _BESIDE.get(file) or file.removeprefix("docs/").replace(".ipynb", ".md")
        return f"{match[1]}({up}{to}{hash_mark}{anchor})"

    return _LINK.sub(link, text)


def _columns_table() -> str:
    """Return the table of the columns, from the fields of `Row` and their docstrings."""
    tree = ast.parse((_ROOT / "seefood/records.py").read_text())
    row = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Row")
    notes: dict[str, str] = {}
    for field, text in zip(row.body, row.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            notes[ast.unparse(field.target)] = " ".join(ast.literal_eval(text.value).split())
    kinds = {SCORED_LABELS: "list of (label, score)", LABELS: "list of strings"}
    lines = [
        f"| `{each.name}` | {kinds.get(each.kind) or each.kind.__name__} | "
        f"{'yes' if each.is_nullable else 'no'} | {notes.get(each.name, '')} |"
        for each in COLUMNS
    ]
    return "\n".join(["| column | kind | may be null | |", "| --- | --- | --- | --- |", *lines])


def _command_help() -> str:
    """Return what `--help` prints for each command, with a heading for each."""
    settings: dict[str, Any] = cli.context_settings
    parent = click.Context(cli, info_name="seefood", terminal_width=_HELP_WIDTH, **settings)
    texts = [("seefood", cli.get_help(parent))]
    for name in cli.list_commands(parent):
        command = cli.get_command(parent, name)
        if command is not None:
            context = click.Context(command, parent, name, terminal_width=_HELP_WIDTH)
            texts.append((name, command.get_help(context)))
    return "\n".join(f"## {name}\n\n```text\n{text}\n```\n" for name, text in texts)


def llms_text(name: str, description: str, nav: list[Any]) -> str:
    """Return `llms.txt` (llmstxt.org): a summary and the list of pages, for language models."""
    parts: dict[str, list[tuple[str, str]]] = {"Start": []}
    for entry in nav:
        ((title, pages),) = entry.items()
        if isinstance(pages, str):
            parts["Start"].append((title, pages))
        else:
            parts[title] = [next(iter(page.items())) for page in pages]
    lines = [f"# {name}", "", f"> {description}", ""]
    for title, links in parts.items():
        lines += [f"## {title}", ""]
        lines += [f"- [{shown}]({path.removesuffix('.md')}.html)" for shown, path in links]
        lines.append("")
    return "\n".join(lines)


def _notebook() -> str:
    """Return docs/notebook.ipynb as a page: its texts, its code, and what the code printed."""
    parts = []
    for cell in json.loads((_ROOT / "docs/notebook.ipynb").read_text())["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        for output in cell.get("outputs", ()):
            data = output.get("data", {"text/plain": output.get("text", "")})
            if "image/png" in data:
                picture = "".join(data["image/png"].split())
                parts.append(f"![what the cell shows](data:image/png;base64,{picture})")
            else:
                printed = _STYLES.sub("", "".join(data["text/plain"])).replace("\r", "").strip()
                parts.append(f"```text\n{printed}\n```")
    return "\n\n".join(parts)


def _explanation(language: Language) -> str:
    """Return the page of `seefood explain` for a drawn picture."""
    data = BytesIO()
    draw_picture(_GLASS_BOX_PICTURE, 1, (320, 240)).save(data, "PNG")
    bundle = load_bundle(default_bundle_path())
    return explain_picture(Picture("hotdog.png", data.getvalue()), bundle, language=language)
