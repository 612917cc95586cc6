"""An engine on a device has a tolerance of its own; without the device the processor computes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seefood.bundle import Bundle
from seefood.engines.base import Probabilities
from seefood.engines.certificate import certify
from seefood.engines.devices import (
    CPU,
    CUDA,
    DEVICE_SIZES,
    device_for,
    device_of,
    device_size,
    memory_limit_bytes,
    padded_size,
    unused_device,
)
from seefood.engines.fake import FakeEngine
from seefood.engines.loading import create_engine, tolerance_of
from seefood.engines.registry import EngineSpec, Graph, engine_spec, register_engine
from seefood.errors import BundleError
from seefood.imaging.decode import Pixels
from tests.bundles import fake_bundle
from tests.conftest import ROOT


class DeviceEngine(FakeEngine):
    """The fake engine, as rounded as on a device, which it may lack."""

    def __init__(self, device: str, error: float) -> None:
        super().__init__()
        self.device = device
        self._error = np.array([error, -error], np.float32)

    def predict(self, images: Pixels) -> Probabilities:
        """See `Engine.predict`."""
        return super().predict(images) + self._error


SPEC = EngineSpec(
    name="fake-device",
    factory=f"{__name__}:on_the_processor",
    graph=Graph.LITERT,
    cuda_file="cuda.so",
    is_selectable=False,
)


def on_the_processor(bundle: Bundle, *, device: str = CPU) -> DeviceEngine:
    """Return an engine that was asked for `device` and cannot use it."""
    del bundle, device
    return DeviceEngine(CPU, 0.005)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return fake_bundle(tmp_path / "fake")


def test_a_device_has_the_larger_tolerance(bundle: Bundle) -> None:
    """0.005 passes on CUDA, whose floats are shorter; 0.02 does not, and the message has a cure."""
    engine = DeviceEngine(CUDA, 0.005)
    assert 0.01 == tolerance_of(engine, SPEC)
    assert 0.005 == pytest.approx(certify(engine, bundle, tolerance_of(engine, SPEC)), rel=0.01)
    wrong = DeviceEngine(CUDA, 0.02)
    with pytest.raises(BundleError, match=r"tolerance 0\.01.*CUDA_VISIBLE_DEVICES= "):
        certify(wrong, bundle, tolerance_of(wrong, SPEC))


def test_an_engine_with_a_larger_tolerance_keeps_it() -> None:
    """On a device the larger one counts."""
    assert 0.05 == tolerance_of(DeviceEngine(CUDA, 0), replace(SPEC, tolerance=0.05))


def test_an_engine_that_cannot_use_the_device_has_the_processors_tolerance(bundle: Bundle) -> None:
    """It counts what the engine computes on, not what it was asked for."""
    register_engine(SPEC)
    engine = create_engine(bundle, SPEC.name, device=CUDA)
    assert CPU == device_of(engine)
    assert 0.0 == tolerance_of(engine, SPEC)
    with pytest.raises(BundleError, match=r"use another engine or package"):
        certify(engine, bundle, tolerance_of(engine, SPEC))


def test_an_engine_without_cuda_stays_on_the_processor() -> None:
    """Whatever the machine has."""
    assert [CPU] * 3 == [device_for(engine_spec(name)) for name in ("litert", "openvino", "fake")]


@pytest.mark.parametrize("name", ["onnxruntime", "tensorflow"])
def test_the_warning_names_a_command_that_installs_an_extra(name: str) -> None:
    """It says why the device is not used; the extra exists and brings NVIDIA's libraries."""
    spec = engine_spec(name)
    without = unused_device(spec, "NVIDIA L4", is_built=False)
    assert "built without CUDA" in without
    assert "does not find NVIDIA's libraries" in unused_device(spec, "NVIDIA L4", is_built=True)
    assert f"`{spec.cuda_install}`" in without
    extra = spec.cuda_install.rpartition("seefood[")[2].partition("]")[0]
    assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text()


def test_batches_on_a_device_have_few_sizes_and_bounded_memory() -> None:
    """Three sizes for a library that plans anew for each, powers of two for another."""
    assert [8, 8, 32, 128, 128] == [device_size(each) for each in (1, 8, 9, 33, 500)]
    assert [1, 2, 4, 16, 128] == [padded_size(each) for each in (1, 2, 3, 16, 65)]
    limits = [memory_limit_bytes(10, each) for each in DEVICE_SIZES]
    assert [20 + (1 << 30), 20 + (2 << 30), 20 + (4 << 30)] == limits
