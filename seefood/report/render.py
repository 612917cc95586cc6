"""Renders the report as HTML, without a script."""

from typing import Final

from seefood.pages import PageTemplates
from seefood.report.charts import BAR_WIDTH, HISTOGRAM_HEIGHT, HISTOGRAM_WIDTH
from seefood.report.page import Page

TEMPLATES: Final = PageTemplates("seefood.report")


def render_page(page: Page) -> str:
    """Return `page` as one HTML document."""
    return TEMPLATES.render(
        "report.html",
        page=page,
        bar_width=BAR_WIDTH,
        histogram_width=HISTOGRAM_WIDTH,
        histogram_height=HISTOGRAM_HEIGHT,
    )
