"""Loads and certifies the model once, and classifies one picture at a time."""

from dataclasses import dataclass, replace
from typing import Self

from seefood.bundle import load_bundle
from seefood.classification import ClassifyOptions, Fetched, Model, classify_images, load_classifier
from seefood.engines.base import Engine
from seefood.engines.fast import fast_variant
from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import Limits
from seefood.imaging.signatures import sniff_format
from seefood.records import ImageRef, Row
from seefood.storage import open_store
from seefood.storage.uris import parse_location
from seefood_lambda.settings import LambdaConfig

_SNIFFED_BYTES = 4096
# Above this size one more request for the first bytes is cheaper than reading a file that is no
# picture.
_LARGE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Classifier:
    """A loaded network with its model's facts and the options of classifying."""

    engine: Engine
    model: Model
    options: ClassifyOptions

    @classmethod
    def load(cls, config: LambdaConfig) -> Self:
        """Return the bundle's LiteRT network, or its ONNX network if it has no other.

        With `config.fast` it is the fastest variant for LiteRT that loses no more.
        Raises `BundleError` if it does not reproduce the certificate, `UsageError` if no variant
        fits.
        """
        bundle = load_bundle(config.bundle, expected_digest=config.digest)
        if config.fast is not None:  # it is in the package, which is pinned as a whole
            bundle, _ = fast_variant(bundle, config.fast, "litert")
        engine = "onnxruntime" if bundle.has_onnx and not bundle.has_litert else "litert"
        return cls(*load_classifier(bundle, engine, config.options), config.options)

    def row(self, fetched: Fetched) -> Row:
        """Return the row of one picture. A picture that cannot be read gets a row with an error."""
        return classify_images([fetched], self.engine, self.model, self.options)[0]


def fetch(ref: ImageRef, limits: Limits) -> Fetched:
    """Return the object that `ref` names with its bytes, or with the error. Never raises.

    An object above the size limit, or a large one that is no picture, is not read into memory.
    """
    try:
        store = open_store(parse_location(ref.uri).root)
        if not ref.etag:
            ref = store.stat(ref)
        if ref.size_bytes > limits.max_bytes:
            raise PictureError(
                ErrorCode.TOO_LARGE,
                f"{ref.size_bytes:,} bytes are more than the limit of {limits.max_bytes:,}",
            )
        if ref.size_bytes > _LARGE_BYTES:
            head = store.fetch(ref, first_bytes=_SNIFFED_BYTES)
            if sniff_format(head) is None:
                return ref, head  # decoding it reports the error
        data = store.fetch(ref)
    except PictureError as error:
        return ref, error
    return replace(ref, size_bytes=len(data)), data
