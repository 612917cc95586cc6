from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from seefood.bundle import LITERT_MODEL, Bundle, load_bundle
from seefood.engines.certificate import certify
from seefood.engines.loading import load_engine
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels, ResizeRule, decode
from seefood.synthetic import KINDS, draw_picture
from seefood_training.export import export_bundle
from seefood_training.frozen_graph import FrozenGraph
from seefood_training.golden_pictures import write_golden_pictures
from seefood_training.graph_freezing import freeze
from seefood_training.quantisation import QUANTISATIONS, Quantisation
from seefood_training.sealing import FLOAT_TOLERANCE
from tests.models import SIZE, randomise, tiny_model

if TYPE_CHECKING:
    import keras

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("uncollected_imports")]

TEMPERATURE = 1.7
PLAIN_COLOURS = ((0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255))


def export(
    model: "keras.Model",
    output: Path,
    quantisation: Quantisation = "float32",
    *,
    extra_files: dict[str, bytes] | None = None,
    overwrite: bool = False,
) -> Bundle:
    return export_bundle(
        model,
        output,
        name="tiny",
        labels=("hotdog", "not_hotdog"),
        rule=ResizeRule(SIZE, SIZE),
        temperature=TEMPERATURE,
        thresholds=(0.6, 0.7),
        training={"network": "tiny"},
        metrics={"accuracy": 0.5},
        quantisation=quantisation,
        calibration_images=drawn() if quantisation == "int8" else None,
        extra_files=extra_files or {},
        overwrite=overwrite,
    )


def drawn() -> Pixels:
    """Return drawings, plain colours and noise, at the network's input size."""
    pictures = [np.asarray(draw_picture(kind, 5, (SIZE, SIZE))) for kind in KINDS]
    noise = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
    plain = [np.full((SIZE, SIZE, 3), colour, np.uint8) for colour in PLAIN_COLOURS]
    return np.concatenate([np.stack(pictures), np.stack(plain), noise])


@pytest.fixture(scope="module")
def model() -> "keras.Model":
    return tiny_model()


@pytest.fixture(scope="module")
def bundles(
    model: "keras.Model", tmp_path_factory: pytest.TempPathFactory
) -> dict[Quantisation, Bundle]:
    folder = tmp_path_factory.mktemp("bundles")
    return {each: export(model, folder / each, each) for each in QUANTISATIONS}


def expected(model: "keras.Model", images: Pixels) -> np.ndarray:
    """Return the calibrated probabilities of the network itself."""
    logits = np.asarray(model.predict(images.astype(np.float32), verbose=0), np.float64)
    weights = np.exp(logits / TEMPERATURE)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("engine", ["litert", "tensorflow"])
def test_bundle_predicts_as_its_network(
    model: "keras.Model", bundles: dict[Quantisation, Bundle], engine: str
) -> None:
    """The bundle's probabilities are the network's, calibrated, within rounding."""
    probabilities = load_engine(bundles["float32"], engine).predict(drawn())
    assert np.ptp(probabilities[:, 0]) > 0.1
    np.testing.assert_allclose(probabilities, expected(model, drawn()), atol=2e-6)


def test_float16_engines_agree(model: "keras.Model", bundles: dict[Quantisation, Bundle]) -> None:
    """Weights of 16 bits change the probabilities slightly, and equally in both engines."""
    half = bundles["float16"]
    litert = load_engine(half, "litert").predict(drawn())
    tensorflow = load_engine(half, "tensorflow").predict(drawn())
    np.testing.assert_allclose(litert, tensorflow, atol=2e-6)
    np.testing.assert_allclose(tensorflow, expected(model, drawn()), atol=0.01)
    assert half.spec.certificate.tolerance == FLOAT_TOLERANCE


def test_a_larger_network_halves_in_both_files(tmp_path: Path) -> None:
    """If weights are most of a file, float16 halves the SavedModel and the LiteRT file."""
    import keras  # noqa: PLC0415 (tests are collected without TensorFlow, too)

    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Conv2D(256, 8, strides=8)(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(256, 2)(x))
    model = keras.Model(image, keras.layers.Dense(2)(x))
    full, half = export(model, tmp_path / "full"), export(model, tmp_path / "half", "float16")
    for name in ("saved_model.pb", LITERT_MODEL):
        ratio = half.file(name).stat().st_size / full.file(name).stat().st_size
        assert ratio < 0.52


def test_int8_tolerance_is_measured(
    bundles: dict[Quantisation, Bundle],
) -> None:
    """The tolerance of an int8 bundle is larger than for floats, and both engines pass it."""
    bundle = bundles["int8"]
    assert FLOAT_TOLERANCE < bundle.spec.certificate.tolerance <= 0.5
    for name in ("litert", "tensorflow"):
        certify(load_engine(bundle, name), bundle)
    assert bundle.spec.training["quantisation"] == "int8"


