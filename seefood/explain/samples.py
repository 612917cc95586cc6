"""The last chapter's pictures: photos of the reader's data set, or drawn ones, each judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

_EACH: Final = 6
_SIDE: Final = 160


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with its truth and what the network says of it."""

    uri: str
    truth: str
    said: str
    probability: float


@dataclass(frozen=True, slots=True)
class Group:
    """Samples of one class, of one part of a data set."""

    part: str
    """`train`, `test`, `all` or `drawn`."""
    truth: str
    pictures: tuple[Sample, ...]


def sample_groups(bundle: Bundle, engine: Engine, photos: Path | None) -> list[Group]:
    """Return a few pictures of each class, judged.

    `photos` has a folder for each class, or `train/` and `test/` with those inside; without it the
    pictures are drawn, for a bundle whose labels the drawings know. Raises `UsageError` for a
    folder without such folders.
    """
    sources = _drawn(bundle) if photos is None else _photos(photos)
    groups = []
    for part, truth, pictures in sources:
        judged = tuple(filter(None, (_judge(data, truth, bundle, engine) for data in pictures)))
        groups.append(Group(part, truth, judged[:_EACH]))
    return groups


def _judge(data: bytes, truth: str, bundle: Bundle, engine: Engine) -> Sample | None:
    try:
        pixels = decode(data, bundle.spec.rule).pixels
        shown = open_upright(data, _SIDE)
    except PictureError:
        return None
    answer = engine.predict(pixels[None])[0]
    best = int(answer.argmax())
    return Sample(photo_uri(np.asarray(shown)), truth, bundle.labels[best], float(answer[best]))


def _photos(folder: Path) -> Iterator[tuple[str, str, Iterator[bytes]]]:
    parts = [(name, folder / name) for name in ("train", "test") if (folder / name).is_dir()]
    classes = [
        (part, path)
        for part, base in parts or [("all", folder)]
        for path in sorted(base.iterdir())
        if path.is_dir()
    ]
    if not classes:
        raise UsageError(f"{folder} has no folder for each class; name one that has")
    for part, path in classes:
        files = sorted(file for file in path.iterdir() if file.is_file())
        step = max(1, len(files) // (_EACH * 2))
        yield part, path.name, (file.read_bytes() for file in files[::step])


def _drawn(bundle: Bundle) -> Iterator[tuple[str, str, Iterator[bytes]]]:
    if set(bundle.labels) != {"hotdog", "not_hotdog"}:
        return
    for truth in bundle.labels:
        kinds = [kind for kind in KINDS if kind.startswith("hotdog") == (truth == "hotdog")]
        yield "drawn", truth, _drawings(kinds)


def _drawings(kinds: Sequence[str]) -> Iterator[bytes]:
    for seed in range(_EACH):
        stream = BytesIO()
        draw_picture(kinds[seed % len(kinds)], 900 + seed, (320, 240)).save(stream, "PNG")
        yield stream.getvalue()
