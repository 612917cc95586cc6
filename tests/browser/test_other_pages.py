"""The pages of a comparison and of an evaluation are accessible."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from seefood.records import ImageRef, Status
from seefood.report.diff_page import make_diff_page
from seefood.results.diff import Change, Diff, Kind
from tests.browser.axe import violations
from tests.browser.test_report_page import fetch, row
from tests.bundles import fake_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Browser

pytestmark = pytest.mark.browser


def _diff_page() -> str:
    after = row(1, Status.OK)
    before = replace(after, label="not_hotdog", score=0.9, top=(("not_hotdog", 0.9),))
    diff = Diff(replaced=2)
    diff.counts.update({Kind.LABEL: 1, Kind.VANISHED: 1})
    diff.shown = {
        Kind.LABEL: [Change(Kind.LABEL, before, after)],
        Kind.VANISHED: [Change(Kind.VANISHED, row(7, Status.OK), None)],
    }
    return make_diff_page(diff, "s3://a", "s3://b", fetch)


def _evaluation_page(folder: "Path") -> str:
    from seefood_training.data import Photo  # noqa: PLC0415 (scikit-learn: not for the others)
    from seefood_training.evaluate import measure  # noqa: PLC0415
    from seefood_training.evaluation_page import render_evaluation  # noqa: PLC0415
    from seefood_training.predictions import Predictions  # noqa: PLC0415

    draw = np.random.default_rng(1)
    truth = draw.integers(0, 4, 80)
    scores = draw.random((80, 4)) + 2 * np.eye(4)[truth]
    photos = tuple(Photo(ImageRef(f"file:///no/{at}.jpg"), int(t)) for at, t in enumerate(truth))
    bundle = fake_bundle(folder)
    labels = tuple(f"class <{at}>" for at in range(4))
    spec = replace(bundle.spec, labels=labels, thresholds=(0.5,) * 4)
    shares = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    predictions = Predictions(photos, {"fake": shares})
    return render_evaluation(measure(replace(bundle, spec=spec), predictions, "it is alone"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write the pages and return their URLs."""
    folder = tmp_path_factory.mktemp("pages")
    texts = {
        "diff": _diff_page(),
        "evaluation": _evaluation_page(folder / "bundle"),
        "broken": "<title>broken</title><img src='data:,'>",
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in texts}


@pytest.mark.parametrize(
    ("width", "theme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]
)
@pytest.mark.parametrize("name", ["diff", "evaluation"])
def test_a_page_is_accessible_and_fits(
    browser: "Browser", pages: dict[str, str], name: str, width: int, theme: str
) -> None:
    """Axe finds nothing wrong; nothing is wider than the window; the console is empty."""
    browser.open(pages[name], width, theme=theme)
    assert [] == violations(browser)
    assert width == browser.evaluate("document.documentElement.scrollWidth")
    assert [] == browser.console()


def test_axe_finds_what_is_wrong(browser: "Browser", pages: dict[str, str]) -> None:
    """A picture without a text is a violation."""
    browser.open(pages["broken"])
    assert [] != [each for each in violations(browser) if each.startswith("image-alt")]