def test_int8_weights_are_integers(bundles: dict[Quantisation, Bundle]) -> None:
    """All convolutions of an int8 graph have 8-bit weights."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 (only here)

    file = bundles["int8"].file(LITERT_MODEL)
    interpreter = Interpreter(model_path=str(file))
    interpreter.allocate_tensors()
    weights = [
        tensor["dtype"]
        for tensor in interpreter.get_tensor_details()
        if len(tensor["shape"]) == 4 and tensor["shape"][0] != 1
    ]
    assert weights
    assert set(weights) == {np.int8}


def test_the_same_network_gives_the_same_digest(
    model: "keras.Model", bundles: dict[Quantisation, Bundle], tmp_path: Path
) -> None:
    """Exporting is deterministic."""
    assert bundles["float16"].digest == export(model, tmp_path / "again", "float16").digest


def test_nothing_but_the_bundle_is_written(bundles: dict[Quantisation, Bundle]) -> None:
    """There are no empty variables, no Keras metadata and no temporary files."""
    names = {name for name in bundles["float32"].files if "/golden/" not in name}
    assert names == {"saved_model.pb", LITERT_MODEL}
    folder = bundles["float32"].path.parent
    assert set(QUANTISATIONS) == {path.name for path in folder.iterdir()}


def test_record(bundles: dict[Quantisation, Bundle]) -> None:
    """Temperature and quantisation are added to the training record."""
    spec = load_bundle(bundles["float16"].path).spec
    assert {"network": "tiny", "temperature": TEMPERATURE, "quantisation": "float16"} == dict(
        spec.training
    )
    assert {"accuracy": 0.5} == dict(spec.metrics)
    assert spec.thresholds == (0.6, 0.7)


def test_extra_files_are_part_of_the_digest(model: "keras.Model", tmp_path: Path) -> None:
    """A bundle whose model card was changed is refused."""
    bundle = export(model, tmp_path / "b", extra_files={"MODEL_CARD.md": b"# Tiny\n"})
    card = bundle.file("assets.extra/MODEL_CARD.md")
    assert card.read_bytes() == b"# Tiny\n"
    card.write_bytes(b"# Huge\n")
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md was changed"):
        load_bundle(bundle.path)


def test_existing_folder_is_kept(
    model: "keras.Model", bundles: dict[Quantisation, Bundle], tmp_path: Path
) -> None:
    """Nothing is overwritten without `overwrite`, and with it only a bundle."""
    with pytest.raises(BundleError, match="exists; remove it, or allow"):
        export(model, bundles["float32"].path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(BundleError, match="is not a bundle and is not overwritten"):
        export(model, tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos" / "mine.jpg").is_file()


def test_overwrite(model: "keras.Model", tmp_path: Path) -> None:
    """The old bundle is replaced by the new one completely."""
    old = export(model, tmp_path / "b", extra_files={"old.md": b"old"})
    new = export(model, tmp_path / "b", overwrite=True)
    assert old.digest != new.digest
    assert not (tmp_path / "b" / "assets.extra" / "old.md").exists()
    assert [tmp_path / "b"] == list(tmp_path.iterdir())


def test_a_failed_export_leaves_nothing(model: "keras.Model", tmp_path: Path) -> None:
    """An export that fails leaves no folder."""
    with pytest.raises(BundleError, match="3 labels"):
        export_bundle(
            model,
            tmp_path / "b",
            name="tiny",
            labels=("a", "b", "c"),
            rule=ResizeRule(SIZE, SIZE),
            temperature=1.0,
            thresholds=(0.0, 0.0),
            training={},
            metrics={},
        )
    assert list(tmp_path.iterdir()) == []


def test_broken_weights_are_not_certified(tmp_path: Path) -> None:
    """A network that returns NaN is not exported."""
    model = tiny_model()
    dense = model.layers[-1]
    dense.set_weights([np.full(weight.shape, np.nan) for weight in dense.weights])
    with pytest.raises(BundleError, match="are not probabilities"):
        export(model, tmp_path / "b")


def test_the_golden_pictures_test_the_decode(tmp_path: Path) -> None:
    """None is square; one is rotated, one is transparent, and ignoring either changes it."""
    rule = ResizeRule(SIZE, SIZE)
    names = write_golden_pictures(tmp_path)
    assert len(names) >= 4
    sideways = transparent = 0
    for name in names:
        with Image.open(tmp_path / name) as image:
            assert image.width != image.height
            right = decode((tmp_path / name).read_bytes(), rule).pixels.astype(int)
            careless = np.asarray(image.convert("RGB").resize((SIZE, SIZE)), int)
            differs = np.abs(right - careless).max() > 40
            sideways += image.getexif().get(0x0112, 1) != 1 and differs
            transparent += image.mode == "RGBA" and differs
    assert (sideways, transparent) == (1, 1)


def folded(model: "keras.Model") -> FrozenGraph:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    pictures = tf.TensorSpec((None, SIZE, SIZE, 3), tf.uint8, name="image")
    function = tf.function(lambda image: model(tf.cast(image, tf.float32)) / 1.5)
    return freeze(function.get_concrete_function(pictures), ["logits"])


def test_scales_are_folded_into_weights(model: "keras.Model") -> None:
    """Batch norms and the temperature leave no multiplication; the pixels' scale remains."""
    ops = [node.op for node in folded(model).graph.node]
    assert ops.count("Mul") == 1
    assert not {"RealDiv", "Rsqrt", "Sub", "Identity"} & set(ops)
    assert ops.count("AddV2") + ops.count("BiasAdd") == 5


