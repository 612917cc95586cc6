from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import Bundle, Certificate, write_bundle
from seefood.engines.base import Engine, Probabilities
from seefood.engines.certificate import certify
from seefood.engines.devices import CUDA
from seefood.engines.fake import FakeEngine
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels
from tests.bundles import fake_bundle


class ChangedEngine:
    """An engine that changes the fake engine's probabilities."""

    name = "changed"
    batch_size = 1

    def __init__(self, change: Callable[[Probabilities], Probabilities]) -> None:
        self._engine, self._change = FakeEngine(), change

    def predict(self, images: Pixels) -> Probabilities:
        """See `Engine.predict`."""
        return self._change(self._engine.predict(images))


class DeviceEngine(FakeEngine):
    """The fake engine on a device."""

    device = CUDA


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return fake_bundle(tmp_path / "fake")


def shifted(by: float) -> Engine:
    return ChangedEngine(
        lambda probabilities: probabilities + np.float32(by) * np.array([1, -1], np.float32)
    )


def test_the_engine_of_the_certificate_reproduces_it(bundle: Bundle) -> None:
    """The difference is exactly zero."""
    assert certify(FakeEngine(), bundle) == 0.0


def test_a_difference_within_the_tolerance_is_reported(bundle: Bundle) -> None:
    """An engine with a small difference passes, and the difference is returned."""
    assert certify(shifted(5e-5), bundle) == pytest.approx(5e-5, rel=0.01)


def test_an_engine_that_computes_something_else_is_refused_with_both_numbers(
    bundle: Bundle,
) -> None:
    """The message names the engine, the picture, and the actual and expected probability."""
    golden = bundle.spec.certificate.goldens[0]
    expected = np.float32(golden.probabilities[0])
    with pytest.raises(
        BundleError,
        match=rf"changed engine gives hotdog = {expected + np.float32(0.01):.6f} for "
        rf"{golden.file}, "
        rf"the certificate of .* says {expected:.6f}",
    ):
        certify(shifted(0.01), bundle)


def test_the_second_picture_counts_as_well(bundle: Bundle) -> None:
    """An engine that reproduces only one golden picture is refused."""
    first, second = bundle.spec.certificate.goldens
    wrong = replace(second, probabilities=(0.9, 0.1))
    changed = write_bundle(
        bundle.path, replace(bundle.spec, certificate=Certificate(1e-4, (first, wrong)))
    )
    with pytest.raises(BundleError, match=second.file):
        certify(FakeEngine(), changed)


def test_nan_is_refused(bundle: Bundle) -> None:
    """NaN is not within any tolerance."""
    with pytest.raises(BundleError, match="gives hotdog = nan"):
        certify(ChangedEngine(lambda probabilities: probabilities * np.float32("nan")), bundle)


@pytest.mark.parametrize(
    ("engine", "error", "reason", "cure"),
    [
        (FakeEngine, MemoryError(), "MemoryError", "package the model again on this machine"),
        (
            DeviceEngine,
            RuntimeError("Failed to allocate memory\nfor requested buffer of size 4096"),
            "Failed to allocate memory for requested buffer of size 4096",
            "set CUDA_VISIBLE_DEVICES= to compute on the processor",
        ),
    ],
    ids=["processor", "device"],
)
def test_an_engine_without_room_for_one_picture_is_refused(
    bundle: Bundle, engine: type[FakeEngine], error: Exception, reason: str, cure: str
) -> None:
    """The refusal is one sentence with the engine's reason, before any picture is read."""

    def fail(_: Pixels) -> None:
        raise error

    golden = bundle.spec.certificate.goldens[0].file
    expected = (
        f"the fake engine cannot compute the golden picture {golden} of {bundle.path} ({reason}); "
        "use another engine"
    )
    with pytest.raises(BundleError) as refused:
        certify(engine(before=fail), bundle)
    assert str(refused.value).startswith(expected)
    assert str(refused.value).endswith(cure)


def test_an_engine_of_other_classes_is_refused(bundle: Bundle) -> None:
    """Three probabilities for two labels: the graph belongs to another bundle."""
    with pytest.raises(BundleError, match=r"returns 3 probabilities .* its certificate has 2"):
        certify(FakeEngine(3), bundle)


def test_swapped_labels_are_refused(bundle: Bundle) -> None:
    """An engine with the classes in another order is refused."""
    with pytest.raises(BundleError, match="package the model again"):
        certify(ChangedEngine(lambda probabilities: probabilities[:, ::-1]), bundle)
