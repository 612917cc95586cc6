"""Makes faster variants of a bundle and measures what each loses on labelled photos.

`int8` is an integer network, quantised after training: weights for each channel, activations for
each tensor, their ranges measured on photos that the loss is not measured on. `bf16` is the same
graph in OpenVINO's bfloat16 on processors that compute in it. A cascade is made by
`seefood_training.cascade`. Each is a bundle inside the bundle, with a certificate of its own.
"""

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist, median
from time import thread_time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import (
    EXTRA,
    LITERT_MODEL,
    VARIANTS,
    Bundle,
    Golden,
    Loss,
    Variant,
    list_variants,
    load_bundle,
    write_bundle,
)
from seefood.bundle.variants import no_variant_because
from seefood.engines.base import Engine
from seefood.engines.certificate import certify
from seefood.engines.loading import create_engine, load_engine
from seefood.engines.registry import engine_spec
from seefood.errors import BundleError, UsageError
from seefood.imaging.decode import Pixels, decode
from seefood_training.data import DecodedPhotos, Photo, decode_photos
from seefood_training.metrics import Share
from seefood_training.reasons import NO_REASON, reason
from seefood_training.sealing import new_bundle

Floats = NDArray[np.floating]

MIN_PHOTOS: Final = 100
_MAX_CALIBRATION: Final = 500
_CALIBRATION_SHARE: Final = 0.25
_TIMED: Final = 24
_Z: Final = NormalDist().inv_cdf(0.975)
_INT8_TOLERANCE: Final = 0.02
"""Of a golden picture's probability, on a processor that rounds otherwise."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FastData:
    """Labelled photos, as indices into a bundle's labels."""

    measured: Sequence[Photo]
    """Those that the loss is measured on; the network was not trained on them."""
    calibration: Sequence[Photo]
    """Those that the ranges of an integer network are measured on; none of `measured`."""
    name: str
    """What the certificate calls the data."""


