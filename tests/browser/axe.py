"""Runs axe-core on the page that a browser shows."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.conftest import Browser

_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
  (result) => done(result.violations.map(
    (each) => each.id + ": " + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)
      + " " + (node.any[0]?.message ?? "")).join(" | "))),
  (error) => done([String(error)]));
"""


@cache
def _script() -> str:
    # Not imported: the package would import playwright.
    spec = find_spec("axe_playwright_python")
    assert spec is not None, "run `make .venv/.dev`: it installs axe-core's script"
    assert spec.origin is not None
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")


def violations(browser: "Browser") -> list[str]:
    """Return what axe finds wrong: its rule and the first elements; empty for a clean page."""
    browser.driver.set_script_timeout(200)
    browser.driver.execute_script(_script())
    found: list[str] = browser.driver.execute_async_script(_RUN)
    return found
