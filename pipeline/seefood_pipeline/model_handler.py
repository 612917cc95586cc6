"""`SeefoodModelHandler`: a bundle for Beam's RunInference."""

import inspect
import re
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from seefood.bundle import Bundle
from seefood.classification import ClassifyOptions
from seefood.engines.registry import AUTO
from seefood.errors import ErrorCode, PictureError, UsageError
from seefood.imaging.limits import DEFAULT_LIMITS, Limits
from seefood.python.pictures import picture_bytes
from seefood.python.predict import prediction_of
from seefood.records import DIGEST_SHOWN, ImageRef
from seefood.workers.opening import ModelSpec
from seefood_pipeline.classifying import model_spec
from seefood_pipeline.worker_factory import WorkerKey, shared_worker

_MIN_BATCH: Final = 16
_MAX_BATCH: Final = 256
"""The worker's threads wait for the next batch, so that few large ones are fastest."""
_UNIT_BYTES: Final = 256 * 1024
"""A larger picture counts as several, so that a batch holds at most 64 MiB of large ones."""
_BATCHING: Final = tuple(
    name
    for name, parameter in inspect.signature(ModelHandler.__init__).parameters.items()
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY
)
_DIGEST: Final = re.compile(rf"[0-9a-f]{{{DIGEST_SHOWN},64}}")


class LoadedModel:
    """A worker, lent until this object is gone; Beam keeps a weak reference to it."""

    def __init__(self, spec: ModelSpec) -> None:
        lent = ExitStack()
        self.worker = lent.enter_context(shared_worker(WorkerKey(spec)))
        weakref.finalize(self, lent.close)


