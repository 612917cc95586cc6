import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bulk_contenders import CONTENDERS
from benchmarks.contender_process import Contender
from benchmarks.job import Job, write_job
from benchmarks.pictures import LABELS
from benchmarks.runner import Plan, run_rounds
from benchmarks.settings import ROOT, python
from benchmarks.torch_weights import write_torch_weights
from seefood.imaging.decode import ResizeRule
from seefood.synthetic import draw_picture
from seefood_training.export import export_bundle
from tests.models import SIZE, tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow, pytest.mark.beam]

# What peers are written with. `make bench` runs these cases before it measures: each starts a
# process that imports its framework, a minute in all for code that only `make bench` uses.
PEERS = {"daft", "pyspark", "ray", "tensorflow"}
# Left out: `onnx_loop` needs a converted network, which takes long; `torch_loader` runs MobileNetV2
# only and has a test of its own; int8 and the cascade run the
# same command as `ours_shell` with another bundle.
CHOSEN = [
    pytest.param(each, id=each.name, marks=pytest.mark.peers if each.requires in PEERS else ())
    for each in CONTENDERS
    if each.name not in {"onnx_loop", "torch_loader", "ours_int8", "ours_cascade"}
]

_TORCH = next(each for each in CONTENDERS if each.name == "torch_loader")


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


@pytest.mark.peers
def test_torchvision_computes_what_keras_does(tmp_path: Path, pictures: Path) -> None:
    """The converted weights give Keras's logits, and the contender labels each picture."""
    import keras  # noqa: PLC0415 (loads TensorFlow)

    keras.utils.set_random_seed(0)
    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg"
    )
    head = keras.layers.Dense(len(LABELS))
    model = keras.Sequential([backbone, head])
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    expected = model(pixels).numpy()
    weights = tmp_path / "weights.npz"
    write_torch_weights(backbone, head, weights)
    files = tuple(sorted(map(str, pictures.iterdir())))

    def make_job(_: Contender, output: Path) -> Job:
        return Job(files, str(pictures), str(output), "", "", "", LABELS, 64, 2, torch=str(weights))

    np.save(tmp_path / "pixels.npy", pixels.transpose(0, 3, 1, 2))
    job = tmp_path / "job.json"
    write_job(make_job(_TORCH, tmp_path), job)
    program = (
        "import sys, numpy as np, torch; from benchmarks.job import read_job; "
        "from benchmarks.contenders.torch_loader import load; model = load(read_job()); "
        "pixels = torch.from_numpy(np.load(sys.argv[2])); "
        "np.save(sys.argv[3], model(pixels).detach().numpy())"
    )
    arguments = (job, tmp_path / "pixels.npy", tmp_path / "logits.npy")
    subprocess.run(
        [python(), "-c", program, *arguments],
        check=True,
        cwd=ROOT,
        env={**os.environ, **_TORCH.environment},
    )
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, rtol=1e-3, atol=1e-5)

    outcome = run_rounds([_TORCH], make_job, Plan(1, 60))
    assert {} == outcome.failures
    assert {Path(file).name for file in files} == set(outcome.measurements[0].labels)


def test_absent_libraries_are_named(tmp_path: Path) -> None:
    """A peer that is not installed is reported as such."""
    absent = Contender("peer", "A peer", "no_such_library")

    def make_job(_: Contender, output: Path) -> Job:
        return Job((), "", str(output), str(tmp_path), "", "", LABELS, SIZE, 1)

    outcome = run_rounds([absent], make_job, Plan(2, 60))
    assert {"peer": "NOT INSTALLED: no_such_library"} == outcome.failures
    assert [] == outcome.measurements
