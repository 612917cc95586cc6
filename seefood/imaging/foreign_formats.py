"""Recognizes what is not decoded: other picture formats, and files that are no pictures.

Both are told from the first bytes. docs/errors.md lists the names; a test compares it with these
tables.
"""

import re
from dataclasses import dataclass
from typing import Final

from seefood.errors import ErrorCode, PictureError

_HEAD: Final = 4096
_TEXT: Final = 64 * 1024
"""Comments and document types may stand before the root element of XML."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A format's name and the bytes at `offset` that tell it."""

    name: str
    magic: bytes
    offset: int = 0


def _marks(*rows: tuple[str, tuple[bytes, ...]]) -> tuple[Mark, ...]:
    return tuple(Mark(name, magic) for name, magics in rows for magic in magics)


PICTURES: Final = (
    # Camera raw files; those that are TIFFs are told by their tags (seefood.imaging.tiff).
    *_marks(
        ("Canon CR2", (b"II*\0\x10\0\0\0CR",)),
        ("Canon CRW", (b"II\x1a\0\0\0HEAPCCDR",)),
        ("Olympus ORF", (b"IIRO", b"IIRS", b"MMOR")),
        ("Panasonic RW2", (b"IIU\0",)),
        ("Fujifilm RAF", (b"FUJIFILMCCD-RAW",)),
        ("Sigma X3F", (b"FOVb",)),
        ("Minolta MRW", (b"\0MRM",)),
        ("RED R3D", (b"\0\0\1\0RED1", b"\0\0\1\0RED2")),
        ("ARRIRAW", (b"ARRI\x12\x34\x56\x78", b"ARRI\x78\x56\x34\x12")),
        ("DPX", (b"SDPX", b"XPDS")),
        ("Cineon", (b"\x80\x2a\x5f\xd7", b"\xd7\x5f\x2a\x80")),
        # Editors, printing and vectors.
        ("PSD", (b"8BPS",)),
        ("GIMP XCF", (b"gimp xcf",)),
        ("EPS", (b"%!PS", b"\xc5\xd0\xd3\xc6")),
        ("PDF", (b"%PDF",)),
        ("WMF", (b"\xd7\xcd\xc6\x9a", b"\1\0\x09\0\0\3", b"\2\0\x09\0\0\3")),
        ("DjVu", (b"AT&TFORM",)),
        # Newer and older codecs.
        ("JPEG 2000", (b"\0\0\0\x0cjP  ", b"\0\0\0\x0cjP\x1a\x1a", b"\xff\x4f\xff\x51")),
        ("JPEG XL", (b"\0\0\0\x0cJXL ", b"\xff\x0a")),
        ("JPEG XR", (b"II\xbc\1", b"WMPHOTO\0")),
        ("BPG", (b"BPG\xfb",)),
        ("FLIF", (b"FLIF",)),
        ("QOI", (b"qoif",)),
        ("MNG", (b"\x8aMNG\r\n\x1a\n",)),
        ("JNG", (b"\x8bJNG\r\n\x1a\n",)),
        ("ICNS", (b"icns",)),
        ("ICO", (b"\0\0\1\0",)),
        ("SGI", (b"\1\xda\0", b"\1\xda\1")),
        ("Sun raster", (b"\x59\xa6\x6a\x95",)),
        ("PCX", tuple(bytes((10, version, 1)) for version in (0, 2, 3, 4, 5))),
        ("DCX", (b"\xb1\x68\xde\x3a",)),
        ("XPM", (b"/* XPM */",)),
        (
            "PNM",
            tuple(b"P%d%c" % (n, end) for n in range(1, 8) for end in b"\n \r\t"),
        ),
        ("PFM", (b"PF\n", b"Pf\n", b"PF\r", b"Pf\r")),
        ("Radiance HDR", (b"#?RADIANCE", b"#?RGBE")),
        ("OpenEXR", (b"\x76\x2f\x31\1",)),
        # Textures.
        ("DDS", (b"DDS ",)),
        ("KTX", (b"\xabKTX 11\xbb", b"\xabKTX 20\xbb")),
        ("PVR", (b"PVR\3", b"\3RVP")),
        ("ASTC", (b"\x13\xab\xa1\x5c",)),
        ("VTF", (b"VTF\0",)),
        ("BLP", (b"BLP1", b"BLP2")),
        ("PKM", (b"PKM 10", b"PKM 20")),
        ("Farbfeld", (b"farbfeld",)),
        # Science and medicine.
        ("FITS", (b"SIMPLE  =",)),
        ("NetCDF", (b"CDF\1", b"CDF\2", b"CDF\5")),
        ("HDF5", (b"\x89HDF\r\n\x1a\n",)),
        ("HDF4", (b"\x0e\3\x13\1",)),
        ("Zeiss CZI", (b"ZISRAWFILE",)),
        ("Nikon ND2", (b"\xda\xce\xbe\x0a",)),
        ("NRRD", (b"NRRD000",)),
        ("GRIB", (b"GRIB",)),
        ("NITF", (b"NITF0", b"NSIF0")),
        ("PDS or VICAR", (b"PDS_VERSION_ID", b"LBLSIZE=", b"ODL_VERSION_ID")),
    ),
    Mark("DICOM", b"DICM", 128),
    Mark("EMF", b" EMF", 40),
    Mark("NIfTI", b"n+1\0", 344),
    Mark("NIfTI", b"ni1\0", 344),
    Mark("MRC", b"MAP ", 208),
    Mark("PICT", b"\0\x11\2\xff\x0c\0", 522),
)
"""Picture formats: `unsupported_format`."""

