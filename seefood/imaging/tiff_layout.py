"""How the samples of a TIFF's first picture are stored, and who decodes them.

Pillow misreads some layouts without an error (16-bit planes, MinIsWhite above 8 bits, palettes of
8-bit values, YCbCr without JPEG). So Pillow gets only the layouts that the tests hold against known
pixels; `seefood.imaging.tiff_samples` reads the other losslessly compressed ones, and
`seefood.imaging.fax` the fax compressions; what none of them reads is refused by name.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from seefood.errors import ErrorCode, PictureError
from seefood.imaging.tiff_tags import Tag, TiffTags

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, SEPARATED, YCBCR, CIELAB = 0, 1, 2, 3, 5, 6, 8
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
ASSOCIATED, UNASSOCIATED = 1, 2
NO_PREDICTOR, HORIZONTAL, FLOATING_POINT = 1, 2, 3

_COLORS: Final = {MIN_IS_WHITE: 1, MIN_IS_BLACK: 1, RGB: 3, PALETTE: 1, SEPARATED: 4, YCBCR: 3,
                  CIELAB: 3}  # fmt: skip
_NOT_READ: Final = {4: "transparency masks", 9: "ICC L*a*b*", 10: "ITU L*a*b*",
                    32803: "color filter arrays (a camera's raw data)", 32844: "LogL",
                    32845: "LogLuv", 34892: "linear raw data"}  # fmt: skip
_LOSSLESS: Final = frozenset({1, 5, 8, 32773, 32946, 34925, 50000})
_PREDICTING: Final = frozenset({5, 8, 32946, 34925, 50000})
_FAX: Final = frozenset({2, 3, 4})
_OLD_JPEG, _JPEG = 6, 7
_COMPRESSIONS: Final = {32771: "16-bit aligned rows", 32809: "ThunderScan", 32908: "PixarFilm",
                        32909: "PixarLog", 33003: "JPEG 2000", 33005: "JPEG 2000",
                        34676: "SGI Log", 34677: "SGI Log", 34712: "JPEG 2000", 34887: "LERC",
                        34892: "lossy DNG", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
                        22610: "JPEG XR", 34934: "JPEG XR"}  # fmt: skip
_MAX_SAMPLES: Final = 64


class Reader(Enum):
    """Who decodes a layout."""

    PILLOW = "Pillow"
    SAMPLES = "seefood.imaging.tiff_samples"
    FAX = "seefood.imaging.fax"


@dataclass(frozen=True, slots=True)
class TiffLayout:
    """The layout of the samples. Numbers are those of TIFF 6.0."""

    width: int
    height: int
    """As stored, before the orientation is applied."""
    bits: int
    """Of each sample."""
    sample_format: int
    samples: int
    """Per pixel: colors, then extra samples."""
    colors: int
    photometric: int
    alpha: int
    """`ASSOCIATED` or `UNASSOCIATED`; 0 without alpha."""
    alpha_at: int
    """The index of the alpha sample in a pixel."""
    is_planar: bool
    compression: int
    predictor: int
    fill_order: int

    @property
    def reader(self) -> Reader:
        """Who decodes this layout. Raises `PictureError` if nobody does."""
        if self.compression in _LOSSLESS:
            return Reader.PILLOW if self._is_plain else self._sampled()
        if self.compression in _FAX and (self.bits, self.samples) == (1, 1):
            if self.photometric in (MIN_IS_WHITE, MIN_IS_BLACK):
                return Reader.FAX
        elif self.compression in (_JPEG, _OLD_JPEG):
            kinds = {(MIN_IS_BLACK, 1), (RGB, 3), (YCBCR, 3)}
            is_known = (self.photometric, self.samples) in kinds
            if is_known and (self.bits, self.sample_format, self.is_planar) == (8, 1, False):
                return Reader.PILLOW
        else:
            name = _COMPRESSIONS.get(self.compression, f"number {self.compression}")
            raise unsupported(f"the compression {name}")
        raise unsupported(
            f"{self.bits}-bit samples of photometric interpretation {self.photometric} in "
            f"compression {self.compression}"
        )

    @property
    def _is_plain(self) -> bool:
        """Whether this is one of the common layouts, which Pillow reads right."""
        if self.is_planar or (self.sample_format, self.fill_order) != (UNSIGNED, 1):
            return False
        if self.bits != 8 or self.predictor not in (NO_PREDICTOR, HORIZONTAL):
            return False
        extra = self.samples - self.colors
        return (self.photometric == RGB and extra <= 1) or (
            self.photometric in (MIN_IS_BLACK, SEPARATED, CIELAB) and extra == 0
        )

    def _sampled(self) -> Reader:
        if self.photometric == CIELAB:
            raise unsupported(f"L*a*b* of {self.bits} bits in {self.samples} samples")
        if self.photometric in (PALETTE, YCBCR) and (
            self.sample_format != UNSIGNED or self.bits > (16 if self.photometric == PALETTE else 8)
        ):
            raise unsupported(f"{self.bits}-bit samples of a palette or YCbCr picture")
        if self.sample_format == FLOAT and self.bits not in (16, 32, 64):
            raise unsupported(f"floating point samples of {self.bits} bits")
        if self.sample_format == SIGNED and (self.bits, self.samples) != (32, 1):
            raise unsupported(f"signed samples of {self.bits} bits, whose range is not stated")
        if self.sample_format == UNSIGNED and not (self.bits <= 16 or self.bits in (24, 32)):
            raise unsupported(f"integer samples of {self.bits} bits")
        if self.predictor != NO_PREDICTOR and not (
            (self.predictor == HORIZONTAL and self.bits in (8, 16, 32, 64))
            or (self.predictor == FLOATING_POINT and self.sample_format == FLOAT)
        ):
            raise unsupported(f"predictor {self.predictor} with samples of {self.bits} bits")
        return Reader.SAMPLES


def unsupported(what: str) -> PictureError:
    """Return the error of a TIFF that nobody decodes because of `what`."""
    return PictureError(
        ErrorCode.UNSUPPORTED_FORMAT,
        f"a TIFF with {what} is not decoded; convert it to PNG, or to a TIFF of 8-bit RGB",
    )


def layout_of(tags: TiffTags) -> TiffLayout:
    """Return the layout that `tags` state.

    Raises `PictureError` if they contradict themselves, or state a layout without a meaning.
    """
    compression = tags.number(Tag.COMPRESSION, 1)
    photometric = tags.number(Tag.PHOTOMETRIC, -1)
    if photometric < 0 and compression in _FAX:
        photometric = MIN_IS_WHITE
    if compression == _OLD_JPEG:
        photometric = YCBCR if tags.number(Tag.SAMPLES, 3) == 3 else MIN_IS_BLACK
    if photometric not in _COLORS:
        name = _NOT_READ.get(photometric, f"photometric interpretation {photometric}")
        raise unsupported("no photometric interpretation" if photometric < 0 else name)
    colors = _COLORS[photometric]
    default = colors if compression in (_JPEG, _OLD_JPEG) else 1
    samples = tags.number(Tag.SAMPLES, default)
    if not colors <= samples <= _MAX_SAMPLES:
        raise PictureError(
            ErrorCode.CORRUPT,
            f"damaged TIFF: {samples} samples in a pixel of {colors} colors or more",
        )
    bits = set((tags.numbers(Tag.BITS) or (1,))[:samples])
    formats = set((tags.numbers(Tag.SAMPLE_FORMAT) or (UNSIGNED,))[:samples])
    if len(bits) > 1 or len(formats) > 1:
        raise unsupported(f"samples of different bits {sorted(bits)} or formats {sorted(formats)}")
    sample_format = formats.pop()
    if sample_format not in (UNSIGNED, SIGNED, FLOAT):
        raise unsupported(f"sample format {sample_format}")
    if photometric == SEPARATED and tags.number(Tag.INK_SET, 1) != 1:
        raise unsupported("inks that are not CMYK")
    alpha, alpha_at = _alpha(tags, samples, colors, photometric)
    width, height = tags.number(Tag.WIDTH, 0), tags.number(Tag.HEIGHT, 0)
    if not width or not height:
        raise PictureError(ErrorCode.CORRUPT, "damaged TIFF: no width or no height")
    return TiffLayout(
        width=width,
        height=height,
        bits=bits.pop(),
        sample_format=sample_format,
        samples=samples,
        colors=colors,
        photometric=photometric,
        alpha=alpha,
        alpha_at=alpha_at,
        is_planar=tags.number(Tag.PLANAR, 1) == 2 and samples > 1,
        compression=compression,
        predictor=tags.number(Tag.PREDICTOR, 1) if compression in _PREDICTING else NO_PREDICTOR,
        fill_order=tags.number(Tag.FILL_ORDER, 1),
    )


def _alpha(tags: TiffTags, samples: int, colors: int, photometric: int) -> tuple[int, int]:
    """Return the kind of alpha and its index in a pixel (TIFF 6.0, ExtraSamples)."""
    if samples == colors:
        return 0, 0
    extra = tags.numbers(Tag.EXTRA_SAMPLES)
    if not extra:
        if photometric == RGB and samples == colors + 1:
            return UNASSOCIATED, colors  # what writers that omit the tag mean
        raise unsupported(f"{samples} samples, of which nothing says what the last ones are")
    kinds = {1: ASSOCIATED, 2: UNASSOCIATED, 999: UNASSOCIATED}  # 999: CorelDRAW
    for index, kind in enumerate(extra[: samples - colors]):
        if kind in kinds:
            return kinds[kind], colors + index
    return 0, 0
