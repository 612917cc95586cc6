"""Applies a bundle's adapter: pixels to a graph's input, a graph's output to probabilities."""

import numpy as np
from numpy.typing import NDArray

from seefood.bundle import Bundle
from seefood.bundle.adapter import Adapter, Quantisation
from seefood.imaging.decode import Pixels

Tensor = NDArray[np.generic]
Values = NDArray[np.float32]


class GraphAdapter:
    """The adapter of a bundle; for a bundle without one, pixels and probabilities pass unchanged.

    Thread-safe. A pixel has 256 values, so scaling, rounding and quantisation are one look-up.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._adapter = bundle.spec.adapter or Adapter()
        rule = bundle.spec.rule
        self._labels = len(bundle.labels)
        self._picture_shape = self._adapter.picture_shape(rule)
        self._table = _table(self._adapter, rule.shape[2])

    @property
    def batch(self) -> int | None:
        """How many pictures the graph takes at a time, exactly; None for any number."""
        return self._adapter.batch if self._adapter.has_batch_axis else 1

    @property
    def output(self) -> int | str:
        """The index or the name of the output."""
        return self._adapter.output

    @property
    def columns(self) -> int:
        """How many numbers the graph returns for a picture."""
        return 1 if self._adapter.positive is not None else self._labels

    @property
    def dtype(self) -> "np.dtype[np.generic]":
        """Of the input tensor."""
        return np.dtype(self._adapter.dtype)

    def shape(self, pictures: int) -> tuple[int, ...]:
        """Return the shape of the input tensor for so many pictures."""
        if not self._adapter.has_batch_axis:
            return self._picture_shape
        return (pictures, *self._picture_shape)

    def prepare(self, images: Pixels) -> Tensor:
        """Return the input for uint8 `images` of shape `(n, height, width, channels)`.

        The result has the shape `(n, *shape of one picture)`.
        """
        adapter = self._adapter
        if self._table is None:
            values: Tensor = images if adapter.order == "rgb" else images[..., ::-1]
            if "chw" in adapter.layout:
                values = values.transpose(0, 3, 1, 2)
        else:
            values = self._looked_up(images, self._table)
        return np.ascontiguousarray(values).reshape(len(images), *self._picture_shape)

    def finish(self, output: Tensor, pictures: int) -> Values:
        """Return the probabilities, float32 of shape `(pictures, labels)`, for a graph's output."""
        adapter = self._adapter
        values = np.asarray(output)
        if adapter.output_quantisation is not None:
            values = _real(values, adapter.output_quantisation)
        values = values.astype(np.float32, copy=False).reshape(pictures, -1)
        if adapter.activation == "softmax":
            values = np.exp(values - values.max(axis=1, keepdims=True))
            values /= values.sum(axis=1, keepdims=True)
        elif adapter.activation == "sigmoid":
            values = 0.5 * (1.0 + np.tanh(0.5 * values))  # does not overflow
        if adapter.positive is not None and values.shape[1] == 1:
            values = np.concatenate([1.0 - values, values], axis=1)
            values = values if adapter.positive == 1 else values[:, ::-1]
        return np.ascontiguousarray(values, dtype=np.float32)

    def _looked_up(self, images: Pixels, table: Tensor) -> Tensor:
        """Return `images` through `table`, in the adapter's order of axes and channels."""
        count, height, width, channels = images.shape
        is_first = "chw" in self._adapter.layout
        shape = (channels, height, width) if is_first else (height, width, channels)
        result: Tensor = np.empty((count, *shape), table.dtype)
        for channel in range(channels):
            place = channels - 1 - channel if self._adapter.order == "bgr" else channel
            target = result[:, place] if is_first else result[..., place]
            target[...] = table[channel][images[..., channel]]
        return result


def _table(adapter: Adapter, channels: int) -> Tensor | None:
    """Return the input's value for each channel and pixel, `(channels, 256)`; None if equal."""
    scale, offset = (
        np.broadcast_to(np.asarray(each, np.float64), channels)[:, np.newaxis]
        for each in (adapter.scale, adapter.offset)
    )
    values = np.arange(256) * scale + offset
    dtype = np.dtype(adapter.dtype)
    if (quantisation := adapter.input_quantisation) is not None:
        values = values / quantisation.scale + quantisation.zero_point
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    table: Tensor = values.astype(dtype)
    is_same = dtype == np.uint8 and np.array_equal(table, np.tile(np.arange(256), (channels, 1)))
    return None if is_same else table


def _real(stored: Tensor, quantisation: Quantisation) -> Values:
    difference = stored.astype(np.float32) - np.float32(quantisation.zero_point)
    return np.asarray(difference * np.float32(quantisation.scale), np.float32)
