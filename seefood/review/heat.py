"""Heat maps on request: where the model looked, computed with the row's own model."""

from threading import Lock
from typing import TYPE_CHECKING

from seefood.errors import UsageError
from seefood.records import Row

# Bundles and engines are imported when a map is asked for; the first picture does not wait.
if TYPE_CHECKING:
    from pathlib import Path

    from seefood.bundle import Bundle
    from seefood.engines.base import Engine
    from seefood.engines.heat_map import HeatMap
    from seefood.review.queue import Card


class HeatMaps:
    """Loads the models that it needs when it needs them. Thread-safe: one map at a time."""

    def __init__(self, model: "Path | None" = None) -> None:
        """`model` is the bundle that made the rows; built-in ones are found by themselves."""
        self._model = model
        self._bundles: list[Bundle] | None = None
        self._engines: dict[str, Engine] = {}
        self._lock = Lock()

    def map_of(self, card: "Card") -> "HeatMap":
        """Return where the model found the label of a card's row.

        Raises `UsageError` if there is no label or no such model, `PictureError` for the picture.
        """
        from seefood.engines.heat_map import heat_map  # noqa: PLC0415 (see above)
        from seefood.engines.loading import load_engine  # noqa: PLC0415
        from seefood.imaging.decode import decode  # noqa: PLC0415
        from seefood.storage import fetch  # noqa: PLC0415

        with self._lock:
            bundle = self._bundle(card.row)
            if bundle.digest not in self._engines:
                self._engines[bundle.digest] = load_engine(bundle)
            image = decode(fetch(card.ref), bundle.spec.rule, salvage=True)
            at = bundle.labels.index(card.row.label or "")
            engine = self._engines[bundle.digest]
            return heat_map(image, at, engine, bundle.spec.rule)

    def _bundle(self, row: Row) -> "Bundle":
        from seefood.bundle import BUILT_IN, built_in_bundle_path, load_bundle  # noqa: PLC0415

        if row.label is None:
            raise UsageError("the model gave no label, so there is nothing to explain")
        if self._bundles is None:
            built_in = [built_in_bundle_path(name) for name in BUILT_IN]
            paths = [self._model] if self._model else built_in
            self._bundles = [load_bundle(path) for path in paths if path.exists()]
        for bundle in self._bundles:
            if bundle.digest == row.model_digest:
                return bundle
        raise UsageError(
            f"the label is of the model {row.model} ({row.model_digest[:12]}); start the review "
            "with --model and that bundle to see where it looked"
        )
