"""Hooks of the documentation site: pages that are made from the code or lie beside `docs/`."""

import ast
import re
from io import BytesIO
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from seefood.bundle import default_bundle_path, load_bundle
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
_LINK: Final = re.compile(r"(\]\(|src=\"|srcset=\")(?!https?:|#|mailto:)([^)\"#\s]+)")
_COLUMNS: Final = "<!-- columns -->"
_GLASS_BOX_PICTURE: Final = "hotdog_mustard"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files below `docs/`."""
    for source, page in _BESIDE.items():
        text = _relinked((_ROOT / source).read_text(), source, page)
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "llms.txt", content=_llms_text(config)))
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
    return _relinked(markdown, f"docs/{path}", path).replace(_COLUMNS, _columns_table())


def _relinked(text: str, source: str, page: str) -> str:
    """Return `text` of the file `source` with links as they are from `page`.

    A link to a file that has no page becomes plain code.
    """

    def target(match: re.Match[str]) -> str:
        path = (_ROOT / source).parent / match[2]
        relative = path.resolve().relative_to(_ROOT).as_posix()
        to = _BESIDE.get(relative) or relative.removeprefix("docs/")
        up = "../" * page.count("/")
        return f"{match[1]}{up}{to}"

    code = re.sub(
        r"\[([^\]]+)\]\(([^)#\s]+\.(?:py|yaml|toml|Dockerfile))\)",
        r"\1",
        text,
    )
    return _LINK.sub(target, code)


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


def _llms_text(config: MkDocsConfig) -> str:
    """Return `llms.txt` (llmstxt.org): a summary and the list of pages, for language models."""
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", ""]
    for entry in config.nav or []:
        for title, pages in entry.items() if isinstance(entry, dict) else [("", [entry])]:
            lines += [f"## {title}", ""] if title else []
            for page in pages:
                name, path = next(iter(page.items())) if isinstance(page, dict) else (page, page)
                lines.append(f"- [{name.removesuffix('.md')}]({path})")
            lines.append("")
    return "\n".join(lines)


def _explanation(language: Language) -> str:
    """Return the page of `seefood explain` for a drawn picture."""
    data = BytesIO()
    draw_picture(_GLASS_BOX_PICTURE, 1, (320, 240)).save(data, "PNG")
    bundle = load_bundle(default_bundle_path())
    return explain_picture(Picture("hotdog.png", data.getvalue()), bundle, language=language)
