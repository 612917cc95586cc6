"""The engine inside Beam's RunInference."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.ml.inference.base import (
    KeyedModelHandler,
    ModelMetadata,
    PredictionResult,
    RunInference,
)
from apache_beam.testing.util import assert_that

from seefood.bundle import Bundle
from seefood.errors import BundleError, PictureError, UsageError
from seefood.records import Prediction
from seefood.workers.opening import ModelSpec
from seefood_pipeline import SeefoodModelHandler
from seefood_pipeline.model_handler import checked
from seefood_pipeline.worker_factory import WorkerKey, close_worker
from tests.bundles import fake_bundle
from tests.pictures import jpeg, plain

pytestmark = pytest.mark.beam
RED = jpeg()
_RUNNER = "FnApiRunner"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Bundle]]:
    """Two bundles for the fake engine, in folders that are named by their digests."""
    models = tmp_path_factory.mktemp("models")
    made = []
    for name in ("one", "two"):
        bundle = fake_bundle(models / name, name=name)
        bundle.path.rename(models / bundle.digest)
        made.append(bundle)
    yield made
    for bundle in made:
        for path in (models / bundle.digest, bundle.path):
            close_worker(WorkerKey(ModelSpec(str(path), bundle.digest, "fake")))


def _handler(bundles: list[Bundle]) -> SeefoodModelHandler:
    models = bundles[0].path.parent
    path = models / bundles[0].digest
    return SeefoodModelHandler(path, engine="fake", models=f"{models}/{{digest}}", max_batch_size=4)


def _is(expected: Any, of: Callable[[list[Any]], Any]) -> Callable[[list[Any]], None]:
    def check(actual: list[Any]) -> None:
        assert expected == of(actual)

    return check


def test_an_example_is_anything_that_is_a_picture(bundles: list[Bundle], tmp_path: Path) -> None:
    """Bytes, paths, PIL images and arrays have the same label; batches and bytes are counted."""
    (tmp_path / "a.jpg").write_bytes(RED)
    pixels = np.asarray(plain())
    examples = [RED, str(tmp_path / "a.jpg"), plain(), pixels, pixels[:, :, 0]]
    pipeline = beam.Pipeline(_RUNNER)
    results = pipeline | beam.Create(examples) | RunInference(_handler(bundles))
    labels = _is(
        [True] * 5, of=lambda actual: [isinstance(each.inference, Prediction) for each in actual]
    )
    assert_that(results, labels, "labels")
    assert_that(
        results,
        _is({bundles[0].digest}, of=lambda actual: {each.model_id for each in actual}),
        "digests",
    )
    result = pipeline.run()
    counters = {
        each.key.metric.name: each.committed for each in result.metrics().query()["counters"]
    }
    assert 5 == counters["num_inferences"]


def test_large_pictures_make_small_batches(bundles: list[Bundle]) -> None:
    """A batch of large pictures is bounded by bytes: each counts as several, keyed or not."""
    large = bytes(3 * 1024 * 1024)
    for handler, element in (
        (_handler(bundles), large),
        (KeyedModelHandler(_handler(bundles)), ("key", large)),
    ):
        size = handler.batch_elements_kwargs()["element_size_fn"]
        assert (12, 1) == (size(element), size(b"small"))


def test_a_bad_picture_fails_alone(bundles: list[Bundle]) -> None:
    """With exception handling it is a failure by itself; the rest of its batch has labels."""
    examples = [RED, b"no picture", RED, b"", RED]
    with beam.Pipeline(_RUNNER) as pipeline:
        good, bad = (
            pipeline
            | beam.Create(examples)
            | RunInference(_handler(bundles)).with_exception_handling()
        )
        assert_that(good, _is(3, of=len), "good")
        failed = _is(
            [b"", b"no picture"], of=lambda actual: sorted(each[0].example for each in actual)
        )
        assert_that(bad.failed_postprocessing[0], failed, "bad")
        assert_that(bad.failed_inferences, _is([], of=list), "no batch")
    with (
        pytest.raises(Exception, match="this is text, not a picture"),
        beam.Pipeline(_RUNNER) as pipeline,
    ):
        _ = pipeline | beam.Create(examples) | RunInference(_handler(bundles))


def test_keys_preprocessing_and_postprocessing(bundles: list[Bundle]) -> None:
    """A keyed handler by one line; functions before and after on the outer handler."""
    handler = KeyedModelHandler(_handler(bundles))
    outer = handler.with_preprocess_fn(lambda name: (name, RED if name == "a" else b"no"))
    with beam.Pipeline(_RUNNER) as pipeline:
        kept = pipeline | "1" >> beam.Create(["a", "b"]) | RunInference(outer)
        kinds = _is(
            [("a", Prediction), ("b", PictureError)],
            of=lambda actual: sorted((key, type(each.inference)) for key, each in actual),
        )
        assert_that(kept, kinds, "kept")
        good, bad = (
            pipeline
            | "2" >> beam.Create(["a", "b"])
            | "Checked"
            >> RunInference(
                outer.with_postprocess_fn(checked).with_postprocess_fn(
                    lambda pair: (pair[0], pair[1].inference.label)
                )
            ).with_exception_handling()
        )
        assert_that(good, _is(["a"], of=lambda actual: [key for key, _ in actual]), "good")
        assert_that(bad.failed_postprocessing[0], _is(1, of=len), "bad")


def test_a_side_input_of_digests_changes_the_model(bundles: list[Bundle]) -> None:
    """`model_id` says which model has labelled a picture."""
    with beam.Pipeline(_RUNNER) as pipeline:
        update = pipeline | "Digest" >> beam.Create([ModelMetadata(bundles[1].digest, "two")])
        results = (
            pipeline
            | "Pictures" >> beam.Create([RED])
            | RunInference(_handler(bundles), model_metadata_pcoll=update)
        )
        assert_that(
            results,
            _is([bundles[1].digest], of=lambda actual: [each.model_id for each in actual]),
        )


def test_wrong_models_and_arguments_are_errors(bundles: list[Bundle]) -> None:
    """Each in one sentence, at construction where that is possible."""
    with pytest.raises(BundleError, match="there is no model bundle at"):
        SeefoodModelHandler("nonsense")
    with pytest.raises(UsageError, match=r"must contain \{digest\}"):
        SeefoodModelHandler(models="s3://models")
    with pytest.raises(UsageError, match="has no argument 'min_batch'; of batches it takes min_"):
        SeefoodModelHandler(min_batch=2)
    with pytest.raises(UsageError, match="takes no inference_args"):
        _ = (
            beam.Pipeline(_RUNNER)
            | beam.Create([RED])
            | RunInference(_handler(bundles), inference_args={"x": 1})
        )
    path = bundles[0].path.parent / bundles[0].digest
    handler = SeefoodModelHandler(path, engine="fake")
    handler.update_model_path(bundles[0].digest[:12])
    with pytest.raises(UsageError, match="there is no place to find the model"):
        handler.update_model_path("f" * 64)


def test_a_result_without_an_error_passes() -> None:
    """Keyed or not."""
    result = PredictionResult(b"", 1)
    assert (result, ("key", result)) == (checked(result), checked(("key", result)))
