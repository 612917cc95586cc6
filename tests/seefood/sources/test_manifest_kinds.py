"""Every kind of list that people have is read, or refused with its place and the way out."""

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seefood.errors import UsageError
from seefood.records import ListingNote
from seefood.sources.listing import check_sources
from seefood.sources.manifests import parse_manifest
from seefood.storage import write
from seefood.storage.uris import parse_location

_CASES: Final = Path(__file__).parents[4] / "shared" / "data" / "cases"
_EXPECTED: Final[Mapping[str, Any]] = (
    json.loads((_CASES / "expected.json").read_bytes())["manifests"] if _CASES.is_dir() else {}
)
_TWO: Final = ["a.png", "b c.png"]


@pytest.mark.photos
@pytest.mark.parametrize("name", sorted(_EXPECTED) or ["(no cases)"])
def test_the_cases(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case lists the names of its rows, or is refused in a sentence about what it says."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):  # one names a bucket
        monkeypatch.setenv(variable, "test")
    accept = _EXPECTED[name]["accept"]
    manifest = parse_manifest(str(_CASES / "manifests" / name))
    try:
        check_sources([manifest])
    except UsageError as error:
        text = str(error).replace(str(_CASES), "").lower()
        refusals = [outcome["stderr_has"] for outcome in accept if outcome["exit"] == 2]
        assert any(all(piece.lower() in text for piece in pieces) for pieces in refusals), text
    else:
        uris = [unquote(ref.uri) for ref in manifest.list()]
        rows = [outcome["rows"] for outcome in accept if outcome.get("rows")]
        assert any(
            len(uris) == len(each)
            and all(uri.endswith(row["uri_ends"]) for uri, row in zip(uris, each, strict=True))
            for each in rows
        )


def _parquet(**columns: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_a_class_may_follow_each_name(tmp_path: Path) -> None:
    """As in the lists of ImageNet and Caffe; a name with spaces stays whole."""
    file = tmp_path / "train.txt"
    for text, names in (
        ("a.png 0\nb.png 12\n", ["a.png", "b.png"]),
        ("n01/a.png  0 x\nb.png 1 y\n", None),
        ("my a.png\nb.png 1\n", ["my a.png", "b.png 1"]),
        ("/my a\n/my b.dng\n", ["/my a", "/my b.dng"]),
    ):
        file.write_text(text)
        manifest = parse_manifest(str(file))
        if names is None:
            with pytest.raises(UsageError, match="columns"):
                manifest.check()
        else:
            assert [(tmp_path / each).as_uri() for each in names] == [
                ref.uri for ref in manifest.list()
            ]


def _struct(*, content: bytes | None) -> bytes:
    return _parquet(image=[{"bytes": content, "path": name} for name in _TWO])


_READ: Final[dict[str, bytes]] = {
    "bar.csv": b"path|label\na.png|x\nb c.png|y\n",
    "tabs.csv": b"file_name\ttext\na.png\tx\nb c.png\ty\n",
    "excel.csv": b"sep=;\r\nPath;Label\r\na.png;x\r\nb c.png;y\r\n",
    "quoted.csv": b'"label","File_Name"\n"two\nlines","a.png"\n"y","b c.png"\n',
    "short_rows.csv": b"path,label,note\na.png,x\nb c.png\n",
    "blank_lines.csv": b"path,label\n\na.png,x\n\nb c.png,y\n\n",
    "no_header.csv": b"a.png,hotdog\nb c.png,pizza\n",
    "label_first.csv": b"hotdog,a.png\npizza,b c.png\n",
    "long_field.csv": b"path,vector\na.png," + b"1" * 300_000 + b"\nb c.png,2\n",
    "crlf.txt": b"\xef\xbb\xbfa.png\r\nb c.png\r\n",
    "old_mac.txt": b"a.png\rb c.png\r",
    "utf16.txt": "a.png\nb c.png\n".encode("utf-16"),
    "utf16_no_bom.csv": "path;x\na.png;1\nb c.png;2\n".encode("utf-16-le"),
    "utf32.txt": "a.png\nb c.png\n".encode("utf-32"),
    "table.txt": b"filename;label\na.png;1\nb c.png;2\n",
    "labels.txt": b"a.png\t1\nb c.png\t2\n",
    "label_studio_tasks.json": json.dumps([{"data": {"image": name}} for name in _TWO]).encode(),
    "header.lst": b"filename\na.png\nb c.png\n",
    "no_suffix": b"a.png\nb c.png\n",
    "table.txt.bz2": bz2.compress(b"a.png\nb c.png\n"),
    "table.csv.xz": lzma.compress(b"path\na.png\nb c.png\n"),
    "table.jsonl.gz": gzip.compress(b'"a.png"\n"b c.png"\n'),
    "u2028.txt": b"a.png\nb c.png\n",
    "sagemaker.manifest": b'{"source-ref": "a.png", "c": 1}\n{"source-ref": "b c.png"}\n',
    "sagemaker_prefix.json": b'[{"prefix": "./"}, "a.png", "b c.png"]',
    "vertex.jsonl": b'{"imageGcsUri": "a.png"}\n{"imageGcsUri": "b c.png"}\n',
    "array.json.gz": gzip.compress(json.dumps(_TWO).encode()),
    "utf16.json": json.dumps(_TWO).encode("utf-16"),
    "one_line_coco.json": json.dumps(
        {"annotations": [{"id": [1]}] * 3, "images": [{"file_name": name} for name in _TWO]}
    ).encode(),
    "create_ml.json": json.dumps([{"image": name, "annotations": []} for name in _TWO]).encode(),
    "hf.jsonl": b"\n".join(json.dumps({"image": {"path": name}}).encode() for name in _TWO),
    "hf.parquet": _struct(content=None),
    "commas.txt": b"a.png,\nb c.png,\n",
    "sizes.parquet": _parquet(path=_TWO, size=[1.0, None]),
    "dictionary.parquet": _parquet(path=pa.array(_TWO).dictionary_encode()),
}


@pytest.mark.parametrize("name", _READ)
def test_it_is_read(name: str, tmp_path: Path) -> None:
    """Each of these lists the same two names."""
    (tmp_path / name).write_bytes(_READ[name])
    manifest = parse_manifest(str(tmp_path / name))
    manifest.check()
    assert [(tmp_path / each).as_uri() for each in _TWO] == [ref.uri for ref in manifest.list()]


_REFUSED: Final[dict[str, tuple[bytes, str]]] = {
    "header.csv": (b"photo,label\na.png,x\n", "columns photo, label.*--manifest-column"),
    "twice.csv": (b"uri,uri\na.png,b.png\n", "two of its columns are called 'uri'"),
    "arn.txt": (b"arn:aws:s3:::b/a.png\n", "line 1 .* is an ARN; write s3://b/a.png"),
    "half.jsonl": (b'{"uri":"s3://b/\\ud800.png"}\n', "line 1 .* is no UTF-8"),
    "one_word.csv": (b"photo\na.png\n", "columns photo.*--manifest-column"),
    "pairs.csv": (b"a.png,b.png\nc.png,d.png\n", "--manifest-column"),
    "words.csv": (b"apple,red\npear,green\n", "columns apple, red"),
    "comma.csv": (b"path,label\na.png,x\nmy,b.png,x\n", "line 3: .*3 columns.*quotation marks"),
    "quote.csv": (b'path,label\na.png,x\n"b.png,x\n', "line 3: .*quotation marks"),
    "size.csv": (b"path,size\na.png,1.5\n", "line 2 .*column size: '1.5' is no number of bytes"),
    "empty.csv": (b"path,label\na.png,x\n,y\n", "line 3 .*column path is empty"),
    "long.csv": (b"image,label\n" + b"9" * 9000 + b",x\n", "line 2 .*column image holds 9,000"),
    "scheme.txt": (b"a.png\nftp://h/a.png\n", "line 2 .*unknown scheme 'ftp'"),
    "bucket.txt": (b"a.png\ngs://a b/c.png\n", "line 2 .*'a b' is no name that a bucket"),
    "bucket.csv": (b"bucket,key\na?b,c.png\n", r"line 2 .*'a\?b' is no name that a bucket"),
    "two.txt": (b"ftp://a/b\nftp://a/c\na.png\n", r"line 1 .*\(1 more like it\)"),
    "nul.txt": (b"a.png\0b.png\0", "NUL bytes"),
    "book.csv": (b"PK\x03\x04....", "Excel workbook; save the table as CSV"),
    "page.csv": (b"<!DOCTYPE html>", "XML or HTML"),
    "pointer.csv": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "photo.txt": (b"\xff\xd8\xff\xe0....", "a JPEG picture; give it as a SOURCE"),
    "line.jsonl": (b'{"path": "a.png"}\n{"path": \n', "line 2: it is no JSON"),
    "number.jsonl": (b'"a.png"\n17\n', "line 2: it is 17, not a name"),
    "deep.jsonl": (b'"a.png"\n' + b"[" * 100_000 + b"\n", "line 2: it is no JSON"),
    "array.json": (b'["a.png", "b.png"', "entry 3: .*one JSON document"),
    "via.json": (b'{\n"_via_settings": {}, "_via_img_metadata": {}}', "VIA project"),
    "upload.json": (
        b'[{"data": {"image": "/data/upload/1/x.png"}, "annotations": []}]',
        "entry 1: .*Label Studio stores",
    ),
    "cut.csv.gz": (gzip.compress(b"path\n" + bytes(range(97, 120)) * 999)[:-30], "cannot be read"),
    "hf.parquet": (_struct(content=b"x"), "column image is a struct whose bytes"),
    "binary.parquet": (_parquet(image=[b"x"]), "column image is binary"),
    "struct.parquet": (_parquet(image=[{"w": 1}]), "column image is a struct of w"),
    "null.parquet": (_parquet(path=["a.png", None]), "row 2 .*column path is empty"),
}


@pytest.mark.parametrize("name", _REFUSED)
def test_it_is_refused(name: str, tmp_path: Path) -> None:
    """Before any work, with the place, the column or the kind of file, and what to do."""
    data, message = _REFUSED[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=f"(?s){message}"):
        check_sources([parse_manifest(str(tmp_path / name))])


def test_spaces_before_a_uri_are_no_part_of_it(tmp_path: Path) -> None:
    """As spreadsheets write them after a comma; a list of URIs may end its lines with commas."""
    (tmp_path / "m.csv").write_bytes(b"label, uri\nx, s3://b/a.png\n")
    (tmp_path / "m.txt").write_bytes(b"s3://b/a.png,\ns3://b/b.png,\n")
    names = [
        ref.uri
        for name in ("m.csv", "m.txt")
        for ref in parse_manifest(str(tmp_path / name)).list()
    ]
    assert ["s3://b/a.png", "s3://b/a.png", "s3://b/b.png"] == names


def test_a_column_may_be_chosen_where_no_word_is_known(tmp_path: Path) -> None:
    """`--manifest-column` is a word of the header, in any case of letters."""
    (tmp_path / "m.csv").write_bytes(b"Photo;label\na.png;x\n")
    (ref,) = parse_manifest(str(tmp_path / "m.csv"), "photo").list()
    assert (tmp_path / "a.png").as_uri() == ref.uri
    with pytest.raises(UsageError, match="columns Photo, label"):
        list(parse_manifest(str(tmp_path / "m.csv"), "picture").list())


def test_latin_1(tmp_path: Path) -> None:
    """A name that is not UTF-8 is that of a file on the disk, or is read as Latin-1 and said."""
    with open(bytes(tmp_path / "m.csv"), "wb") as stream:  # noqa: PTH123
        stream.write(b"path;x\ncaf\xe9.png;1\nraw\xff.png;2\n")
    Path(str(tmp_path), "raw\udcff.png").write_bytes(b"x")
    manifest = parse_manifest(str(tmp_path / "m.csv"))
    *refs, note = manifest.walk()
    assert [(tmp_path / "café.png").as_uri(), f"{tmp_path.as_uri()}/raw%FF.png"] == [
        ref.uri for ref in refs
    ]
    assert isinstance(note, ListingNote)
    assert "line 2 are read as Latin-1" in note.text


def test_relative_names_in_a_bucket(memory: str) -> None:
    """`../` leads out of the list's folder, as on a disk; other names are keys as they are."""
    write(parse_location(f"{memory}/lists/m.txt"), b"../in/a.png\n./b.png\nc//d.png\n")
    uris = [ref.uri for ref in parse_manifest(f"{memory}/lists/m.txt").list()]
    assert [f"{memory}/in/a.png", f"{memory}/lists/b.png", f"{memory}/lists/c//d.png"] == uris


def test_a_folder_of_part_files(memory: str) -> None:
    """All parts are read, marks are not; a folder of something else is refused."""
    for name, data in {
        "_SUCCESS": b"",
        ".part-0.csv.crc": b"x",
        "part-1.csv": b"path\nb.png\n",
        "d=2/part-0.csv": b"path\na.png\n",
    }.items():
        write(parse_location(f"{memory}/parts/{name}"), data)
    uris = [ref.uri for ref in parse_manifest(f"{memory}/parts/").list()]
    assert [f"{memory}/parts/d=2/a.png", f"{memory}/parts/b.png"] == uris
    write(parse_location(f"{memory}/parts/photo.png"), b"x")
    with pytest.raises(UsageError, match=r"folder .* holds photo\.png, which is no list"):
        check_sources([parse_manifest(f"{memory}/parts/")])


def test_the_list_of_an_image_folder(tmp_path: Path) -> None:
    """Hugging Face's `metadata.csv` is the list of the folder that it lies in."""
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "metadata.csv").write_text("file_name,text\na.png,x\n")
    (ref,) = parse_manifest(str(tmp_path)).list()
    assert (tmp_path / "a.png").as_uri() == ref.uri
