"""The glass box: every number of the page follows from the network and the picture."""

import json
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import Bundle, load_bundle
from seefood.engines.fake import FakeEngine
from seefood.engines.loading import load_engine
from seefood.engines.saliency import occlusion_map, score_map
from seefood.explain import classics, figures
from seefood.explain.heatmap import agreement, class_activation_map
from seefood.explain.layers import before_activation
from seefood.explain.page import LANGUAGES, Picture, explain_picture
from seefood.imaging.decode import decode
from seefood.synthetic import draw_picture


@pytest.fixture(scope="module")
def bundle(bundle_path: Path) -> Bundle:
    return load_bundle(bundle_path)


@pytest.fixture(scope="module")
def picture() -> Picture:
    stream = BytesIO()
    draw_picture("hotdog_mustard", 3, (320, 240)).save(stream, "PNG")
    return Picture("lunch <1>.png", stream.getvalue())


@pytest.fixture(scope="module")
def stage(bundle: Bundle, picture: Picture) -> figures.Stage:
    image = decode(picture.data, bundle.spec.rule)
    return figures.set_stage(bundle, load_engine(bundle), image)


def test_trace_answers_as_the_engine(bundle: Bundle, stage: figures.Stage) -> None:
    """Looking inside changes nothing: the traced run gives the serving engine's probabilities."""
    served = load_engine(bundle).predict(stage.image.pixels[np.newaxis])[0]
    assert served == pytest.approx(stage.trace.probabilities, abs=1e-4)


def test_formula_gives_each_layers_real_shape(stage: figures.Stage) -> None:
    """The formula's side is the side that the layer answered, in every layer with a window."""
    windowed = [layer for layer in stage.layers if layer.is_windowed]
    assert windowed
    for layer in windowed:
        assert layer.output_shape[:2] == (layer.derived_side(0), layer.derived_side(1))


def test_first_layers_scale_the_pixels(stage: figures.Stage) -> None:
    """What stands before the first convolution is scaling, however its numbers are stored."""
    kinds = [layer.kind for layer in stage.layers]
    assert set(kinds[: kinds.index("convolution")]) <= {"scale"}


def test_receptive_field_grows_and_covers_the_pooled_picture(stage: figures.Stage) -> None:
    """No layer sees less than the one before it on a chain; the last sees at least the input."""
    sizes = [layer.reach.size for layer in stage.layers if layer.is_windowed]
    assert sizes == sorted(sizes)
    assert stage.layers[-1].reach.size >= stage.bundle.spec.rule.height


def test_convolutions_recomputed_in_numpy_are_the_networks(stage: figures.Stage) -> None:
    """Weights times windows plus bias, activated, equals what the graph answered."""
    for layer in [item for item in stage.layers if item.kind in {"convolution", "depthwise"}][:6]:
        answers = stage.trace.tensors[layer.operation.outputs[0]][0]
        channels = figures.strongest(answers, 4)
        before = before_activation(layer, stage.trace, channels)
        after = {
            "relu": np.maximum(before, 0),
            "relu6": np.clip(before, 0, 6),
            None: before,
        }[layer.operation.activation]
        assert after == pytest.approx(answers[:, :, channels], abs=1e-3)


