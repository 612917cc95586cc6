import json
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import BUILT_IN, FIRST, built_in_bundle_path, load_bundle
from seefood.cli import main
from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood.imaging.decode import decode
from seefood.synthetic import KINDS, draw_picture
from seefood_training.cascade import choose, make_cascade
from seefood_training.evaluate import labelled_photos

LARGE, SMALL = (load_bundle(built_in_bundle_path(name)) for name in BUILT_IN)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred and twenty drawn pictures in folders of their labels."""
    folder = tmp_path_factory.mktemp("drawn")
    for number in range(120):
        kind = KINDS[number % len(KINDS)]
        label = "hotdog" if kind.startswith("hotdog") else "not_hotdog"
        (folder / label).mkdir(exist_ok=True)
        draw_picture(kind, number, (320, 240)).save(folder / label / f"{number}.jpg")
    return folder


def _two(first: list[float], second: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.stack([p, 1 - np.asarray(p)], axis=1) for p in (first, second))  # type: ignore[return-value]


# A thousand photos of class 0: the 400 surest are right by both, then 20 by the large one alone.
FIRST_SAYS = [0.99] * 400 + [0.1] * 20 + [0.8] * 580
TRUTH = np.zeros(1000, np.int64)


def test_the_small_network_decides_as_far_down_as_it_is_right() -> None:
    """Where it begins to be wrong and the large one is right, it is not asked."""
    choice = choose(*_two(FIRST_SAYS, [0.9] * 1000), TRUTH, 0.5)
    assert 0.99 == choice.at_least
    assert (400, 1000, 1000, 1000) == tuple(
        share.count
        for share in (
            choice.answered_by_first, choice.right_whole, choice.right, choice.same_label,
        )
    )  # fmt: skip


def test_points_that_may_be_lost_let_it_decide_more() -> None:
    """Twenty of a thousand are 2 points; with the room for luck, 3 are enough."""
    choice = choose(*_two(FIRST_SAYS, [0.9] * 1000), TRUTH, 3.0)
    assert (0.8, 1000, 980) == (
        choice.at_least, choice.answered_by_first.count, choice.right.count,
    )  # fmt: skip


def test_photos_of_one_probability_are_decided_together() -> None:
    """Twenty wrong ones as sure as four hundred right ones: none of them is the small network's."""
    first = [0.95] * 100 + [0.9] * 300 + [0.1] * 20 + [0.8] * 580
    choice = choose(*_two(first, [0.9] * 1000), TRUTH, 0.5)
    assert (0.95, 100) == (choice.at_least, choice.answered_by_first.count)


@pytest.mark.parametrize(
    "first", [[0.01] * 20 + [0.9] * 980, [0.9] * 50], ids=["wrong where surest", "too few photos"]
)
def test_where_nothing_can_be_promised_nothing_is(first: list[float]) -> None:
    """Not even that no label was lost says much, of fifty photos."""
    with pytest.raises(UsageError, match=r"cannot be said that a cascade loses at most 0\.5"):
        choose(*_two(first, [0.9] * len(first)), TRUTH[: len(first)], 0.5)


@pytest.mark.parametrize("points", [1.0, 3.0])
def test_no_more_is_lost_than_was_allowed(points: float) -> None:
    """At the limit and above it, over random answers."""
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, 500)
    right = rng.random((2, 500)) < np.asarray([[0.9], [0.95]])
    sure = rng.uniform(0.5, 1, (2, 500))
    sure[0] = np.where(right[0], sure[0], 0.5 + (sure[0] - 0.5) * 0.7)
    said = np.where(right, truth, 1 - truth)
    first, second = _two(*(np.where(said == 0, sure, 1 - sure).tolist()))
    choice = choose(first, second, truth, points)
    lost = choice.right_whole.count - choice.right.count
    assert lost <= points * 5
    assert choice.answered_by_first.count > 50


def test_the_bundle_answers_as_its_two_networks_do(drawn: Path, tmp_path: Path) -> None:
    """By the small one where that is sure enough, by the large one otherwise."""
    photos = labelled_photos(str(drawn), LARGE.labels)
    bundle, choice = make_cascade(
        SMALL, LARGE, photos, tmp_path / "fast", name="fast", points_lost=2.5
    )
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
    answers, large = both.predict(images), whole.predict(images)
    hard = (answers == large).all(axis=1)
    assert 0 < hard.sum() < len(hard)
    assert (answers[~hard].max(axis=1) >= choice.at_least).all()
    assert small.name == both.name == "litert"
    assert load_bundle(bundle.file(FIRST)).labels == SMALL.labels


def test_what_does_not_fit_together_is_a_sentence(drawn: Path, tmp_path: Path) -> None:
    """The same network twice, and too few photos."""
    photos = labelled_photos(str(drawn), LARGE.labels)
    with pytest.raises(UsageError, match="they are the same"):
        make_cascade(LARGE, LARGE, photos, tmp_path / "no", name="no", points_lost=0.5)
    with pytest.raises(UsageError, match="20 photos are too few"):
        make_cascade(SMALL, LARGE, photos[:20], tmp_path / "no", name="no", points_lost=0.5)
    assert not (tmp_path / "no").exists()


def test_the_command_makes_a_bundle_that_labels(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`seefood cascade`, then `seefood predict` with what it made."""
    output = tmp_path / "fast"
    command = ["cascade", "hotdog-lite", "hotdog", str(drawn), "--output", str(output), "--json"]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--points-lost", "5"])
    assert 0 == ended.value.code
    said = json.loads(capsys.readouterr().out)
    assert load_bundle(output).digest == said["digest"]
    picture = next((drawn / "hotdog").iterdir())
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(picture), "--model", str(output), "--json"])
    assert 0 == ended.value.code
    assert said["digest"] == json.loads(capsys.readouterr().out)["model_digest"]
