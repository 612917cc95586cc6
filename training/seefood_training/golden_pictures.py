"""The golden pictures of a bundle: small drawings, stored without loss, that test the decoder.

They are decoded and classified whenever an engine starts, so they are few and small. One has an
EXIF rotation and one is partly transparent, so that a decoder that ignores either is refused.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from seefood.bundle import GOLDEN
from seefood.synthetic import draw_picture

_EXIF_ORIENTATION: Final = 0x0112


@dataclass(frozen=True, slots=True)
class _Drawing:
    kind: str
    seed: int
    size: tuple[int, int]
    orientation: int = 1
    transparent: bool = False


_DRAWINGS: Final = (
    _Drawing("hotdog_mustard", 1, (160, 120)),
    _Drawing("hotdog_ketchup", 2, (112, 144), orientation=6),
    _Drawing("pizza", 3, (128, 96), transparent=True),
    _Drawing("house", 4, (144, 112)),
)


def write_golden_pictures(bundle: Path, examples: Sequence[Path] = ()) -> list[str]:
    """Write the golden pictures into the bundle's folder; return their names relative to it.

    `examples` are copied and join them.
    """
    folder = bundle / GOLDEN
    folder.mkdir(parents=True)
    names = []
    for drawing in _DRAWINGS:
        file = folder / f"{drawing.kind}-{drawing.seed}.png"
        file.write_bytes(_png(drawing))
        names.append(file.relative_to(bundle).as_posix())
    for number, example in enumerate(examples, 1):
        file = folder / f"example-{number}{example.suffix.lower()}"
        shutil.copyfile(example, file)
        names.append(file.relative_to(bundle).as_posix())
    return names


@cache
def _png(drawing: _Drawing) -> bytes:
    image = draw_picture(drawing.kind, drawing.seed, drawing.size)
    exif = Image.Exif()
    if drawing.orientation != 1:
        exif[_EXIF_ORIENTATION] = drawing.orientation
    if drawing.transparent:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    out = BytesIO()
    image.save(out, "PNG", exif=exif, optimize=True)
    return out.getvalue()