_IFF_PICTURES: Final = {b"ILBM": "IFF ILBM", b"PBM ": "IFF PBM", b"ACBM": "IFF ACBM",
                        b"CIMG": "Maya IFF", b"RGBN": "IFF RGBN"}  # fmt: skip
_RIFF_PICTURES: Final = {b"ACON": "ANI", b"RDIB": "RIFF DIB"}
_ISO_PICTURES: Final = {b"crx ": "Canon CR3", b"jxl ": "JPEG XL", b"jp2 ": "JPEG 2000",
                        b"jpx ": "JPEG 2000", b"jph ": "JPEG 2000", b"vvic": "VVC still picture",
                        b"evbi": "EVC still picture", b"jxs ": "JPEG XS"}  # fmt: skip

FILES: Final = (
    *_marks(
        ("a zip archive", (b"PK\3\4", b"PK\5\6", b"PK\7\x08")),
        ("a gzip archive", (b"\x1f\x8b",)),
        ("a bzip2 archive", (b"BZh",)),
        ("an xz archive", (b"\xfd7zXZ\0",)),
        ("a Zstandard archive", (b"\x28\xb5\x2f\xfd",)),
        ("an LZ4 archive", (b'\4"M\x18',)),
        ("a 7-Zip archive", (b"7z\xbc\xaf\x27\x1c",)),
        ("a RAR archive", (b"Rar!\x1a\7",)),
        ("a Git LFS pointer", (b"version https://git-lfs.github.com/spec/",)),
        ("a Matroska or WebM video", (b"\x1a\x45\xdf\xa3",)),
        ("an MPEG video", (b"\0\0\1\xba", b"\0\0\1\xb3")),
        ("a Windows Media file", (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",)),
        ("a Flash video", (b"FLV\1",)),
        ("an Ogg file", (b"OggS",)),
        ("an MP3 file", (b"ID3",)),
        ("a FLAC file", (b"fLaC",)),
        ("a Parquet file", (b"PAR1",)),
        ("an Arrow file", (b"ARROW1",)),
        ("an Avro file", (b"Obj\1",)),
        ("a NumPy array", (b"\x93NUMPY",)),
        ("an SQLite database", (b"SQLite format 3\0",)),
        ("an Office or thumbnail database (OLE)", (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)),
        ("a macOS resource fork (AppleDouble)", (b"\0\5\x16\7", b"\0\5\x16\0")),
        ("a macOS folder's settings (.DS_Store)", (b"\0\0\0\1Bud1",)),
        ("a program (ELF)", (b"\x7fELF",)),
        ("a program (Windows)", (b"MZ",)),
        ("a script", (b"#!",)),
        ("rich text", (b"{\\rtf",)),
    ),
    Mark("a tar archive", b"ustar", 257),
)
"""Files that are no pictures: `not_an_image`, with a hint."""

_HINTS: Final = {
    "archive": "unpack it first, or give the archive itself as the source",
    "a Git LFS pointer": "fetch the pictures with `git lfs pull`",
    "video": "extract its frames first",
    "macOS": "exclude it with --exclude",
    "Parquet": "give it as the manifest if it lists pictures",
    "Arrow": "give it as the manifest if it lists pictures",
}
_TEXT_FILES: Final = {
    "an HTML page": "the download was answered by a web page: fetch the picture again",
    "an S3 error in XML": "the download was answered by an error: fetch the picture again",
    "an XML document": None,
    "a JSON document": None,
    "a picture in base64": "decode it first",
    "text": None,
    "zero bytes only": "the file was reserved and never written: fetch the picture again",
}
SUPPORTED: Final = "JPEG, PNG, WEBP, GIF, BMP, TIFF, HEIF, AVIF"

_ROOT: Final = re.compile(
    r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE\s+(?P<type>[\w:.-]+)[^\[>]*(?:\[.*?\]\s*)?>\s*)*"
    r"(?:<(?P<root>[A-Za-z_][\w:.-]*))?",
    re.DOTALL | re.IGNORECASE,
)


def foreign_error(data: bytes) -> PictureError:
    """Return the error for `data`, which is in no format that is decoded."""
    name = _picture_name(data)
    if name is not None:
        return _unsupported(name)
    kind = _file_name(data)
    if kind is not None:
        hint = next((text for word, text in _HINTS.items() if word in kind), None)
        return _not_an_image(kind, hint)
    text = _text(data)
    if text is not None:
        return _text_error(text)
    if not data.strip(b"\0"):
        return _not_an_image("zero bytes only", _TEXT_FILES["zero bytes only"])
    if _is_tga(data):
        return _unsupported("TGA")
    if data.startswith(b"\0\0\2\0"):
        return _unsupported("CUR")
    start = data[:8].hex(" ")
    return PictureError(ErrorCode.NOT_AN_IMAGE, f"no picture format begins with the bytes {start}")


def names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the picture formats and of the other files that are recognized."""
    others = (_IFF_PICTURES, _RIFF_PICTURES, _ISO_PICTURES)
    pictures = {mark.name for mark in PICTURES} | {"SVG", "TGA", "CUR", "XBM"}
    pictures.update(name for table in others for name in table.values())
    files = {mark.name for mark in FILES} | set(_TEXT_FILES)
    files |= {"a RIFF file (sound or video)", "an IFF file", "a video (MP4 or QuickTime)"}
    return tuple(sorted(pictures)), tuple(sorted(files))


def _unsupported(name: str) -> PictureError:
    return PictureError(
        ErrorCode.UNSUPPORTED_FORMAT, f"{name} is not decoded; convert it to one of {SUPPORTED}"
    )


def _not_an_image(kind: str, hint: str | None) -> PictureError:
    text = f"this is {kind}, not a picture"
    return PictureError(ErrorCode.NOT_AN_IMAGE, f"{text}; {hint}" if hint else text)


def _picture_name(data: bytes) -> str | None:
    head = data[:_HEAD]
    for mark in PICTURES:
        if head.startswith(mark.magic, mark.offset):
            return mark.name
    if head.startswith(b"FORM") and head[8:12] in _IFF_PICTURES:
        return _IFF_PICTURES[head[8:12]]
    if head[:4] in (b"FOR4", b"FOR8") and head[8:12] == b"CIMG":
        return _IFF_PICTURES[b"CIMG"]
    if head.startswith((b"RIFF", b"RIFX")) and head[8:12] in _RIFF_PICTURES:
        return _RIFF_PICTURES[head[8:12]]
    if head[4:8] == b"ftyp":
        size = int.from_bytes(head[:4], "big")
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))]
        return next((_ISO_PICTURES[brand] for brand in brands if brand in _ISO_PICTURES), None)
    return None


def _file_name(data: bytes) -> str | None:
    for mark in FILES:
        if data.startswith(mark.magic, mark.offset):
            return mark.name
    if data.startswith((b"RIFF", b"RIFX", b"RF64")):
        return "a RIFF file (sound or video)"
    if data.startswith(b"FORM") and data[8:12].isalpha():
        return "an IFF file"
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "a video (MP4 or QuickTime)"
    return None


def _text(data: bytes) -> str | None:
    """Return the beginning of `data` as text; None if it is none."""
    head = data[:_TEXT]
    encoding = "utf-8"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif head[:4] in (b"<\0?\0", b"<\0!\0", b"<\0s\0", b"<\0h\0"):
        encoding = "utf-16-le"
    elif head[:4] in (b"\0<\0?", b"\0<\0!", b"\0<\0s", b"\0<\0h"):
        encoding = "utf-16-be"
    elif head.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    text = head.decode(encoding, "replace")
    strange = sum(1 for char in text if char == "�" or (char < " " and char not in "\t\n\r\f"))
    return text if strange <= len(text) // 50 and text.strip() else None


def _text_error(text: str) -> PictureError:
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return _markup_error(start)
    if re.match(r"#define\s+\S+_width\s+\d+", start):
        return _unsupported("XBM")
    if start.startswith(("{", "[")):
        kind = "a JSON document"
    elif start.startswith(("data:image/", "/9j/", "iVBORw0KGgo", "UklGR", "R0lGOD")):
        kind = "a picture in base64"
    else:
        kind = "text"
    error = _not_an_image(kind, _TEXT_FILES[kind])
    shown = " ".join(start[:60].split())
    return PictureError(error.code, f"{error}; it begins with {shown!r}")


def _markup_error(text: str) -> PictureError:
    match = _ROOT.match(text)
    root = (match["root"] or match["type"] or "") if match else ""
    local = root.rpartition(":")[2].lower()
    if local == "svg":
        return _unsupported("SVG")
    if local in ("html", "head", "body", "title", "meta", "script"):
        kind = "an HTML page"
    elif local == "error":
        kind = "an S3 error in XML"
    else:
        kind = "an XML document"
    error = _not_an_image(kind, _TEXT_FILES[kind])
    code = re.search(r"<Code>([A-Za-z0-9]{1,40})</Code>", text)
    return PictureError(error.code, f"{error} ({code[1]})") if code else error


def _is_tga(data: bytes) -> bool:
    """Whether `data` has a TGA's header or footer (Truevision TGA 2.0); it has no first bytes."""
    if data[-18:].startswith(b"TRUEVISION-XFILE."):
        return True
    if len(data) < 18:  # the header
        return False
    has_map, kind, map_bits = data[1], data[2], data[7]
    width, height = int.from_bytes(data[12:14], "little"), int.from_bytes(data[14:16], "little")
    depths = {1: (8, 16), 9: (8, 16), 2: (15, 16, 24, 32), 10: (15, 16, 24, 32), 3: (8, 16),
              11: (8, 16)}  # fmt: skip
    is_mapped = kind in (1, 9)
    map_is_right = map_bits in (15, 16, 24, 32) if is_mapped else has_map == 0 and map_bits == 0
    return (
        has_map == int(is_mapped)
        and map_is_right
        and data[16] in depths.get(kind, ())
        and width > 0
        and height > 0
        and not data[17] & 0xC0
    )
