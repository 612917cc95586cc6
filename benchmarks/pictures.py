"""The pictures that all contenders read: the development photos if present, else drawings.

They are copied to the cache under different names until there are enough.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final, Literal

from benchmarks.settings import CACHE, DATA

Kind = Literal["web", "camera"]
LABELS: Final = ("hotdog", "not_hotdog")
_DRAWN: Final = {"web": (64, (500, 375)), "camera": (8, (4000, 3000))}


@dataclass(frozen=True, slots=True)
class Pictures:
    """A folder of pictures, with one folder per class where the class is known."""

    folder: Path
    files: tuple[Path, ...]
    origin: str
    """A description of the source, for tables."""

    @property
    def megabytes(self) -> float:
        """The size of all files, in MB."""
        return sum(file.stat().st_size for file in self.files) / 1e6

    def read_once(self) -> None:
        """Read all files into the page cache, so that the first contender is not slower."""
        for file in self.files:
            file.read_bytes()


def ensure_pictures(kind: Kind, count: int) -> Pictures:
    """Return `count` pictures of `kind`; created once, in the cache."""
    photos = _photos(kind)
    origin = f"{len(photos)} photos" if photos else f"{_DRAWN[kind][0]} drawn pictures, NOT PHOTOS"
    folder = CACHE / "pictures" / f"{kind}-{count}-{'photos' if photos else 'drawn'}"
    if not folder.is_dir():
        scratch = folder.with_suffix(".part")
        shutil.rmtree(scratch, ignore_errors=True)
        _fill(scratch, photos or _draw(kind), count)
        scratch.rename(folder)
    files = tuple(sorted(file for file in folder.rglob("*") if file.is_file()))
    return Pictures(
        folder, files, f"{origin}, {count / (len(photos) or _DRAWN[kind][0]):.0f} times"
    )


def training_photos(each: int, after: int = 0) -> list[tuple[Path, int]]:
    """Return up to `each` training photos per class, each with its class's index.

    Skips the first `after` photos of each class. The order mixes the photos' sources.
    """
    return [
        (file, at)
        for at, label in enumerate(LABELS)
        for file in sorted((DATA / "hotdog" / "train" / label).glob("*.jpg"), key=_content)[
            after : after + each
        ]
    ]


def _content(file: Path) -> str:
    """Return the hash in a photo's name, without the prefix of its source (`kg_`)."""
    return file.name.partition("_")[2]


def _photos(kind: Kind) -> list[Path]:
    if kind == "camera":
        return sorted((DATA / "photos").glob("*.jpg"))
    return sorted((DATA / "hotdog" / "test").glob("*/*.jpg"))


def _fill(folder: Path, sources: Sequence[Path], count: int) -> None:
    """Copy `sources` repeatedly until there are `count` files."""
    for number, source in enumerate(islice(cycle(sources), count)):
        label = source.parent.name if source.parent.name in LABELS else "pictures"
        target = folder / label / f"{number // len(sources)}-{source.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _draw(kind: Kind) -> list[Path]:
    from seefood.synthetic import KINDS, draw_picture  # noqa: PLC0415 (only where photos are absent)

    count, size = _DRAWN[kind]
    others = [name for name in KINDS if not name.startswith("hotdog")]
    hotdogs = [name for name in KINDS if name.startswith("hotdog")]
    files = []
    for number in range(count):
        names, label = (hotdogs, LABELS[0]) if number % 2 else (others, LABELS[1])
        name = names[number // 2 % len(names)]
        file = CACHE / "pictures" / f"drawn-{kind}" / label / f"{number:03}.jpg"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            draw_picture(name, number, size).save(file, quality=88)
        files.append(file)
    return files
