"""The pages of comparisons, evaluations, similar pictures and copies are accessible."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from seefood.duplicates.groups import find_groups
from seefood.duplicates.page import make_duplicates_page
from seefood.duplicates.pictures import load_pictures
from seefood.likeness.found import Match
from seefood.likeness.page import make_like_page
from seefood.records import ImageRef, Status
from seefood.report.diff_page import make_diff_page
from seefood.results.diff import Change, Diff, Kind
from seefood.storage.uris import parse_location
from tests.browser.axe import violations
from tests.browser.test_report_page import fetch, row
from tests.bundles import fake_bundle
from tests.seefood.results.test_output_rows import put_part

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


def _labels_page(folder: "Path") -> str:
    from seefood_training.evaluation_page import render_labels  # noqa: PLC0415 (as above)
    from seefood_training.multi_label import measure_labels  # noqa: PLC0415

    bundle = fake_bundle(folder)
    spec = replace(bundle.spec, labels=("a", "b <1>", "c" * 90), thresholds=(0.5,) * 3)
    draw = np.random.default_rng(1)
    truth = draw.random((60, 3)) > 0.4
    scores = (0.6 * truth + 0.4 * draw.random((60, 3))).astype(np.float32)
    failed = [("file:///no/x.jpg", "not_an_image")]
    return render_labels(measure_labels(replace(bundle, spec=spec), "fake", truth, scores, failed))


def _like_page() -> str:
    pictures = [row(number, Status.OK) for number in range(4)]
    matches = [
        Match(ImageRef(each.uri, each.etag), 0.9, each.label, each.score) for each in pictures
    ]
    return make_like_page(matches[0].ref, matches, "s3://labels", fetch)


def _duplicates_page(output: str) -> str:
    rows = [
        replace(row(number, Status.OK), etag=f"tag{number}", phash="00ff00ff00ff00ff")
        for number in range(3)
    ]
    put_part(output, "a", *rows)
    pictures = load_pictures([parse_location(output)])
    groups = find_groups(pictures, None, distance=4)
    assert 1 == len(groups)
    return make_duplicates_page(groups, pictures, output, fetch)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write the pages and return their URLs."""
    folder = tmp_path_factory.mktemp("pages")
    texts = {
        "diff": _diff_page(),
        "evaluation": _evaluation_page(folder / "bundle"),
        "labels": _labels_page(folder / "labels"),
        "like": _like_page(),
        "duplicates": _duplicates_page(f"file://{folder}/out"),
        "broken": "<title>broken</title><img src='data:,'>",
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in texts}


@pytest.mark.parametrize("name", ["diff", "evaluation", "labels", "like", "duplicates"])
def test_a_page_is_accessible_and_fits(
    browser: "Browser", pages: dict[str, str], name: str
) -> None:
    """Axe finds nothing wrong; nothing is wider than the window; the console is empty."""
    for width, theme in ((390, "dark"), (1280, "light"), (390, "light"), (1280, "dark")):
        browser.open(pages[name], width, theme=theme)
        assert [] == violations(browser), (width, theme)
        assert width == browser.evaluate("document.documentElement.scrollWidth"), width
        assert [] == browser.console()


def test_axe_finds_what_is_wrong(browser: "Browser", pages: dict[str, str]) -> None:
    """A picture without a text is a violation."""
    browser.open(pages["broken"])
    assert [] != [each for each in violations(browser) if each.startswith("image-alt")]
