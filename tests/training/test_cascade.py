import json
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import BUILT_IN, SMALL_NETWORK, built_in_bundle_path, load_bundle
from seefood.cli import main
from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood.imaging.decode import decode
from seefood.synthetic import KINDS, draw_picture
from seefood_training.cascade import Choice, Made, choose, make_cascade
from seefood_training.evaluate import labelled_photos
from seefood_training.metrics import Share

LARGE, SMALL = (load_bundle(built_in_bundle_path(name)) for name in BUILT_IN)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 120 drawings in folders of their labels."""
    folder = tmp_path_factory.mktemp("drawn")
    for number in range(120):
        kind = KINDS[number % len(KINDS)]
        label = "hotdog" if kind.startswith("hotdog") else "not_hotdog"
        (folder / label).mkdir(exist_ok=True)
        draw_picture(kind, number, (160, 120)).save(folder / label / f"{number}.jpg")
    return folder


def _two(first: list[float], second: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.stack([p, 1 - np.asarray(p)], axis=1) for p in (first, second))  # type: ignore[return-value]


# A thousand photos of class 0 by descending probability: both networks are right on the first 400,
# the large one alone on the next 20, both on the rest.
FIRST = [0.99] * 400 + [0.1] * 20 + [0.8] * 580
TRUTH = np.zeros(1000, np.int64)


def test_limit_is_above_the_first_loss() -> None:
    """The small network decides down to where the large one begins to be better."""
    choice = choose(*_two(FIRST, [0.9] * 1000), TRUTH, 0.5)
    assert 0.99 == choice.at_least
    assert (400, 1000, 1000, 1000) == tuple(
        share.count
        for share in (
            choice.answered_by_first, choice.right_whole, choice.right, choice.same_label,
        )
    )  # fmt: skip


def test_more_points_lower_the_limit() -> None:
    """Twenty of a thousand are 2 points; with the confidence margin, 3 points allow them."""
    choice = choose(*_two(FIRST, [0.9] * 1000), TRUTH, 3.0)
    assert (0.8, 1000, 980) == (
        choice.at_least, choice.answered_by_first.count, choice.right.count,
    )  # fmt: skip


def test_photos_of_one_probability_are_decided_together() -> None:
    """Wrong and right labels with the same probability are on the same side of the limit."""
    first = [0.95] * 100 + [0.9] * 300 + [0.1] * 20 + [0.8] * 580
    choice = choose(*_two(first, [0.9] * 1000), TRUTH, 0.5)
    assert (0.95, 100) == (choice.at_least, choice.answered_by_first.count)


@pytest.mark.parametrize(
    "first", [[0.01] * 20 + [0.9] * 980, [0.9] * 50], ids=["wrong at the top", "too few photos"]
)
def test_no_limit(first: list[float]) -> None:
    """If no limit keeps the accuracy with 95 % confidence, there is a usage error."""
    with pytest.raises(UsageError, match=r"do not show that a cascade loses at most 0\.5"):
        choose(*_two(first, [0.9] * len(first)), TRUTH[: len(first)], 0.5)


@pytest.mark.parametrize("points", [1.0, 3.0])
def test_loss_is_at_most_the_allowed_one(points: float) -> None:
    """On random predictions the loss is at most the allowed one, and the cascade is used."""
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, 500)
    right = rng.random((2, 500)) < np.asarray([[0.9], [0.95]])
    sure = rng.uniform(0.5, 1, (2, 500))
    sure[0] = np.where(right[0], sure[0], 0.5 + (sure[0] - 0.5) * 0.7)
    predicted = np.where(right, truth, 1 - truth)
    first, second = _two(*(np.where(predicted == 0, sure, 1 - sure).tolist()))
    choice = choose(first, second, truth, points)
    lost = choice.right_whole.count - choice.right.count
    assert lost <= points * 5
    assert choice.answered_by_first.count > 50


def _made(right_first: int, time: float, copies: tuple[str, ...] = ()) -> Made:
    shares = [Share(count, 200) for count in (20, right_first, 190, 190, 198)]
    return Made(LARGE, Choice(0.9, *shares), time, copies)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(_made(180, 0.5), [], id="worth having"),
        pytest.param(_made(180, 0.97), ["not worth having"], id="as slow"),
        pytest.param(_made(190, 0.97), ["the first one alone is faster"], id="no better"),
        pytest.param(_made(180, 0.5, ("seen",)), ["seen"], id="photos that it has learned"),
    ],
)
def test_what_is_not_worth_having_is_said(made: Made, expected: list[str]) -> None:
    """A cascade that saves no time, or loses nothing without its second network, says so."""
    assert len(expected) == len(made.warnings())
    assert all(part in line for part, line in zip(expected, made.warnings(), strict=True))


def test_bundle_predicts_as_its_two_networks(drawn: Path, tmp_path: Path) -> None:
    """The small network decides at and above the limit, the large one below it."""
    photos = labelled_photos(str(drawn), LARGE.labels)
    made = make_cascade(SMALL, LARGE, photos, tmp_path / "fast", name="fast", points_lost=2.5)
    bundle, choice = made.bundle, made.choice
    assert bundle.is_cascade
    assert 0 < choice.answered_by_first.count < choice.answered_by_first.total
    whole, small, both = (load_engine(each) for each in (LARGE, SMALL, bundle))
    rule = bundle.spec.rule
    images = np.stack(
        [
            decode(Path(photo.ref.uri.removeprefix("file://")).read_bytes(), rule).pixels
            for photo in photos[:40]
        ]
    )
    probabilities, large = both.predict(images), whole.predict(images)
    hard = (probabilities == large).all(axis=1)
    assert 0 < hard.sum() < len(hard)
    assert (probabilities[~hard].max(axis=1) >= choice.at_least).all()
    assert small.name == both.name == "litert"
    assert load_bundle(bundle.file(SMALL_NETWORK)).labels == SMALL.labels


def test_bundles_that_cannot_be_combined(drawn: Path, tmp_path: Path) -> None:
    """The same bundle twice and too few photos are usage errors, and nothing is written."""
    photos = labelled_photos(str(drawn), LARGE.labels)
    with pytest.raises(UsageError, match="they are the same bundle"):
        make_cascade(LARGE, LARGE, photos, tmp_path / "no", name="no", points_lost=0.5)
    with pytest.raises(UsageError, match="20 photos are too few"):
        make_cascade(SMALL, LARGE, photos[:20], tmp_path / "no", name="no", points_lost=0.5)
    assert not (tmp_path / "no").exists()


def test_command(drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`seefood predict` works with the bundle of `seefood cascade`."""
    output = tmp_path / "fast"
    command = ["cascade", "hotdog-lite", "hotdog", str(drawn), "--output", str(output), "--json"]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--points-lost", "5"])
    assert 0 == ended.value.code
    document = json.loads(capsys.readouterr().out)
    assert load_bundle(output).digest == document["digest"]
    picture = next((drawn / "hotdog").iterdir())
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(picture), "--model", str(output), "--json"])
    assert 0 == ended.value.code
    assert document["digest"] == json.loads(capsys.readouterr().out)["model_digest"]
