"""Reads TIFFs of any losslessly compressed samples as 8-bit images.

libtiff, by way of Pillow, only decompresses: it is given the same strips or tiles as planes of
8-bit grey, whose pixels are the bytes of the samples. What the bytes mean is decided here, in
strips of rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.lazy_image import LazyImage
from seefood.imaging.sample_range import Scale, byte_scale
from seefood.imaging.tiff_layout import (
    ASSOCIATED,
    FLOAT,
    FLOATING_POINT,
    HORIZONTAL,
    MIN_IS_WHITE,
    PALETTE,
    SEPARATED,
    SIGNED,
    UNASSOCIATED,
    YCBCR,
    TiffLayout,
    unsupported,
)
from seefood.imaging.tiff_tags import Tag, TiffTags, write_tags

_Bytes = NDArray[np.uint8]
_STRIP_SAMPLES: Final = 1 << 18
_STRIP_BYTES_PER_SAMPLE: Final = 40
_BYTES_PER_PIXEL: Final = {"L": 7, "RGB": 6}
_ALPHA_BYTES_PER_PIXEL: Final = 10
"""The image made here, and its conversion to RGB."""


def open_samples(data: bytes, tags: TiffTags, layout: TiffLayout) -> LazyImage:
    """Return the first picture of the TIFF in `data`, as 8-bit grey, RGB, RGBA or CMYK.

    Raises `PictureError` for layouts without a meaning; `load` does so for samples without one.
    """
    _check_color(tags, layout)
    source = _Source(data, tags, layout)
    pixels = layout.width * layout.height
    each = _BYTES_PER_PIXEL.get(_mode(layout), _ALPHA_BYTES_PER_PIXEL)
    work_bytes = source.raw_bytes + each * pixels + len(data)
    if layout.is_planar:  # a plane is copied
        work_bytes += source.row_bytes * layout.height
    work_bytes += _STRIP_BYTES_PER_SAMPLE * min(pixels * layout.samples, 2 * _STRIP_SAMPLES)
    return LazyImage(
        _mode(layout),
        (layout.width, layout.height),
        source.read,
        work_bytes,
        tags.number(Tag.ORIENTATION, 1),
    )


def _mode(layout: TiffLayout) -> str:
    if layout.alpha == UNASSOCIATED:
        return "RGBA"
    if layout.photometric == SEPARATED:
        return "CMYK"
    is_grey = layout.colors == 1 and layout.photometric != PALETTE and not layout.alpha
    return "L" if is_grey else "RGB"


def _check_color(tags: TiffTags, layout: TiffLayout) -> None:
    if layout.photometric == SEPARATED and layout.alpha:
        raise unsupported("CMYK with alpha")
    if layout.photometric == YCBCR:
        # The default of the subsampling is 2, 2.
        if tags.numbers(Tag.YCBCR_SUBSAMPLING) != (1, 1) or layout.bits != 8:
            raise unsupported("subsampled YCbCr without JPEG")
        if Tag.YCBCR_COEFFICIENTS in tags.entries or not _has_full_range(tags):
            raise unsupported("YCbCr of an unusual range")
    if layout.photometric in (MIN_IS_WHITE, PALETTE) and layout.alpha == ASSOCIATED:
        raise unsupported("inverted grey or a palette with associated alpha")
    if layout.photometric == PALETTE and len(tags.numbers(Tag.COLOR_MAP)) != 3 << layout.bits:
        raise PictureError(ErrorCode.CORRUPT, "damaged TIFF: its color map is not complete")


def _has_full_range(tags: TiffTags) -> bool:
    """Whether the reference black and white of YCbCr are the default ones."""
    entry = tags.entries.get(Tag.REFERENCE_BLACK_WHITE)
    if entry is None:
        return True
    mark = "<" if tags.order == "little" else ">"
    numbers = np.frombuffer(entry.value, f"{mark}u4") if entry.type == 5 else np.zeros(0)
    if len(numbers) != 12 or not (numbers[1::2] > 0).all():
        return False
    return list(numbers[::2] / numbers[1::2]) == [0, 255, 128, 255, 128, 255]


@dataclass(frozen=True, slots=True)
class _Source:
    """The strips or tiles of a TIFF, in planes of bytes."""

    data: bytes
    tags: TiffTags
    layout: TiffLayout

    @property
    def plane_samples(self) -> int:
        """The number of samples that a plane has of each pixel."""
        return 1 if self.layout.is_planar else self.layout.samples

    @property
    def tile_width(self) -> int:
        """The width of a tile in pixels; that of the picture if it has strips."""
        return self.tags.number(Tag.TILE_WIDTH, 0) or self.layout.width

    @property
    def tiles_across(self) -> int:
        return -(-self.layout.width // self.tile_width)

    @property
    def row_bytes(self) -> int:
        """The number of bytes in a row of a plane, whole tiles."""
        bits = self.tile_width * self.plane_samples * self.layout.bits
        return self.tiles_across * -(-bits // 8)

    @property
    def raw_bytes(self) -> int:
        planes = self.layout.samples // self.plane_samples
        return planes * self.row_bytes * self.layout.height

    def read(self) -> Image.Image:
        """Return the picture. Raises `PictureError`, and what Pillow raises."""
        layout = self.layout
        planes = self._planes()
        strips = partial(self._strips, planes)
        scale = byte_scale(
            (samples for _, samples in strips()),
            layout.bits,
            is_float=layout.sample_format == FLOAT,
            is_signed=layout.sample_format == SIGNED,
        )
        picture = Image.new(_mode(layout), (layout.width, layout.height))
        for top, samples in strips():
            picture.paste(self._colored(samples, scale), (0, top))
        return picture

    def _planes(self) -> list[Image.Image]:
        """Return the decompressed planes, images of 8-bit grey with a pixel for each byte."""
        pages = self._pages()
        stream = BytesIO(write_tags(self.data, pages))
        image = Image.OPEN["TIFF"][0](stream, "")
        if len(pages) == 1:
            image.load()
            return [image]
        planes = []
        for number in range(len(pages)):
            image.seek(number)
            image.load()
            planes.append(image.copy())
        return planes

    def _pages(self) -> list[dict[int, tuple[int, ...]]]:
        layout, tags = self.layout, self.tags
        common: dict[int, tuple[int, ...]] = {
            Tag.WIDTH: (self.row_bytes,),
            Tag.HEIGHT: (layout.height,),
            Tag.BITS: (8,),
            Tag.SAMPLES: (1,),
            Tag.COMPRESSION: (layout.compression,),
            Tag.PHOTOMETRIC: (1,),
            Tag.FILL_ORDER: (layout.fill_order,),
        }
        if tags.numbers(Tag.TILE_OFFSETS):
            tile_height = tags.number(Tag.TILE_HEIGHT, 0)
            if not tile_height or not tags.number(Tag.TILE_WIDTH, 0):
                raise PictureError(ErrorCode.CORRUPT, "damaged TIFF: tiles of no width or height")
            common |= {
                Tag.TILE_WIDTH: (self.row_bytes // self.tiles_across,),
                Tag.TILE_HEIGHT: (tile_height,),
            }
            places, sizes = Tag.TILE_OFFSETS, Tag.TILE_BYTES
            each = self.tiles_across * -(-layout.height // tile_height)
        else:
            rows = min(tags.number(Tag.ROWS_PER_STRIP, layout.height) or 1, layout.height)
            common |= {Tag.ROWS_PER_STRIP: (rows,)}
            places, sizes = Tag.STRIP_OFFSETS, Tag.STRIP_BYTES
            each = -(-layout.height // rows)
        offsets, counts = tags.numbers(places), tags.numbers(sizes)
        planes = layout.samples if layout.is_planar else 1
        if len(offsets) < each * planes:
            raise PictureError(
                ErrorCode.TRUNCATED,
                f"damaged TIFF: {len(offsets)} of {each * planes} strips or tiles are listed",
            )
        pages = []
        for start in range(0, each * planes, each):
            page = common | {places: offsets[start : start + each]}
            if len(counts) >= each * planes:
                page[sizes] = counts[start : start + each]
            pages.append(page)
        return pages

    def _strips(self, planes: list[Image.Image]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield strips of rows: the first row, and samples of shape (rows, width, samples)."""
        layout = self.layout
        rows = max(1, _STRIP_SAMPLES // (layout.width * layout.samples))
        for top in range(0, layout.height, rows):
            bottom = min(layout.height, top + rows)
            parts = [
                self._samples(np.asarray(plane.crop((0, top, self.row_bytes, bottom))))
                for plane in planes
            ]
            yield top, parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)

    def _samples(self, raw: _Bytes) -> NDArray[Any]:
        """Return the samples in `raw`, of shape (rows, bytes), as (rows, width, samples)."""
        layout, count = self.layout, self.plane_samples
        rows, across, wide = len(raw), self.tiles_across, self.tile_width
        if layout.predictor == FLOATING_POINT:
            size = layout.bits // 8
            tiles = raw.reshape(rows * across, -1, count).cumsum(axis=1, dtype=np.uint8)
            planes = tiles.reshape(rows * across, size, wide * count).transpose(0, 2, 1)
            samples = np.ascontiguousarray(planes).view(f">f{size}")[..., 0]
        else:
            samples = unpacked(
                raw.reshape(rows * across, -1),
                wide * count,
                layout.bits,
                self.tags.order,
                is_float=layout.sample_format == FLOAT,
            )
        samples = samples.reshape(rows * across, wide, count)
        if layout.predictor == HORIZONTAL:
            if layout.sample_format == FLOAT:  # differences of the bits, as libtiff takes them
                kind = np.dtype(f"u{layout.bits // 8}")
                native = np.ascontiguousarray(samples.astype(samples.dtype.newbyteorder("=")))
                samples = native.view(kind).cumsum(axis=1, dtype=kind).view(native.dtype)
            else:
                samples = samples.cumsum(axis=1, dtype=samples.dtype.newbyteorder("="))
        return samples.reshape(rows, across * wide, count)[:, : layout.width]

    def _colored(self, samples: NDArray[Any], scale: Scale) -> Image.Image:
        """Return `samples`, of shape (rows, width, samples), as an image."""
        layout = self.layout
        colors = samples[..., : layout.colors]
        colors = self._palette()[colors[..., 0]] if layout.photometric == PALETTE else scale(colors)
        if layout.photometric == MIN_IS_WHITE:
            colors = 255 - colors
        elif layout.photometric == YCBCR:
            picture = Image.fromarray(np.ascontiguousarray(colors), "YCbCr").convert("RGB")
            colors = np.asarray(picture)
        if layout.alpha:
            if colors.shape[2] == 1:
                colors = colors.repeat(3, axis=2)
            alpha = scale(samples[..., layout.alpha_at : layout.alpha_at + 1])
            if layout.alpha == ASSOCIATED:  # on white; colors above alpha are not valid
                colors = np.minimum(colors, alpha) + (255 - alpha)
            else:
                colors = np.concatenate([colors, alpha], axis=2)
        size = (colors.shape[1], colors.shape[0])
        return Image.frombytes(_mode(layout), size, np.ascontiguousarray(colors).tobytes())

    def _palette(self) -> _Bytes:
        """Return the color map, of shape (colors, 3)."""
        values = np.array(self.tags.numbers(Tag.COLOR_MAP)).reshape(3, -1).T
        # Some writers fill it with 8-bit values; libtiff takes them so, too.
        return (values >> 8 if values.max() > 255 else values).astype(np.uint8)


def unpacked(
    raw: _Bytes, count: int, bits: int, order: str, *, is_float: bool = False
) -> NDArray[Any]:
    """Return the first `count` samples of each row of `raw`, which has the shape (rows, bytes)."""
    rows = len(raw)
    if bits in (8, 16, 32, 64):
        kind = f"{'<' if order == 'little' else '>'}{'f' if is_float else 'u'}{bits // 8}"
        return np.ascontiguousarray(raw).view(kind)[:, :count]
    if bits == 24:
        parts = raw.reshape(rows, -1, 3).astype(np.uint32)
        low, high = (0, 2) if order == "little" else (2, 0)
        return parts[..., low] | parts[..., 1] << 8 | parts[..., high] << 16
    flat = np.unpackbits(raw, axis=1)[:, : count * bits].reshape(rows, count, bits)
    weights = 1 << np.arange(bits - 1, -1, -1)
    return (flat @ weights.astype(np.uint16)).astype(np.uint16)
