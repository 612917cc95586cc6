"""The device that an engine computes on: the processor, or the first CUDA device.

`CUDA_VISIBLE_DEVICES` chooses among several, as for every CUDA program; empty, it hides all.
"""

import ctypes
import logging
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from seefood.engines.registry import EngineSpec

CPU: Final = "cpu"
CUDA: Final = "cuda"

_log = logging.getLogger(__name__)
_DRIVERS: Final = ("libcuda.so.1", "nvcuda.dll")
_NAME_BYTES: Final = 256
_GIB: Final = 1024**3

DEVICE_SIZES: Final = (8, 32, 128)
"""The sizes of batches of a library that must not see many, ascending."""


@cache
def cuda_name() -> str | None:
    """Return the name of the first CUDA device that this process may use; None if there is none.

    Asks the driver (CUDA Driver API, `cuInit`, `cuDeviceGet`, `cuDeviceGetName`), which needs no
    other library and allocates no memory on the device.
    """
    driver = None
    for library in _DRIVERS:
        try:
            driver = ctypes.CDLL(library)
            break
        except OSError:
            continue
    if driver is None:
        return None
    device = ctypes.c_int()
    name = ctypes.create_string_buffer(_NAME_BYTES)
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0):
        return None
    if driver.cuDeviceGetName(name, _NAME_BYTES, device):
        return None
    return name.value.decode("utf-8", "replace") or "unnamed"


def device_for(spec: "EngineSpec") -> str:
    """Return the device on which the engine of `spec` should compute: `cpu` or `cuda`."""
    return CUDA if _is_built_for_cuda(spec) and cuda_name() is not None else CPU


def device_of(engine: object) -> str:
    """Return the device on which a loaded engine computes; one that does not say: `cpu`."""
    return str(getattr(engine, "device", CPU))


def describe_device(kind: str) -> str:
    """Return what people are shown: `cpu`, or `cuda (NVIDIA L4)`."""
    name = cuda_name() if kind == CUDA else None
    return kind if name is None else f"{kind} ({name})"


def warn_of_unused_device(spec: "EngineSpec", device: str) -> None:
    """Log it if the engine of `spec`, loaded on `device`, could use a CUDA device that is there."""
    name = cuda_name() if device == CPU and spec.cuda_file is not None else None
    if name is not None:
        _log.warning("%s", unused_device(spec, name, is_built=_is_built_for_cuda(spec)))


def unused_device(spec: "EngineSpec", name: str, *, is_built: bool) -> str:
    """Return why the engine of `spec` does not use the CUDA device `name`, and the cure.

    `is_built` is whether its library could use one if it found NVIDIA's libraries.
    """
    reason = (
        "it does not find NVIDIA's libraries, or the driver is too old for them"
        if is_built
        else f"the installed {spec.title or spec.library} is built without CUDA"
    )
    return (
        f"the {spec.name} engine computes on the processor, not on the CUDA device {name}: "
        f'{reason}; run `{spec.cuda_install}` (docs/scale.md, "GPUs")'
    )


def padded_size(pictures: int) -> int:
    """Return the next power of two: so many pictures are computed at a time on a device.

    cuDNN plans its algorithms for each batch size anew, so few sizes must occur.
    """
    return 1 << max(0, pictures - 1).bit_length()


def device_size(pictures: int) -> int:
    """Return the smallest of `DEVICE_SIZES` that holds so many pictures; of more, the largest."""
    return next((size for size in DEVICE_SIZES if size >= pictures), DEVICE_SIZES[-1])


def memory_limit_bytes(graph_bytes: int, batch: int = DEVICE_SIZES[-1]) -> int:
    """Return how much device memory a graph of this size may take for batches of `batch` pictures.

    1, 2 or 4 GiB for the values between the layers, and room for the weights and a copy of them.
    """
    return (1 << DEVICE_SIZES.index(device_size(batch))) * _GIB + 2 * graph_bytes


def _is_built_for_cuda(spec: "EngineSpec") -> bool:
    if spec.cuda_file is None or spec.library is None:
        return False
    found = find_spec(spec.library)
    folders = (found.submodule_search_locations if found is not None else None) or ()
    return any((Path(folder) / spec.cuda_file).exists() for folder in folders)