class SeefoodModelHandler(ModelHandler[Any, PredictionResult, LoadedModel]):
    """Classifies pictures in `RunInference`.

        predictions = pictures | RunInference(SeefoodModelHandler("hotdog"))

    An example is the bytes of a picture, a path or URI, a PIL image, or an array of uint8
    (`seefood.python.pictures`). `PredictionResult.inference` is a `seefood.Prediction`, `model_id`
    the model's digest. Pictures are decoded and classified by the worker process that also
    `ClassifyImages` uses, on all cores, with the same limits: a picture that crashes a decoder
    ends neither the runner's process nor its batch.

    A picture that cannot be classified fails alone: with `with_exception_handling` it is, with its
    `PictureError`, in the first of `failed_postprocessing`; without, the pipeline fails. Inside a
    `KeyedModelHandler` its `inference` is the `PictureError`; to fail there too, use
    `.with_postprocess_fn(checked)` on the outer handler.
    """

    def __init__(  # noqa: PLR0913 (keywords, with the names of the command's options)
        self,
        model: str | Path | Bundle | None = None,
        *,
        digest: str | None = None,
        models: str | Path | None = None,
        engine: str = AUTO,
        top_k: int = 5,
        limits: Limits = DEFAULT_LIMITS,
        salvage: bool = False,
        **batching: Any,
    ) -> None:
        """`model` is a bundle's folder or URI on each worker machine, or a built-in model.

        `digest` pins it. `models` is where a model update by digest is found: a URI with
        `{digest}`, such as `s3://models/{digest}`. `batching` is what Beam's `ModelHandler` takes:
        `min_batch_size`, `max_batch_size` and so on. Raises `BundleError` or `UsageError`.
        """
        unknown = [name for name in batching if name not in _BATCHING]
        if unknown:
            raise UsageError(
                f"SeefoodModelHandler has no argument {unknown[0]!r}; of batches it takes "
                f"{', '.join(_BATCHING)}"
            )
        largest = batching.setdefault("max_batch_size", _MAX_BATCH)
        batching.setdefault("min_batch_size", min(_MIN_BATCH, largest))
        super().__init__(**batching)
        if models is not None and "{digest}" not in str(models):
            raise UsageError(f"models is {models!r}; it must contain {{digest}}")
        self._options = ClassifyOptions(top_k, limits, salvage)
        self._engine = engine
        self._models = None if models is None else str(models)
        self._spec = self._first = model_spec(model, digest, engine, self._options)
        self._is_outermost = False

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """Return what batches depend on: large pictures count as several."""
        kwargs = dict(super().batch_elements_kwargs())
        if "length_fn" not in kwargs:  # Beam batches by length then, and takes no size
            kwargs.setdefault("element_size_fn", _weight)
        return kwargs

    def load_model(self) -> LoadedModel:
        """Lend the worker of this process; the engine has passed the bundle's certificate."""
        return LoadedModel(self._spec)

    def run_inference(
        self,
        batch: Sequence[Any],
        model: LoadedModel,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[PredictionResult]:
        """Return a result for each example, in order; `inference` of a bad one is its error."""
        del inference_args
        worker = model.worker
        contents = [_content(example) for example in batch]
        valid = [content for content in contents if isinstance(content, bytes)]
        refs = [ImageRef(f"bytes:{at}", "", len(content)) for at, content in enumerate(valid)]
        rows = iter(worker.classify(refs, valid))
        return [
            PredictionResult(
                example,
                prediction_of(next(rows)) if isinstance(content, bytes) else content,
                worker.model.digest,
            )
            for example, content in zip(batch, contents, strict=True)
        ]

    def get_postprocess_fns(self) -> list[Callable[[Any], Any]]:
        """Fail single pictures, unless this handler is inside a keyed one, which forbids it."""
        return [checked] if self._is_outermost else []

    def validate_inference_args(self, inference_args: Mapping[str, Any] | None) -> None:
        """Refuse arguments. RunInference calls this first, and after keyed handlers were made."""
        if inference_args:
            raise UsageError(f"SeefoodModelHandler takes no inference_args, not {inference_args}")
        self._is_outermost = True

    def update_model_path(self, model_path: str | None = None) -> None:
        """Use another model: a bundle's folder or URI, a built-in model, or a digest."""
        if not model_path:
            self._spec = self._first
        elif _DIGEST.fullmatch(str(model_path)):
            self._spec = self._of_digest(model_path)
        else:
            self._spec = ModelSpec(str(model_path), None, self._engine, self._options)

    def get_num_bytes(self, batch: Sequence[Any]) -> int:
        """Return the size of the examples, in bytes, for RunInference's metrics."""
        return sum(_size_bytes(example) for example in batch)

    def get_metrics_namespace(self) -> str:
        """Return the namespace of RunInference's metrics."""
        return "BeamML_seefood"

    def _of_digest(self, digest: str) -> ModelSpec:
        if (self._first.digest or "").startswith(digest):
            return self._first
        if self._models is None:
            raise UsageError(
                f"there is no place to find the model {digest} in; give the handler "
                'models="s3://bucket/{digest}"'
            )
        name = self._models.format(digest=digest)
        return ModelSpec(name, digest, self._engine, self._options)


def checked(result: Any) -> Any:
    """Return a `PredictionResult`, keyed or not. Raises the `PictureError` that it holds."""
    prediction = result[1] if not isinstance(result, PredictionResult) else result
    if isinstance(prediction.inference, PictureError):
        raise prediction.inference
    return result


def _content(example: Any) -> bytes | PictureError:
    try:
        return picture_bytes(example)
    except PictureError as error:
        return error
    except UsageError as error:
        return PictureError(ErrorCode.NOT_AN_IMAGE, str(error))


def _size_bytes(example: Any) -> int:
    if isinstance(example, (bytes, str)):
        return len(example)
    return int(getattr(example, "nbytes", 0))


def _weight(element: Any) -> int:
    """Return how many pictures of a batch `element` counts as: an example, or a key and one."""
    example = element[1] if isinstance(element, tuple) and len(element) == 2 else element
    return max(1, _size_bytes(example) // _UNIT_BYTES)
