"""The numbers of the explanation follow from the network and the picture."""

import json
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import Bundle, built_in_bundle_path, load_bundle
from seefood.classification import ClassifyOptions, Model, classify_images
from seefood.engines.fake import FakeEngine
from seefood.engines.loading import load_engine
from seefood.engines.saliency import occlusion_map, score_map
from seefood.explain import classics, figures
from seefood.explain.heatmap import agreement, class_activation_map
from seefood.explain.layers import before_activation
from seefood.explain.page import LANGUAGES, Picture, explain_picture
from seefood.imaging.decode import decode
from seefood.records import ImageRef, Status
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
def analysis(bundle: Bundle, picture: Picture) -> figures.Analysis:
    image = decode(picture.data, bundle.spec.rule)
    return figures.analyze(bundle, load_engine(bundle), image)


def test_trace_gives_the_engines_probabilities(bundle: Bundle, analysis: figures.Analysis) -> None:
    """A run that keeps every tensor gives the probabilities of the serving engine."""
    served = load_engine(bundle).predict(analysis.image.pixels[np.newaxis])[0]
    assert served == pytest.approx(analysis.trace.probabilities, abs=1e-4)


def test_formula_gives_each_layers_real_shape(analysis: figures.Analysis) -> None:
    """In every layer with a window, the formula gives the side of the layer's output."""
    windowed = [layer for layer in analysis.layers if layer.is_windowed]
    assert windowed
    for layer in windowed:
        assert layer.output_shape[:2] == (layer.derived_side(0), layer.derived_side(1))


def test_first_layers_scale_the_pixels(analysis: figures.Analysis) -> None:
    """Only scaling precedes the first convolution."""
    kinds = [layer.kind for layer in analysis.layers]
    assert set(kinds[: kinds.index("convolution")]) <= {"scale"}


def test_receptive_field_grows_and_covers_the_picture(analysis: figures.Analysis) -> None:
    """Receptive fields never shrink along a chain; the last covers the whole input."""
    sizes = [layer.field.size for layer in analysis.layers if layer.is_windowed]
    assert sizes == sorted(sizes)
    assert analysis.layers[-1].field.size >= analysis.bundle.spec.rule.height


def test_convolutions_recomputed_in_numpy_are_the_networks(analysis: figures.Analysis) -> None:
    """Weights times windows plus bias, activated, equals the graph's output."""
    for layer in [item for item in analysis.layers if item.kind in {"convolution", "depthwise"}][
        :6
    ]:
        outputs = analysis.trace.tensors[layer.operation.outputs[0]][0]
        channels = figures.most_varied(outputs, 4)
        before = before_activation(layer, analysis.trace, channels)
        after = {
            "relu": np.maximum(before, 0),
            "relu6": np.clip(before, 0, 6),
            None: before,
        }[layer.operation.activation]
        assert after == pytest.approx(outputs[:, :, channels], abs=1e-3)


