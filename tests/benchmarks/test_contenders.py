from pathlib import Path

import pytest

from benchmarks.bulk_contenders import CONTENDERS
from benchmarks.contender_process import Contender
from benchmarks.job import Job
from benchmarks.pictures import LABELS
from benchmarks.runner import Plan, run_rounds
from seefood.imaging.decode import ResizeRule
from seefood.synthetic import draw_picture
from seefood_training.export import export_bundle
from tests.models import SIZE, tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow, pytest.mark.beam]

# What peers are written with. `make bench` runs these cases before it measures: each starts a
# process that imports its framework, a minute in all for code that only `make bench` uses.
PEERS = {"daft", "ray", "tensorflow"}
# Left out: `onnx_loop` needs a converted network, which takes long; int8 and the cascade run the
# same command as `ours_shell` with another bundle.
CHOSEN = [
    pytest.param(each, id=each.name, marks=pytest.mark.peers if each.requires in PEERS else ())
    for each in CONTENDERS
    if each.name not in {"onnx_loop", "ours_int8", "ours_cascade"}
]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a tiny network."""
    return export_bundle(
        tiny_model(),
        tmp_path_factory.mktemp("benchmarks") / "bundle",
        name="tiny",
        labels=LABELS,
        rule=ResizeRule(SIZE, SIZE),
        temperature=1.0,
        thresholds=[0.0, 0.0],
        training={},
        metrics={},
    ).path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight drawn pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(8):
        kind = "hotdog_mustard" if number % 2 else "house"
        draw_picture(kind, number, (320, 240)).save(folder / f"{number}.jpg")
    return folder


@pytest.mark.parametrize("contender", CHOSEN)
def test_every_contender_labels_every_picture(
    contender: Contender, bundle: Path, pictures: Path
) -> None:
    """A contender whose library is installed labels each picture and is timed."""
    files = tuple(sorted(map(str, pictures.iterdir())))

    def make_job(_: Contender, output: Path) -> Job:
        return Job(files, str(pictures), str(output), str(bundle), str(bundle), "", LABELS, SIZE, 2)

    outcome = run_rounds([contender], make_job, Plan(1, 60))
    assert {} == outcome.failures
    (measurement,) = outcome.measurements
    assert {Path(file).name for file in files} == set(measurement.labels)
    assert set(measurement.labels.values()) <= set(LABELS)
    assert measurement.seconds_total > (measurement.seconds_loop or 0.0) >= 0.0
    assert measurement.peak_rss_mb > 20


def test_absent_libraries_are_named(tmp_path: Path) -> None:
    """A peer that is not installed is reported as such."""
    absent = Contender("peer", "A peer", "no_such_library")

    def make_job(_: Contender, output: Path) -> Job:
        return Job((), "", str(output), str(tmp_path), "", "", LABELS, SIZE, 1)

    outcome = run_rounds([absent], make_job, Plan(2, 60))
    assert {"peer": "NOT INSTALLED: no_such_library"} == outcome.failures
    assert [] == outcome.measurements
