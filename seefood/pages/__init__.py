"""The skeleton and the style sheets of every HTML page: reports, explanations, served pages.

    skeleton.html   the head: policy, viewport, colour scheme, style; block `body`
    document.html   a page to read, on the skeleton: headline, sections, footer
    parts.html      macros: contact sheet, histogram, list of facts
    base.css        colours (light and dark), focus, buttons, fields; every page has it
    document.css    the elements of a page to read
    rendering       renders a template of any package that extends one of the two
    tiles           a picture of a contact sheet

A page extends `document.html` or `skeleton.html`, loads nothing from the network and has a policy
that allows its own style sheet and script by their hashes, so injected text can neither style, run
nor load anything.
"""

from seefood.pages.rendering import DOCUMENT, PageTemplates, ServedPage, Style
from seefood.pages.tiles import Thumbnail, Tile

__all__ = ["DOCUMENT", "PageTemplates", "ServedPage", "Style", "Thumbnail", "Tile"]