def test_a_shared_scale_is_not_folded_twice(tmp_path: Path) -> None:
    """A tensor with two users is not scaled; the outputs stay the network's."""
    import keras  # noqa: PLC0415 (as above)

    layers = keras.layers
    image = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(4, 3)(image)
    y = layers.add([x, layers.BatchNormalization()(x), layers.Rescaling(3.0)(x)])
    shared = layers.Conv2D(4, 1)
    z = layers.add([layers.Rescaling(2.0)(shared(y)), layers.Rescaling(0.5, 1.0)(shared(x))])
    z = layers.GlobalAveragePooling2D()(z)
    model = keras.Model(image, layers.Dense(2)(layers.Rescaling(1 / 255)(z)))
    randomise(model, 3)
    bundle = export(model, tmp_path / "b")
    probabilities = load_engine(bundle, "litert").predict(drawn())
    np.testing.assert_allclose(probabilities, expected(model, drawn()), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV3Small"])
def test_known_networks_stay_equal_with_half_the_bits(name: str, tmp_path: Path) -> None:
    """Common networks are folded completely, so both engines agree after rounding."""
    import keras  # noqa: PLC0415 (as above)

    options = {"include_preprocessing": False} if name != "MobileNet" else {"alpha": 0.25}
    base = getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), **options
    )
    image = keras.Input((SIZE, SIZE, 3))
    x = base(keras.layers.Rescaling(1 / 127.5, -1)(image))
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(2)(x))
    bundle = export(model, tmp_path / "b", "float16")
    litert, tensorflow = (
        load_engine(bundle, each).predict(drawn()) for each in ("litert", "tensorflow")
    )
    np.testing.assert_allclose(litert, tensorflow, atol=1e-5)


@pytest.mark.parametrize("quantisation", ["float32", "float16"])
def test_heat_maps_add_up_to_the_logits(
    model: "keras.Model", bundles: dict[Quantisation, Bundle], quantisation: Quantisation
) -> None:
    """Both engines give the same maps; a map's mean plus the bias is the calibrated logit."""
    from seefood.engines.litert import LiteRTEngine  # noqa: PLC0415 (as above)
    from seefood.engines.tensorflow import TensorFlowEngine  # noqa: PLC0415 (as above)

    bundle = bundles[quantisation]
    probabilities, maps = LiteRTEngine(bundle).explain(drawn())
    other_probabilities, other_maps = TensorFlowEngine(bundle).explain(drawn())
    assert maps is not None
    assert other_maps is not None
    assert (len(drawn()), SIZE // 2, SIZE // 2, 2) == maps.shape
    np.testing.assert_allclose(maps, other_maps, atol=1e-4)
    np.testing.assert_allclose(probabilities, other_probabilities, atol=1e-5)
    bias = model.layers[-1].get_weights()[1] / TEMPERATURE
    logits = maps.mean(axis=(1, 2)) + bias
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        probabilities, weights / weights.sum(axis=1, keepdims=True), atol=1e-3
    )


def test_heat_maps_are_a_signature_of_their_own(bundles: dict[Quantisation, Bundle]) -> None:
    """`serving_default` returns the probabilities alone."""
    import tensorflow as tf  # noqa: PLC0415 (as above)

    signatures = tf.saved_model.load(str(bundles["float32"].path)).signatures
    assert ["probabilities"] == list(signatures["serving_default"].structured_outputs)
    assert {"probabilities", "score_maps"} == set(signatures["explain"].structured_outputs)


def test_flattened_network_has_no_heat_maps(tmp_path: Path) -> None:
    """Flattened features have no positions, so no heat maps are exported."""
    import keras  # noqa: PLC0415 (as above)

    from seefood.engines.litert import LiteRTEngine  # noqa: PLC0415 (as above)

    image = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Conv2D(4, 5, strides=4, activation="relu")(image)
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    for weights in model.trainable_weights:
        weights.assign(weights * 0.01)
    engine = LiteRTEngine(export(model, tmp_path / "b"))
    assert engine.explain(drawn())[1] is None