def split_fast_data(photos: Sequence[Photo], name: str) -> FastData:
    """Return `photos` with every fourth, and at most 500, for the ranges of an integer network.

    Raises `UsageError` if too few are left to measure a loss on.
    """
    step = max(round(1 / _CALIBRATION_SHARE), -(-len(photos) // _MAX_CALIBRATION))
    calibration = photos[::step]
    measured = [photo for at, photo in enumerate(photos) if at % step]
    if len(measured) < MIN_PHOTOS:
        least = -(-MIN_PHOTOS * step // (step - 1))
        raise UsageError(
            f"{len(photos)} photos are too few to measure a faster variant on; give at least "
            f"{least} labelled ones that the model was not trained on"
        )
    return FastData(measured, calibration, name)


def add_variants(bundle: Bundle, data: FastData) -> tuple[Bundle, tuple[str, ...]]:
    """Add the variants `int8` and `bf16` to the bundle's folder, in place; the digest stays.

    Returns the bundle with its variants, and a sentence for each variant that was not made. One
    that exists is replaced. Raises `UsageError` for a bundle that no variant can be made of.
    """
    check_can_have_variants(bundle)
    maker = _Maker.of(bundle, data)
    notes = []
    for make in (maker.int8, maker.bfloat16):
        try:
            make()
        except _NotMadeError as error:
            notes.append(str(error))
    return list_variants(load_bundle(bundle.path)), tuple(notes)


def copy_with_variants(
    bundle: Bundle, data: FastData, output: Path, *, overwrite: bool = False
) -> tuple[Bundle, tuple[str, ...]]:
    """Write a copy of `bundle` with the variants of `add_variants` to `output`. Atomic."""
    check_can_have_variants(bundle)
    with new_bundle(output, overwrite=overwrite) as folder:
        shutil.copytree(bundle.path, folder, dirs_exist_ok=True)
        _, notes = add_variants(load_bundle(folder), data)
    return load_bundle(output), notes


def check_can_have_variants(bundle: Bundle) -> None:
    """Raise `UsageError` for a bundle that no variant can be made of or measured for."""
    reason = no_variant_because(bundle)
    if reason is not None:
        raise UsageError(f"{bundle.name} can have no faster variant: {reason}")


def measure_loss(whole: Floats, fast: Floats, truth: NDArray[np.integer], data: str) -> Loss:
    """Return the loss of `fast` against `whole`, probabilities of shape `(n, classes)`.

    The interval of the points is that of a difference of paired shares with half a photo added to
    each of the four cells (A. Agresti, Y. Min, "Simple improved confidence intervals for comparing
    matched proportions", Statistics in Medicine 24, 2005).
    """
    first, second = whole.argmax(axis=1), fast.argmax(axis=1)
    lost = int(((first == truth) & (second != truth)).sum())
    won = int(((first != truth) & (second == truth)).sum())
    count = len(truth)
    lost_share, won_share = (lost + 0.5) / (count + 2), (won + 0.5) / (count + 2)
    center = lost_share - won_share
    half = _Z * np.sqrt((lost_share + won_share - center**2) / (count + 2))
    differing = Share(int((first != second).sum()), count)
    low, high = differing.interval
    return Loss(
        points=round(100 * (lost - won) / count, 3),
        interval_95=(round(100 * (center - half), 3), round(100 * (center + half), 3)),
        accuracy=round(float((second == truth).mean()), 4),
        labels_differ=round(differing.value, 4),
        labels_differ_95=(round(low, 4), round(high, 4)),
        pictures=count,
        data=data,
    )


def time_share(
    whole: Callable[[], object], fast: Callable[[], object], calls: int = _TIMED
) -> float:
    """Return the CPU time of a call of `fast` relative to `whole`: medians of alternating calls."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for at in range(2 * calls):
        started = thread_time()
        (whole, fast)[at % 2]()
        seconds[at % 2].append(thread_time() - started)
    return round(median(seconds[1]) / max(median(seconds[0]), 1e-9), 3)


class _NotMadeError(Exception):
    """A variant that cannot be made of this bundle or on this machine, with the reason."""


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes variants of one bundle; photos are decoded and classified by it once."""

    bundle: Bundle
    data: FastData
    photos: DecodedPhotos
    engine: Engine
    whole: Floats
    """The bundle's probabilities of the measured photos."""

    @classmethod
    def of(cls, bundle: Bundle, data: FastData) -> "_Maker":
        photos = decode_photos(data.measured, bundle.spec.rule)
        engine = load_engine(bundle, "litert")
        return cls(bundle, data, photos, engine, engine.predict(photos.pixels))

    def int8(self) -> None:
        """Write the integer network."""
        from seefood_training.saved_graph import saved_graph_to_int8

        if not self.bundle.has_saved_model:
            raise _NotMadeError("int8: the bundle has no SavedModel to quantise")
        if not self.data.calibration:
            raise _NotMadeError("int8: there are no photos to measure the ranges on")
        pixels = decode_photos(self.data.calibration, self.bundle.spec.rule).pixels
        try:
            flat = saved_graph_to_int8(self.bundle, pixels)
        except Exception as error:  # the converter raises any exception
            _log.info("no int8", exc_info=True)
            problem = reason(error, NO_REASON)
            raise _NotMadeError(f"int8: LiteRT cannot convert the graph ({problem})") from error
        self._write("int8", "litert", {LITERT_MODEL: flat}, _INT8_TOLERANCE)

    def bfloat16(self) -> None:
        """Write the variant for OpenVINO's bfloat16, which has no file of its own."""
        spec = engine_spec("openvino-bf16")
        if not spec.is_installed:
            raise _NotMadeError(
                f'bf16: {spec.title} is not installed (`pip install "seefood[{spec.extra}]"`)'
            )
        self._write("bf16", spec.name, {}, spec.tolerance)

    def _write(self, name: str, engine_name: str, own: dict[str, bytes], tolerance: float) -> None:
        folder = self.bundle.path / VARIANTS / name
        if folder.exists():
            shutil.rmtree(folder)
        (folder / EXTRA).mkdir(parents=True)
        try:
            for file, content in own.items():
                (folder / file).write_bytes(content)
            self._seal(folder, name, engine_name, own, tolerance)
        except (BundleError, UsageError) as error:
            shutil.rmtree(folder)
            raise _NotMadeError(f"{name}: {error}") from error
        except BaseException:
            shutil.rmtree(folder)
            raise

    def _seal(
        self, folder: Path, name: str, engine_name: str, own: dict[str, bytes], tolerance: float
    ) -> None:
        goldens = self.bundle.spec.certificate.goldens
        shared = [golden.file for golden in goldens]
        shared += [] if LITERT_MODEL in own else [LITERT_MODEL]
        unknown = Loss(0.0, (0.0, 0.0), 0.0, 0.0, (0.0, 0.0), 0, self.data.name)
        variant = Variant(self.bundle.digest, name, engine_name, 1.0, unknown, tuple(shared))
        spec = replace(
            self.bundle.spec,
            name=f"{self.bundle.name}-{name}",
            certificate=replace(self.bundle.spec.certificate, tolerance=tolerance, variant=variant),
            training={},
            metrics={},
        )
        draft = write_bundle(folder, spec)
        engine = create_engine(draft, engine_name)
        answers = tuple(
            Golden(golden.file, _answer(engine, draft, golden.file)) for golden in goldens
        )
        loss = measure_loss(
            self.whole, engine.predict(self.photos.pixels), self.photos.labels, self.data.name
        )
        share = self._time_share(engine_name, engine)
        if share >= 1:
            raise BundleError(f"it takes {share:.2f} of the bundle's own time, so it is no faster")
        variant = replace(variant, loss=loss, time_share=share)
        certificate = replace(spec.certificate, goldens=answers, variant=variant)
        certify(engine, write_bundle(folder, replace(spec, certificate=certificate)))

    def _time_share(self, engine_name: str, engine: Engine) -> float:
        """Return the time of `engine` relative to float32 in the same runtime's threads."""
        whole = self.engine
        if engine_name != whole.name:  # OpenVINO computes on threads of its own
            return wall_share(whole, engine, self.photos.pixels)
        picture = self.photos.pixels[:1]
        return time_share(lambda: whole.predict(picture), lambda: engine.predict(picture))


def wall_share(whole: Engine, fast: Engine, pixels: Pixels) -> float:
    """Return the wall time of `fast` relative to `whole`, both called from a thread per core."""
    from concurrent.futures import ThreadPoolExecutor
    from time import perf_counter

    from seefood.engines.threads import compute_threads

    batches = [pixels[at : at + 1] for at in range(min(len(pixels), _TIMED))]
    shares = []
    for _ in range(3):
        seconds = []
        for engine in (whole, fast):
            with ThreadPoolExecutor(compute_threads(engine.name)) as pool:
                started = perf_counter()
                list(pool.map(engine.predict, batches))
                seconds.append(perf_counter() - started)
        shares.append(seconds[1] / seconds[0])
    return round(median(shares), 3)


def _answer(engine: Engine, bundle: Bundle, file: str) -> tuple[float, ...]:
    pixels = decode(bundle.file(file).read_bytes(), bundle.spec.rule, exact=True).pixels
    values = engine.predict(pixels[np.newaxis])[0].astype(np.float64)
    return tuple(np.round(values, 7).tolist())
