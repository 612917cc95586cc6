import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import LITERT_MODEL, Bundle, load_bundle, write_bundle
from seefood.engines.fake import FakeEngine
from seefood.engines.loading import load_engine
from seefood.errors import BundleError, UsageError
from seefood.imaging.decode import Pixels, ResizeRule, decode
from seefood.synthetic import KINDS, draw_picture
from tests.bundles import fake_bundle
from tests.models import SIZE, tiny_model

LABELS = ("hotdog", "not_hotdog", "neither")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Bundle]:
    """Two bundles of the same network with different weights."""
    from seefood_training.export import export_bundle  # noqa: PLC0415 (needs TensorFlow)

    folder = tmp_path_factory.mktemp("engines")
    made = [
        export_bundle(
            tiny_model(3, seed=seed),
            folder / str(seed),
            name=f"tiny-{seed}",
            labels=LABELS,
            rule=ResizeRule(SIZE, SIZE),
            temperature=1.0,
            thresholds=(0.0,) * 3,
            training={},
            metrics={},
        )
        for seed in (1, 2)
    ]
    return made[0], made[1]


@pytest.fixture
def copy(bundles: tuple[Bundle, Bundle], tmp_path: Path) -> Bundle:
    """A copy of the first bundle that a test may change."""
    for name in [*bundles[0].files, "assets.extra/bundle.json"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bundles[0].file(name).read_bytes())
    return load_bundle(tmp_path)


@pytest.fixture(scope="module")
def pictures() -> Pixels:
    return np.stack([np.asarray(draw_picture(kind, 3, (SIZE, SIZE))) for kind in KINDS])


@pytest.mark.tensorflow
def test_both_engines_give_the_same_probabilities(
    bundles: tuple[Bundle, Bundle], pictures: Pixels
) -> None:
    """LiteRT and TensorFlow agree within 1e-5 on every drawn picture."""
    light, heavy = (load_engine(bundles[0], name) for name in ("litert", "tensorflow"))
    np.testing.assert_allclose(light.predict(pictures), heavy.predict(pictures), atol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["litert", "openvino", "tensorflow"])
def test_a_batch_gives_what_its_pictures_give_alone(
    bundles: tuple[Bundle, Bundle], pictures: Pixels, name: str
) -> None:
    """Any number of pictures works: one, several, more than the best batch."""
    engine = load_engine(bundles[0], name)
    alone = np.concatenate([engine.predict(picture[np.newaxis]) for picture in pictures])
    for count in (1, 7, len(pictures)):
        probabilities = engine.predict(pictures[:count])
        assert (count, len(LABELS)) == probabilities.shape
        assert probabilities.dtype == np.float32
        np.testing.assert_allclose(probabilities, alone[:count], atol=1e-6)
    np.testing.assert_allclose(alone.sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["litert", "openvino", "tensorflow"])
def test_engines_are_thread_safe(
    bundles: tuple[Bundle, Bundle], pictures: Pixels, name: str
) -> None:
    """Eight threads that share one engine get what one thread gets."""
    engine = load_engine(bundles[0], name)
    serial = engine.predict(pictures)
    order = np.random.default_rng(0).integers(0, len(pictures), 200)
    with ThreadPoolExecutor(8) as pool:
        probabilities = list(pool.map(lambda at: engine.predict(pictures[at : at + 1])[0], order))
    np.testing.assert_allclose(probabilities, serial[order], atol=1e-6)


@pytest.mark.tensorflow
def test_openvino_computes_what_litert_computes(
    bundles: tuple[Bundle, Bundle], pictures: Pixels
) -> None:
    """In float32 they agree within 1e-5."""
    light, other = (load_engine(bundles[0], name) for name in ("litert", "openvino"))
    assert "openvino" == other.name
    np.testing.assert_allclose(light.predict(pictures), other.predict(pictures), atol=1e-5)


@pytest.mark.tensorflow
def test_bfloat16_is_close_or_unsupported(bundles: tuple[Bundle, Bundle], pictures: Pixels) -> None:
    """Without bfloat16 in the processor it is a usage error; with it, within its tolerance."""
    try:
        engine = load_engine(bundles[0], "openvino-bf16")
    except UsageError as error:
        assert "does not compute in bfloat16; use `--engine openvino`" in str(error)  # noqa: PT017
        return
    assert "openvino-bf16" == engine.name
    exact = load_engine(bundles[0], "litert").predict(pictures)
    np.testing.assert_allclose(exact, engine.predict(pictures), atol=0.05)


