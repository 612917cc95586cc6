"""Finds the last matrix product before a graph's output, whatever the kind of graph.

The product is the last one among the operations that the output depends on: what follows it, a
bias, a temperature, a softmax, belongs to the last layer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a graph; tensors are known by index or name."""

    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    product_of: Any = None
    """The tensor that it multiplies with weights, if it is such a product."""


def find_last_product(operations: Sequence[Operation], output: Any) -> Any:
    """Return the tensor that the last product before `output` multiplies; None without one.

    `operations` are in the order of execution.
    """
    needed = {output}
    for operation in reversed(operations):
        if needed.isdisjoint(operation.outputs):
            continue
        if operation.product_of is not None:
            return operation.product_of
        needed.update(_present(operation.inputs))
    return None


def _present(tensors: Iterable[Any]) -> list[Any]:
    return [tensor for tensor in tensors if tensor not in ("", -1)]
