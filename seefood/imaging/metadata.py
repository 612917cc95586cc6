"""Removes from a picture's file what its pixels do not need.

`decode` does so with a file whose first decoding failed, because damaged or huge metadata fails
decoders. The pixels' own data stays as it is, byte by byte; what decides colors (palette,
transparency, Adobe's marker) and the orientation are kept.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from PIL import Image

from seefood.imaging.jpeg_markers import segments
from seefood.imaging.signatures import sniff_format
from seefood.imaging.tiff_tags import main_picture, read_tags, rewrite_tags

_ORIENTATION: Final = 0x0112
_SIGNATURE_BYTES: Final = 8
_CRITICAL: Final = frozenset({b"IHDR", b"PLTE", b"IDAT"})
_MARKER_COM: Final = 0xFE
_ITEM: Final = re.compile(
    rb"infe[\2\3]\0\0[\0\1](?:..|....)\0\0(?P<type>Exif|mime|uri )", re.DOTALL
)


def without_metadata(data: bytes, format_name: str | None) -> bytes | None:
    """Return the picture in `data` without its metadata, of `SUPPORTED_FORMATS`.

    Returns None if there is none to remove.
    """
    remove = _REMOVERS.get(format_name or "")
    if remove is None:
        return None
    try:
        bare = remove(data)
    except (struct.error, IndexError, ValueError):  # the damage is in what would be kept
        return None
    return None if bare == data or sniff_format(bare[:64]) != format_name else bare


def _orientation_of(exif: bytes) -> int:
    try:
        loaded = Image.Exif()
        loaded.load(exif)
        value = int(loaded.get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 (damaged EXIF raises anything)
        return 1
    return value if 1 <= value <= 8 else 1


def _exif(orientation: int) -> bytes:
    """Return EXIF with the orientation alone, without the prefix `Exif`."""
    return struct.pack("<2sHLHHHLHHL", b"II", 42, 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)


def _bare_jpeg(data: bytes) -> bytes:
    """ITU T.81: application segments and comments go, except those that decide colors."""
    kept = [b"\xff\xd8"]
    orientation = 1
    end = 2
    for segment in segments(data):
        end = segment.end
        payload = data[segment.start + 4 : segment.end]
        if segment.is_application or segment.marker == _MARKER_COM:
            if segment.marker == 0xE1 and payload.startswith(b"Exif\0\0") and orientation == 1:
                orientation = _orientation_of(payload)
            if segment.marker == 0xE0 and payload.startswith(b"JFIF\0") and len(payload) >= 14:
                kept.append(b"\xff\xe0\0\x10JFIF\0" + payload[5:12] + b"\0\0")
            elif segment.marker == 0xEE and payload.startswith(b"Adobe") and len(payload) >= 12:
                kept.append(b"\xff\xee\0\x0eAdobe" + payload[5:12])
        else:
            kept.append(data[segment.start : segment.end])
    if orientation != 1:
        payload = b"Exif\0\0" + _exif(orientation)
        kept.insert(1, b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload)
    kept.append(data[end:])
    return b"".join(kept)


def _bare_png(data: bytes) -> bytes:
    """PNG, section 5: ancillary chunks go, except for transparency."""
    kept, orientation = [data[:_SIGNATURE_BYTES]], 1
    at, color = _SIGNATURE_BYTES, -1
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        chunk = data[at + 8 : at + 8 + size]
        if name == b"IEND":
            break
        if name == b"IHDR":
            color = chunk[9] if len(chunk) > 9 else -1
        if name in _CRITICAL or (len(name) == 4 and name.isalpha() and name[:1].isupper()):
            kept.append(data[at : at + 12 + size])
        elif name == b"tRNS" and _fits(chunk, color):
            kept.append(_chunk(name, chunk))
        elif name == b"eXIf" and len(chunk) == size:
            orientation = _orientation_of(chunk)
            if orientation != 1:
                kept.append(_chunk(name, _exif(orientation)))
        at += 12 + size
    if at < len(data):
        kept.append(_chunk(b"IEND", b""))
    return b"".join(kept)


def _fits(transparency: bytes, color: int) -> bool:
    """Whether tRNS has the length for its color type: grey, RGB, palette."""
    size = len(transparency)
    return {0: size == 2, 2: size == 6, 3: 1 <= size <= 256}.get(color, False)


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">L", len(content)) + name + content + struct.pack(">L", check)


def _bare_webp(data: bytes) -> bytes:
    """RFC 9649: the chunks of pixels, and a new header for them."""
    kept, flags, canvas, orientation = [], 0, b"", 1
    for name, content in _riff_chunks(data):
        if name == b"VP8X" and len(content) == 10:
            canvas = content[4:]
            flags |= content[0] & 0x12  # animation and alpha
        elif name in (b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"):
            kept.append(_riff(name, content))
        elif name == b"EXIF":
            orientation = _orientation_of(content)
    if orientation != 1 and canvas:
        flags |= 0x08
        kept.append(_riff(b"EXIF", _exif(orientation)))
    if canvas and flags:
        kept.insert(0, _riff(b"VP8X", bytes([flags, 0, 0, 0]) + canvas))
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        content = data[at + 8 : at + 8 + size]
        if len(content) == size or data[at : at + 4] in (b"VP8 ", b"VP8L", b"ANMF"):
            yield data[at : at + 4], content
        at += 8 + size + size % 2


def _riff(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<L", len(content)) + content + b"\0" * (len(content) % 2)


def _bare_gif(data: bytes) -> bytes:
    """GIF89a: the header, the first frame and its control extension."""
    end = 13 + (3 << ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    kept, at = [data[:end]], end
    while at < len(data):
        kind = data[at]
        if kind == 0x2C:  # the first frame
            table = data[at + 9] if at + 9 < len(data) else 0
            body = at + 11 + (3 << ((table & 7) + 1) if table & 0x80 else 0)
            stop = _after_blocks(data, body)
            kept.append(data[at:stop])
            if data[stop - 1] != 0 or stop > len(data):
                kept.append(b"\0")
            kept.append(b";")
            break
        if kind != 0x21:
            at += 1  # nothing of the format; a decoder skips it
            continue
        if data[at + 1 : at + 3] == b"\xf9\4" and data[at + 7 : at + 8] == b"\0":
            kept.append(data[at : at + 8])
        at = _after_blocks(data, at + 2)
    return b"".join(kept)


def _after_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return min(at + 1, len(data))


def _bare_tiff(data: bytes) -> bytes:
    tags, _ = main_picture(data, read_tags(data))
    return data if tags.problem is not None else rewrite_tags(data, tags)


def _bare_iso_media(data: bytes) -> bytes:
    """ISO/IEC 23008-12: items of metadata get a type that nobody reads; no offset moves."""
    end = len(data)
    at = 0
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"meta":
            end = min(end, at + size) if size else end
            bare = bytearray(data)
            for match in _ITEM.finditer(data, at, end):
                bare[match.start("type") : match.end("type")] = b"skip"
            return bytes(bare)
        if size < 8:
            break
        at += size
    return data


_REMOVERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "JPEG": _bare_jpeg,
    "PNG": _bare_png,
    "WEBP": _bare_webp,
    "GIF": _bare_gif,
    "TIFF": _bare_tiff,
    "HEIF": _bare_iso_media,
    "AVIF": _bare_iso_media,
}