def test_stepper_shows_the_networks_own_products(stage: figures.Stage) -> None:
    """Where the network's stride lands inside the patch, the stepper shows the network's number."""
    shown = figures.stepper_figure(stage)
    layer = figures.first_convolution(stage.layers)
    assert shown is not None
    assert layer is not None
    top, left = shown["corner"]
    stride = layer.operation.stride[0]
    before = before_activation(layer, stage.trace, [shown["channel"]])[:, :, 0]
    pad = layer.padding[0] // 2
    compared = 0
    for y, row in enumerate(shown["answers"]):
        for x, value in enumerate(row):
            if (top + y + pad) % stride == 0 and (left + x + pad) % stride == 0:
                at = ((top + y + pad) // stride, (left + x + pad) // stride)
                if at[0] < before.shape[0] and at[1] < before.shape[1]:
                    assert value == pytest.approx(float(before[at]), abs=2e-3)
                    compared += 1
    assert compared > 0


def test_activation_map_adds_up_to_the_scores(stage: figures.Stage) -> None:
    """The mean of the map over places, plus the bias, is the last layer's answer."""
    found = class_activation_map(stage.trace, stage.layers)
    assert found is not None
    (dense,) = [layer for layer in stage.layers if layer.kind == "dense"]
    scores = stage.trace.tensors[dense.operation.outputs[0]][0]
    assert found.scores.mean(axis=(0, 1)) + found.bias == pytest.approx(scores, abs=1e-3)


def test_served_map_is_the_traced_one(bundle: Bundle, stage: figures.Stage) -> None:
    """The map that comes with the answer at serving is the map that the glass box computes."""
    served = score_map(load_engine(bundle), stage.image.pixels, stage.label)
    found = class_activation_map(stage.trace, stage.layers)
    assert served is not None
    assert found is not None
    traced = found.contrast(stage.label)
    assert served.shape == traced.shape
    assert np.corrcoef(served.ravel(), traced.ravel())[0, 1] == pytest.approx(1.0, abs=1e-3)


def test_fake_engine_has_no_map_to_serve(stage: figures.Stage) -> None:
    """An engine that cannot explain says so with None; occlusion works for it all the same."""
    assert score_map(FakeEngine(), stage.image.pixels, 0) is None


def test_activation_map_needs_average_pooling(stage: figures.Stage) -> None:
    """A network without global average pooling has no map, and says so with None."""
    layers = [layer for layer in stage.layers if layer.kind != "global_pool"]
    assert class_activation_map(stage.trace, layers) is None


def test_occlusion_finds_what_the_engine_looks_at() -> None:
    """Covering the red corner is what costs an engine that looks for red."""
    pixels = np.zeros((48, 48, 3), dtype=np.uint8)
    pixels[:16, :16, 0] = 255
    found = occlusion_map(FakeEngine(classes=3), pixels, 0, cells=6)
    y, x = np.unravel_index(int(found.argmax()), found.shape)
    assert max(int(y), int(x)) < 3
    assert found[5, 5] == pytest.approx(found[5, 4], abs=0.1)


def test_agreement_is_a_correlation() -> None:
    """A map agrees with itself, contradicts its negative, and says nothing when it is flat."""
    ramp = np.arange(36, dtype=np.float32).reshape(6, 6)
    assert agreement(ramp, ramp) == pytest.approx(1.0)
    assert agreement(ramp, -ramp) == pytest.approx(-1.0)
    assert agreement(ramp, np.zeros((3, 3), np.float32)) == 0.0


def test_max_pool_keeps_the_largest_of_each_window() -> None:
    """24 x 24 becomes 12 x 12, each value the largest of its four."""
    values = np.arange(24 * 24, dtype=np.float32).reshape(24, 24)
    pooled = figures.max_pool(values)
    assert pooled.shape == (12, 12)
    assert pooled[0, 0] == values[1, 1]


def test_dense_shares_add_up_to_the_score(stage: figures.Stage) -> None:
    """The classes' probabilities are the softmax of scores up to the calibration's temperature."""
    shown = figures.dense_figure(stage)
    assert shown is not None
    ranked = [item["probability"] for item in shown["classes"]]
    assert ranked == sorted(ranked, reverse=True)
    assert sum(ranked) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("network", "parameters", "first_side"),
    [("LeNet-5", 60_000, 28), ("AlexNet", 60_965_224, 55), ("GoogLeNet", 6_998_552, 112)],
)
def test_classics_by_arithmetic(network: str, parameters: int, first_side: int) -> None:
    """The papers' layer tables add up to the known numbers of parameters."""
    (found,) = [item for item in classics.CLASSICS if item.name == network]
    assert parameters == found.parameters
    assert first_side == found.layers[0].side


@pytest.mark.parametrize(("stride", "side"), [(1, 28), (2, 14)])
def test_worked_example(stride: int, side: int) -> None:
    """A 5 x 5 filter over 32 x 32 gives 28 x 28 at stride 1 and 14 x 14 at stride 2."""
    assert side == classics.output_side(32, 5, stride)


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_whole_and_escaped(bundle: Bundle, picture: Picture, language: str) -> None:
    """The page renders in both languages, with nothing of the outside and no name as markup."""
    page = explain_picture(picture, bundle, language="pt" if language == "pt" else "en")
    assert "lunch &lt;1&gt;.png" in page
    assert "lunch <1>" not in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert ("parâmetros" in page) == (language == "pt")
    data = re.search(r"const data = (\{.*\});", page)
    assert data is not None
    assert json.loads(data[1])["window"] > 0
    assert page.count("<h2") == 8
