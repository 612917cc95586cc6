"""Renders pages: escaped by default, with a policy that allows nothing but their own text."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_SELF_CONTAINED: Final[Mapping[str, str]] = {
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
}
_BASE: Final = "base.css"


@dataclass(frozen=True, slots=True)
class Style:
    """What a page looks like and what it runs, beside the base style sheet."""

    sheets: tuple[str, ...] = ()
    """Style sheets among the templates, in their order."""
    rules: str = ""
    """Further rules, made by the page."""
    script: str = ""
    """A script among the templates; empty for a page without one."""


DOCUMENT: Final = Style(sheets=("document.css",))
"""The style of pages that extend `document.html`."""


@dataclass(frozen=True, slots=True)
class ServedPage:
    """A page for a server, which sends `policy` as the header Content-Security-Policy."""

    html: str
    policy: str


class PageTemplates:
    """The templates of one package, which extend those of this one."""

    def __init__(
        self,
        package: str,
        folder: str = "templates",
        filters: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        """Templates are the files of `folder` in `package`."""
        self._package = package
        self._folder = folder
        self._filters = filters or {}

    def render(self, template: str, style: Style = DOCUMENT, **values: object) -> str:
        """Return `template` as one self-contained HTML file, which holds its policy itself."""
        css, script = self._inline(style)
        policy = _policy(css, script, _SELF_CONTAINED)
        return self._render(template, {**values, "policy": policy, "style": css, "script": script})

    def serve(
        self, template: str, style: Style, sources: Mapping[str, str], **values: object
    ) -> ServedPage:
        """Return `template` for a server.

        `sources` are further directives of the policy by their names, such as
        `{"connect-src": "'self'"}`.
        """
        css, script = self._inline(style)
        shown = {**values, "policy": "", "style": css, "script": script}
        return ServedPage(self._render(template, shown), _policy(css, script, sources))

    def module(self, template: str, values: Mapping[str, object]) -> Any:
        """Return the macros of a template as functions; `values` are its variables."""
        return self._environment.get_template(template).make_module(dict(values))

    def _render(self, template: str, values: Mapping[str, object]) -> str:
        html: str = self._environment.get_template(template).render(values)
        return html

    def _inline(self, style: Style) -> tuple[Markup, Markup]:
        """Return the style sheet and the script: our own files, which need no escapes."""
        sheets = [self._source(name) for name in (_BASE, *style.sheets)]
        css = "\n".join([*sheets, style.rules]).strip()
        script = self._source(style.script) if style.script else ""
        return Markup(css), Markup(script)  # noqa: S704 (see above)

    def _source(self, name: str) -> str:
        environment = self._environment
        assert environment.loader is not None  # noqa: S101 (set below)
        return environment.loader.get_source(environment, name)[0].strip()

    @cached_property
    def _environment(self) -> Environment:
        own = PackageLoader(self._package, self._folder)
        environment = Environment(
            loader=ChoiceLoader([own, PackageLoader("seefood.pages")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(self._filters)
        return environment


def _policy(css: str, script: str, sources: Mapping[str, str]) -> str:
    directives = {
        "default-src": "'none'",
        "style-src": _hash(css),
        **({"script-src": _hash(script)} if script else {}),
        **sources,
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