def test_stepper_shows_the_networks_own_products(analysis: figures.Analysis) -> None:
    """At positions that the network's stride visits, the stepper shows the network's number."""
    shown = figures.stepper_figure(analysis)
    layer = figures.first_convolution(analysis.layers)
    assert shown is not None
    assert layer is not None
    top, left = shown["corner"]
    stride = layer.operation.stride[0]
    before = before_activation(layer, analysis.trace, [shown["channel"]])[:, :, 0]
    pad = layer.padding[0] // 2
    compared = 0
    for y, row in enumerate(shown["sums"]):
        for x, value in enumerate(row):
            if (top + y + pad) % stride == 0 and (left + x + pad) % stride == 0:
                at = ((top + y + pad) // stride, (left + x + pad) // stride)
                if at[0] < before.shape[0] and at[1] < before.shape[1]:
                    assert value == pytest.approx(float(before[at]), abs=2e-3)
                    compared += 1
    assert compared > 0


def test_activation_map_adds_up_to_the_scores(analysis: figures.Analysis) -> None:
    """The mean of the map over positions, plus the bias, is the last layer's output."""
    activation_map = class_activation_map(analysis.trace, analysis.layers)
    assert activation_map is not None
    (dense,) = [layer for layer in analysis.layers if layer.kind == "dense"]
    scores = analysis.trace.tensors[dense.operation.outputs[0]][0]
    assert activation_map.scores.mean(axis=(0, 1)) + activation_map.bias == pytest.approx(
        scores, abs=1e-3
    )


def test_served_map_is_the_traced_one(bundle: Bundle, analysis: figures.Analysis) -> None:
    """The map that the engine serves equals the map computed from the trace."""
    served = score_map(load_engine(bundle), analysis.image.pixels, analysis.label)
    activation_map = class_activation_map(analysis.trace, analysis.layers)
    assert served is not None
    assert activation_map is not None
    traced = activation_map.contrast(analysis.label)
    assert served.shape == traced.shape
    assert np.corrcoef(served.ravel(), traced.ravel())[0, 1] == pytest.approx(1.0, abs=1e-3)


def test_fake_engine_has_no_activation_map(analysis: figures.Analysis) -> None:
    """An engine without class activation maps returns None."""
    assert score_map(FakeEngine(), analysis.image.pixels, 0) is None


def test_activation_map_needs_average_pooling(analysis: figures.Analysis) -> None:
    """There is no map for a network without global average pooling."""
    layers = [layer for layer in analysis.layers if layer.kind != "global_pool"]
    assert class_activation_map(analysis.trace, layers) is None


def test_occlusion_locates_what_the_score_depends_on() -> None:
    """For an engine that scores red, the map is highest at the red corner."""
    pixels = np.zeros((48, 48, 3), dtype=np.uint8)
    pixels[:16, :16, 0] = 255
    heat = occlusion_map(FakeEngine(classes=3), pixels, 0, cells=6)
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    assert max(int(y), int(x)) < 3
    assert heat[5, 5] == pytest.approx(heat[5, 4], abs=0.1)


def test_agreement_is_a_correlation() -> None:
    """A map's agreement is 1 with itself, -1 with its negative and 0 with a constant map."""
    ramp = np.arange(36, dtype=np.float32).reshape(6, 6)
    assert agreement(ramp, ramp) == pytest.approx(1.0)
    assert agreement(ramp, -ramp) == pytest.approx(-1.0)
    assert agreement(ramp, np.zeros((3, 3), np.float32)) == 0.0


def test_max_pool_keeps_the_largest_of_each_window() -> None:
    """24 x 24 becomes 12 x 12, each value the largest of four."""
    values = np.arange(24 * 24, dtype=np.float32).reshape(24, 24)
    pooled = figures.max_pool(values)
    assert pooled.shape == (12, 12)
    assert pooled[0, 0] == values[1, 1]


def test_class_probabilities_are_ranked_and_sum_to_one(analysis: figures.Analysis) -> None:
    """The classes are listed by falling probability, and the probabilities sum to 1."""
    shown = figures.dense_figure(analysis)
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
    (classic,) = [item for item in classics.CLASSICS if item.name == network]
    assert parameters == classic.parameters
    assert first_side == classic.layers[0].side


@pytest.mark.parametrize(("stride", "side"), [(1, 28), (2, 14)])
def test_worked_example(stride: int, side: int) -> None:
    """A 5 x 5 filter over 32 x 32 gives 28 x 28 at stride 1 and 14 x 14 at stride 2."""
    assert side == classics.output_side(32, 5, stride)


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_self_contained_and_escaped(picture: Picture, language: str) -> None:
    """The page renders in both languages, loads nothing and escapes the picture's name."""
    bundle = load_bundle(built_in_bundle_path("hotdog-lite"))  # a third of the time
    page = explain_picture(picture, bundle, language="pt" if language == "pt" else "en")
    fetched = [(ImageRef("lunch.png"), picture.data)]
    (row,) = classify_images(fetched, load_engine(bundle), Model.of(bundle), ClassifyOptions())
    is_unsure = row.status is Status.UNSURE
    assert "lunch &lt;1&gt;.png" in page
    assert "lunch <1>" not in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert ("parâmetros" in page) == (language == "pt")
    data = re.search(r'id="stepper-data">(\{.*\})</script>', page)
    assert data is not None
    assert json.loads(data[1])["window"] > 0
    assert page.count("<h2") == 8
    assert ("stays below" in page or "fica abaixo" in page) == is_unsure
    title = page.partition("<title>")[2].partition("</title>")[0]
    assert ("unsure" in title or "não tem certeza" in title) == is_unsure
    assert " style=" not in page
    assert "unsafe" not in page
