"""Renders pages as HTML: escaped by default, no script, and a policy that forbids requests."""

import base64
import hashlib
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from seefood.report.charts import BAR_WIDTH, HISTOGRAM_HEIGHT, HISTOGRAM_WIDTH
from seefood.report.page import Page

# The policy allows only the style sheet of this hash, so injected text can neither style nor load.
_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'sha256-{style}'; base-uri 'none'; "
    "form-action 'none'"
)


def render_page(page: Page) -> str:
    """Return `page` as one HTML document."""
    return render_document(
        "report.html",
        page=page,
        bar_width=BAR_WIDTH,
        histogram_width=HISTOGRAM_WIDTH,
        histogram_height=HISTOGRAM_HEIGHT,
    )


def render_document(template: str, **values: object) -> str:
    """Return a template of this package as one HTML document, styled as the report."""
    environment = _environment()
    style = environment.get_template("report.css").render().strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    html: str = environment.get_template(template).render(
        style=Markup(style),  # noqa: S704 (our own file)
        policy=_POLICY.format(style=digest),
        **values,
    )
    return html


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("seefood.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
