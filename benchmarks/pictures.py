"""The pictures that everybody reads: photos where a checkout has them, else drawn ones.

They are copied into the cache a few times over under different names, as the work demands.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final, Literal

from benchmarks.setting import CACHE, DATA

Kind = Literal["web", "camera"]
LABELS: Final = ("hotdog", "not_hotdog")
_DRAWN: Final = {"web": (64, (500, 375)), "camera": (8, (4000, 3000))}


@dataclass(frozen=True, slots=True)
class Pictures:
    """A folder of pictures, with one folder for each class where the class is known."""

    folder: Path
    files: tuple[Path, ...]
    origin: str
    """For people: where they come from."""

    @property
    def megabytes(self) -> float:
        """The size of all files, in MB."""
        return sum(file.stat().st_size for file in self.files) / 1e6

    def read_once(self) -> None:
        """Bring the files into the system's cache, so that the first contender pays no more."""
        for file in self.files:
            file.read_bytes()


def ensure_pictures(kind: Kind, count: int) -> Pictures:
    """Return `count` pictures of `kind`; made once, in the cache."""
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
    """Return up to `each` photos of each class with the class's index; none without photos.

    The first `after` photos of each class are passed over. The order mixes the photos' sources.
    """
    return [
        (file, at)
        for at, label in enumerate(LABELS)
        for file in sorted((DATA / "hotdog" / "train" / label).glob("*.jpg"), key=_content)[
            after : after + each
        ]
    ]


def _content(file: Path) -> str:
    """Return the part of a photo's name that is made from its content: `kg_` stands before it."""
    return file.name.partition("_")[2]


def _photos(kind: Kind) -> list[Path]:
    if kind == "camera":
        return sorted((DATA / "photos").glob("*.jpg"))
    return sorted((DATA / "hotdog" / "test").glob("*/*.jpg"))


def _fill(folder: Path, sources: Sequence[Path], count: int) -> None:
    """Copy `sources` over and over until there are `count` files."""
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
