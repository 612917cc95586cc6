"""Sets of pictures that pairs connect: disjoint-set union (Tarjan 1975) over indices."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Indices = NDArray[np.int64]


class Components:
    """Sets of the indices 0 to `count - 1`; at first each index is alone."""

    def __init__(self, count: int) -> None:
        self._roots = np.arange(count)

    def join(self, first: "Indices", second: "Indices") -> None:
        """Unite the sets of each pair."""
        roots = self._roots
        for one, two in zip(first.tolist(), second.tolist(), strict=True):
            low, high = sorted((self._root(one), self._root(two)))
            roots[high] = low

    def are_apart(self, first: "Indices", second: "Indices") -> "NDArray[np.bool_]":
        """Return for each pair whether its indices are in different sets."""
        return np.asarray(self._roots_of(first) != self._roots_of(second))

    def groups(self) -> "list[Indices]":
        """Return the sets of at least two indices, each ascending."""
        roots = self._roots_of(np.arange(self._roots.size))
        order = np.argsort(roots, kind="stable")
        starts = np.flatnonzero(np.diff(roots[order])) + 1
        return [members for members in np.split(order, starts) if members.size > 1]

    def _roots_of(self, indices: "Indices") -> "Indices":
        found = self._roots[indices]
        while not np.array_equal(further := self._roots[found], found):
            found = further
        return found

    def _root(self, index: int) -> int:
        roots = self._roots
        while (parent := int(roots[index])) != index:
            roots[index] = roots[parent]
            index = parent
        return index
