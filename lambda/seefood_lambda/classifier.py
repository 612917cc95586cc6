"""The model, loaded once and certified, and a picture through it."""

from dataclasses import dataclass, replace
from typing import Self

from seefood.bundle import load_bundle
from seefood.classify import ClassifyOptions, Fetched, Model, classify_images
from seefood.engines.base import Engine
from seefood.engines.loading import load_engine
from seefood.errors import ErrorCode, PictureError
from seefood.imaging.decode import Limits
from seefood.imaging.formats import sniff_format
from seefood.records import ImageRef, Row
from seefood.storage import open_store
from seefood.storage.uris import parse_location
from seefood_lambda.settings import LambdaConfig

_SNIFFED_BYTES = 64
# From here on it pays to ask for the first bytes alone, before all of them are held.
_LARGE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network that answers, and how its answers are judged."""

    engine: Engine
    model: Model
    classify_options: ClassifyOptions

    @classmethod
    def load(cls, settings: LambdaConfig) -> Self:
        """Return the bundle's LiteRT network. Raises `BundleError` if it is not what it says."""
        bundle = load_bundle(settings.bundle, expected_digest=settings.digest)
        return cls(load_engine(bundle, "litert"), Model.of(bundle), settings.classify_options)

    def row(self, fetched: Fetched) -> Row:
        """Return the row of one picture; whatever is wrong with the picture stands in the row."""
        return classify_images([fetched], self.engine, self.model, self.classify_options)[0]


def fetch(ref: ImageRef, limits: Limits) -> Fetched:
    """Return exactly the object that `ref` names, or why it is not read. Never raises.

    What is too large, or is large and no picture, is refused before it is held in memory.
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
                return ref, head  # the one decode says what is wrong with it
        data = store.fetch(ref)
    except PictureError as error:
        return ref, error
    return replace(ref, size_bytes=len(data)), data