@pytest.mark.tensorflow
def test_openvino_reports_no_usage(bundles: tuple[Bundle, Bundle]) -> None:
    """The package that reports usage to Intel is not imported."""
    load_engine(bundles[0], "openvino")
    assert sys.modules["openvino_telemetry"] is None


@pytest.mark.tensorflow
def test_auto_prefers_litert(copy: Bundle) -> None:
    """LiteRT where the bundle has its graph, else TensorFlow."""
    assert load_engine(copy).name == "litert"
    copy.file(LITERT_MODEL).unlink()
    without = write_bundle(copy.path, copy.spec)
    assert load_engine(without).name == "tensorflow"
    with pytest.raises(BundleError, match="use `--engine tensorflow`"):
        load_engine(without, "litert")


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("name", "file"),
    [("litert", LITERT_MODEL), ("openvino", LITERT_MODEL), ("tensorflow", "saved_model.pb")],
)
def test_an_engine_that_computes_something_else_is_refused(
    bundles: tuple[Bundle, Bundle], copy: Bundle, name: str, file: str
) -> None:
    """Another network's graph is refused with the expected and the actual probability."""
    copy.file(file).write_bytes(bundles[1].file(file).read_bytes())
    forged = write_bundle(copy.path, copy.spec)
    with pytest.raises(
        BundleError, match=rf"the {name} engine gives \w+ = 0\.\d+ for .* says 0\.\d+ \(tolerance"
    ):
        load_engine(forged, name)


@pytest.mark.tensorflow
def test_a_graph_of_another_size_is_refused(copy: Bundle) -> None:
    """The rule and the LiteRT graph must have the same input size."""
    forged = write_bundle(copy.path, replace(copy.spec, rule=ResizeRule(SIZE, 2 * SIZE)))
    with pytest.raises(BundleError, match=r"uint8 \(1, 32, 32, 3\) where uint8 \(1, 32, 64, 3\)"):
        load_engine(forged, "litert")
    with pytest.raises(BundleError, match=r"takes u8 \(1, 32, 32, 3\) .* u8 \(1, 32, 64, 3\)"):
        load_engine(forged, "openvino")


@pytest.mark.tensorflow
def test_a_bundle_without_its_saved_model_runs_on_litert(copy: Bundle) -> None:
    """TensorFlow is refused with a message, as in a Lambda package."""
    copy.file("saved_model.pb").unlink()
    slim = load_bundle(copy.path)
    assert load_engine(slim).name == "litert"
    with pytest.raises(BundleError, match="comes without its SavedModel; use `--engine litert`"):
        load_engine(slim, "tensorflow")


@pytest.mark.tensorflow
def test_an_invalid_saved_model_is_refused(tmp_path: Path) -> None:
    """TensorFlow's exception becomes a `BundleError`."""
    with pytest.raises(BundleError, match="TensorFlow cannot load the SavedModel"):
        load_engine(fake_bundle(tmp_path), "tensorflow")


def test_an_invalid_litert_graph_is_refused(tmp_path: Path) -> None:
    """The runtime's exception becomes a `BundleError`."""
    bundle = fake_bundle(tmp_path)
    for name, title in (("litert", "LiteRT"), ("openvino", "OpenVINO")):
        with pytest.raises(BundleError, match=f"{title} cannot load"):
            load_engine(bundle, name)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_the_fake_engine_returns_probabilities(classes: int) -> None:
    """The fake engine follows the protocol: float32, rows that sum to 1."""
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)
    probabilities = FakeEngine(classes).predict(images)
    assert (4, classes) == probabilities.shape
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.photos
@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_engines_agree_on_test_photos(shared: Path, bundle_path: Path) -> None:
    """LiteRT and the SavedModel give every tenth photo one label, probabilities within 1e-4."""
    bundle = load_bundle(bundle_path)
    light, heavy = (load_engine(bundle, name) for name in ("litert", "tensorflow"))
    files = sorted((shared / "hotdog" / "test").rglob("*.jpg"))[::10]
    assert len(files) > 70
    with ThreadPoolExecutor(2) as pool:
        decoded = list(pool.map(lambda file: decode(file.read_bytes(), bundle.spec.rule), files))
    pixels = np.stack([image.pixels for image in decoded])
    halves = np.array_split(pixels, 2)
    with ThreadPoolExecutor(2) as pool:
        one = np.concatenate(list(pool.map(light.predict, halves)))
    other = np.concatenate([heavy.predict(part) for part in np.array_split(pixels, 4)])
    np.testing.assert_array_equal(one.argmax(axis=1), other.argmax(axis=1))
    np.testing.assert_allclose(one, other, atol=1e-4)
