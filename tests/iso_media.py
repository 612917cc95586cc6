"""Assembles HEIF and AVIF files from coded pictures, for tests (ISO/IEC 14496-12 and 23008-12)."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from tests.pictures import encoded

CODEC = {"HEIF": (b"hvc1", b"hvcC", b"heic"), "AVIF": (b"av01", b"av1C", b"avif")}


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a file: its type, its data and its properties, each a whole box."""

    type: bytes
    data: bytes
    properties: tuple[bytes, ...]
    made_of: tuple[int, ...] = ()
    """The numbers of the items that a grid is made of."""


def box(name: bytes, content: bytes) -> bytes:
    """Return a box."""
    return struct.pack(">L", 8 + len(content)) + name + content


def full_box(name: bytes, content: bytes, version: int = 0) -> bytes:
    """Return a box with a version and flags."""
    return box(name, bytes([version, 0, 0, 0]) + content)


def spatial_extent(size: tuple[int, int]) -> bytes:
    """Return the property of a size (width, height)."""
    return full_box(b"ispe", struct.pack(">LL", *size))


def coded(image: Image.Image, format_name: str) -> Item:
    """Return `image` as a coded item, with its size."""
    options = {"quality": 95, "chroma": 444} if format_name == "HEIF" else {"quality": 95}
    data = encoded(image, format_name, **options)
    kind, configuration, _ = CODEC[format_name]
    start = data.index(configuration) - 4
    size = int.from_bytes(data[start : start + 4], "big")
    payload = next(content for name, content in _boxes(data) if name == b"mdat")
    return Item(kind, payload, (data[start : start + size], spatial_extent(image.size)))


def grid(rows: int, columns: int, size: tuple[int, int], tiles: Sequence[int]) -> Item:
    """Return an item that puts the items `tiles` side by side."""
    data = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *size)
    return Item(b"grid", data, (spatial_extent(size),), tuple(tiles))


def assemble(
    items: Sequence[Item], format_name: str, primary: int = 1, extra: bytes = b""
) -> bytes:
    """Return a file of `items`, which are numbered from 1; `extra` is put behind them."""
    brand = CODEC[format_name][2]
    head = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)
    unplaced = _meta(items, primary, [0] * len(items))
    start = len(head) + len(unplaced) + 8
    places = [start + sum(len(item.data) for item in items[:n]) for n in range(len(items))]
    media = b"".join(item.data for item in items)
    return head + _meta(items, primary, places) + box(b"mdat", media) + extra


def _meta(items: Sequence[Item], primary: int, places: Sequence[int]) -> bytes:
    handler = full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
    infos = b"".join(
        full_box(b"infe", struct.pack(">HH", n, 0) + item.type + b"\0", 2)
        for n, item in enumerate(items, 1)
    )
    properties = [each for item in items for each in item.properties]
    associations, index = b"", 1
    for n, item in enumerate(items, 1):
        associations += struct.pack(">HB", n, len(item.properties))
        for each in item.properties:
            essential = 0x80 if each[4:8] in (b"hvcC", b"av1C", b"irot", b"imir", b"clap") else 0
            associations += bytes([essential | index])
            index += 1
    references = b"".join(
        box(b"dimg", struct.pack(f">HH{len(item.made_of)}H", n, len(item.made_of), *item.made_of))
        for n, item in enumerate(items, 1)
        if item.made_of
    )
    locations = b"".join(
        struct.pack(">HHHLL", n, 0, 1, place, len(item.data))
        for n, (item, place) in enumerate(zip(items, places, strict=True), 1)
    )
    return full_box(
        b"meta",
        handler
        + full_box(b"pitm", struct.pack(">H", primary))
        + full_box(b"iloc", b"\x44\0" + struct.pack(">H", len(items)) + locations)
        + full_box(b"iinf", struct.pack(">H", len(items)) + infos)
        + (full_box(b"iref", references) if references else b"")
        + box(
            b"iprp",
            box(b"ipco", b"".join(properties))
            + full_box(b"ipma", struct.pack(">L", len(items)) + associations),
        ),
    )


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size
