"""The pictures that the tests on a Flink cluster classify."""

import shutil
import tarfile
import zipfile
from pathlib import Path

from seefood.synthetic import KINDS, draw_picture


def fill_folder(folder: Path, count: int, size: tuple[int, int], kind: str = "jpg") -> None:
    """Write `count` objects with a few drawn pictures, and one that is no picture."""
    drawn: list[Path] = []
    for number in range(count):
        file = folder / f"{number // 100:02d}" / f"{number:04d}.{kind}"
        file.parent.mkdir(parents=True, exist_ok=True)
        if number < len(KINDS):
            draw_picture(KINDS[number], number, size).save(file, quality=85)
            drawn.append(file)
        else:
            file.hardlink_to(drawn[number % len(drawn)])
    (folder / "00-broken.jpg").write_bytes(b"no picture")


def pack_archives(folder: Path) -> None:
    """Move the pictures of two subfolders into a tar file and a zip file: none comes or goes."""
    with (
        tarfile.open(folder / "03.tar", "w", dereference=True) as tar,
        zipfile.ZipFile(folder / "04.zip", "w") as zipped,
    ):
        for file in sorted((folder / "03").iterdir()):
            tar.add(file, file.name)
        for file in sorted((folder / "04").iterdir()):
            zipped.write(file, file.name)
    shutil.rmtree(folder / "03")
    shutil.rmtree(folder / "04")
