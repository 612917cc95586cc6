"""What every form of model is opened to: functions from named tensors to named tensors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int | None, ...]
Arrays = Mapping[str, NDArray[Any]]

FLOATS: Final = ("float32", "float16", "bfloat16", "float64")
INTEGERS: Final = ("uint8", "int8", "uint16", "int16", "int32", "int64", "uint32", "uint64")


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a function."""

    name: str
    dtype: str
    """NumPy's name, or `string`."""
    shape: Shape | None
    """None for an unknown rank; in it, None for any size."""
    scale: float = 0.0
    """Of a quantised tensor: `real = (stored - zero_point) * scale`; 0 for any other."""
    zero_point: int = 0
    is_rounded: bool = False
    """Whether its real numbers were rounded to 8 bits."""

    def __str__(self) -> str:
        shape = "any shape" if self.shape is None else f"({', '.join(map(str, self.shape))})"
        return f"{self.name}: {self.dtype} {shape}"


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a model."""

    name: str
    """As the model calls it: a signature, `__call__`, or `graph` for a file with one graph."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    run: Callable[[Arrays], Arrays]
    """From all inputs to all outputs, by name."""
    trace: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """The same with TensorFlow's tensors; None if the model is no TensorFlow graph."""
    is_training: bool = False
    """Whether it was traced with an argument that is true, such as `training=True`."""
    is_signature: bool = False
    """Whether its maker named it as a way to call the model."""
    random_operation: str | None = None
    """An operation that draws random numbers, where the file's operations are read."""

    def may_return(self, classes: int) -> bool:
        """Return whether an output may have a number for each of `classes`."""
        return any(
            spec.dtype in FLOATS and (spec.shape is None or _fits(spec.shape, classes))
            for spec in self.outputs
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that was opened."""

    title: str
    """Its form, for messages: "Keras 2 HDF5 file"."""
    functions: tuple[Function, ...]
    """The likeliest first."""
    owner: Any = None
    """Owns the variables that the functions refer to."""
    file: Path | None = None
    """The file that an engine runs as it is, instead of a TensorFlow graph."""
    layers: tuple[str, ...] = ()
    """Names of layers, operations or tensors: what the model tells of its origin."""
    one_by_one: bool = False
    """Whether `file` takes one picture at a time, whatever its input says."""
    last_operations: Mapping[str, str] = field(default_factory=dict)
    """What computes an output, by its name, as TensorFlow calls it; where that is known."""
    labels: tuple[str, ...] = ()
    """The classes, where the model itself names them."""
    input_range: str | None = None
    """As `--input-range` has it, where the file states it."""


def without_batch(value: Any) -> Any:
    """Return the numbers of one picture, whether or not they have an axis of pictures."""
    array = np.asarray(value)
    return array[0] if array.shape[:1] == (1,) else array


def numpy_type(dtype: str) -> Any:
    """Return NumPy's type for a tensor's `dtype`; bfloat16 travels as float32."""
    return np.dtype("float32" if dtype == "bfloat16" else dtype)


def _fits(shape: Shape, classes: int) -> bool:
    last = shape[-1] if shape else None
    return last is None or last == classes or (last == 1 and classes == 2)
