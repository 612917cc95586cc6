"""The last chapter's pictures: labelled photos or drawings, each with its prediction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np

from seefood.bundle import Bundle
from seefood.engines.base import Engine
from seefood.errors import PictureError, UsageError
from seefood.explain.pictures import photo_uri
from seefood.imaging.decode import decode, open_upright
from seefood.synthetic import KINDS, draw_picture

_SAMPLES_PER_CLASS: Final = 6
_SIDE: Final = 160


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with its true and its predicted label."""

    uri: str
    truth: str
    predicted: str
    probability: float


@dataclass(frozen=True, slots=True)
class Group:
    """Samples of one class, of one part of a data set."""

    part: str
    """`train`, `test`, `all` or `drawn`."""
    truth: str
    pictures: tuple[Sample, ...]


def sample_groups(bundle: Bundle, engine: Engine, photos: Path | None) -> list[Group]:
    """Return a few pictures of each class with their predictions.

    `photos` has a folder for each class, or `train/` and `test/` with such folders. Without it the
    pictures are drawings; there are none if the labels are not hotdog and not_hotdog. Raises
    `UsageError` for a folder without class folders.
    """
    sources = _drawn(bundle) if photos is None else _photos(photos)
    groups = []
    for part, truth, pictures in sources:
        samples = tuple(filter(None, (_sample(data, truth, bundle, engine) for data in pictures)))
        groups.append(Group(part, truth, samples[:_SAMPLES_PER_CLASS]))
    return groups


def _sample(data: bytes, truth: str, bundle: Bundle, engine: Engine) -> Sample | None:
    try:
        pixels = decode(data, bundle.spec.rule).pixels
        shown = open_upright(data, _SIDE)
    except PictureError:
        return None
    probabilities = engine.predict(pixels[None])[0]
    best = int(probabilities.argmax())
    uri = photo_uri(np.asarray(shown))
    return Sample(uri, truth, bundle.labels[best], float(probabilities[best]))


def _photos(folder: Path) -> Iterator[tuple[str, str, Iterator[bytes]]]:
    parts = [(name, folder / name) for name in ("train", "test") if (folder / name).is_dir()]
    classes = [
        (part, path)
        for part, base in parts or [("all", folder)]
        for path in sorted(base.iterdir())
        if path.is_dir()
    ]
    if not classes:
        raise UsageError(
            f"{folder} has no class folders; give a folder that has one for each class"
        )
    for part, path in classes:
        files = sorted(file for file in path.iterdir() if file.is_file())
        step = max(1, len(files) // (_SAMPLES_PER_CLASS * 2))
        yield part, path.name, (file.read_bytes() for file in files[::step])


def _drawn(bundle: Bundle) -> Iterator[tuple[str, str, Iterator[bytes]]]:
    if set(bundle.labels) != {"hotdog", "not_hotdog"}:
        return
    for truth in bundle.labels:
        kinds = [kind for kind in KINDS if kind.startswith("hotdog") == (truth == "hotdog")]
        yield "drawn", truth, _drawings(kinds)


def _drawings(kinds: Sequence[str]) -> Iterator[bytes]:
    return (_drawing(kinds[seed % len(kinds)], 900 + seed) for seed in range(_SAMPLES_PER_CLASS))


@cache
def _drawing(kind: str, seed: int) -> bytes:
    stream = BytesIO()
    draw_picture(kind, seed, (320, 240)).save(stream, "PNG")
    return stream.getvalue()
