import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seefood.errors import UsageError
from seefood.records import ImageRef
from seefood.sources.completion import complete
from seefood.sources.filters import Selection
from seefood.sources.listing import check_sources, list_sources
from seefood.sources.manifests import parse_manifest
from seefood.sources.registry import parse_source
from tests.conftest import Bucket

_NAMES = ["s3://b/a b.jpg", "s3://b/ü.jpg", "s3://b/x//y.jpg"]


def _parquet(**columns: list[object]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _csv(*rows: str) -> bytes:
    return ("\n".join(rows) + "\n").encode()


_FILES = {
    "list.txt": "\n".join(_NAMES).encode() + b"\n\n",
    "windows.txt": "\r\n".join(_NAMES).encode(),
    "list.csv": _csv("id,URI", *(f"{n},{name}" for n, name in enumerate(_NAMES))),
    "bare.csv": _csv(*_NAMES),
    "excel.csv": b"\xef\xbb\xbf" + _csv("path;note".replace(";", ","), *(f"{n},x" for n in _NAMES)),
    "batch.csv": _csv("b,a%20b.jpg", "b,%C3%BC.jpg", "b,x//y.jpg"),
    "buckets.csv": _csv("bucket,key", *(f"b,{name[7:]}" for name in _NAMES)),
    "list.tsv": _csv("uri\tlabel", *(f"{name}\thotdog" for name in _NAMES)),
    "strings.jsonl": "\n".join(map(json.dumps, _NAMES)).encode(),
    "objects.jsonl": "\n".join(json.dumps({"image_uri": name}) for name in _NAMES).encode(),
    "list.parquet": _parquet(uri=list(_NAMES), n=[1, 2, 3]),
    "list.txt.gz": gzip.compress("\n".join(_NAMES).encode()),
    "list.csv.gz": gzip.compress(_csv("uri", *_NAMES)),
}


@pytest.mark.parametrize("name", _FILES)
def test_every_format_lists_the_same_names(name: str, tmp_path: Path) -> None:
    """Text, CSV, JSON lines and Parquet; the column is guessed; gzipped or not."""
    (tmp_path / name).write_bytes(_FILES[name])
    assert _NAMES == [ref.uri for ref in parse_manifest(str(tmp_path / name)).list()]


def test_a_column_may_be_named(tmp_path: Path) -> None:
    """`--manifest-column` replaces the guess."""
    (tmp_path / "m.csv").write_bytes(_csv("path,thumb", "s3://b/1,s3://b/2"))
    (ref,) = parse_manifest(str(tmp_path / "m.csv"), "thumb").list()
    assert "s3://b/2" == ref.uri


def test_an_unknown_column_is_named_in_the_message(tmp_path: Path) -> None:
    """The message lists the columns and names the option."""
    (tmp_path / "m.parquet").write_bytes(_parquet(wibble=["s3://b/1"]))
    with pytest.raises(UsageError, match=r"columns wibble.*--manifest-column"):
        list(parse_manifest(str(tmp_path / "m.parquet")).list())


@pytest.mark.parametrize(
    ("name", "data"),
    [("m.jsonl", b"{not json"), ("m.parquet", b"PAR1 broken"), ("m.txt.gz", b"\x1f\x8b broken")],
)
def test_a_broken_manifest_is_one_sentence(name: str, data: bytes, tmp_path: Path) -> None:
    """Errors of every reader become a message about the manifest."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=f"the manifest .*{name} cannot be read"):
        list(parse_manifest(str(tmp_path / name)).list())


def test_tags_sizes_and_versions_are_used(tmp_path: Path) -> None:
    """A picture whose tag a manifest gives causes no request to the store."""
    (tmp_path / "m.csv").write_bytes(_csv("uri,etag,size,version_id", 's3://b/1,"e1",5,v1'))
    refs = parse_manifest(str(tmp_path / "m.csv")).list()
    assert [ImageRef("s3://b/1", "e1", 5, "v1")] == list(complete(refs))


def test_relative_names_start_from_the_manifests_folder(tmp_path: Path) -> None:
    """A list in a folder names the pictures of that folder; the store adds tags and sizes."""
    (tmp_path / "a.jpg").write_bytes(b"123")
    (tmp_path / "m.txt").write_text("a.jpg\n./a.jpg\ngone.jpg\n")
    refs = list(list_sources([parse_manifest(str(tmp_path / "m.txt"))]))
    (listed,) = list_sources([parse_source(str(tmp_path / "a.jpg"))])
    assert [listed, ImageRef((tmp_path / "gone.jpg").as_uri())] == refs


def test_sources_and_manifests_list_a_picture_once(tmp_path: Path) -> None:
    """A picture that several sources name is listed once, with the filters applied to all."""
    for name in ("a.jpg", "b.jpg", "c.txt"):
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "m.txt").write_text("b.jpg\na.jpg\n")
    sources = [
        parse_source(str(tmp_path / "*.jpg")),
        parse_manifest(str(tmp_path / "m.txt")),
        parse_source(str(tmp_path)),
    ]
    refs = list_sources(sources, selection=Selection(exclude=("*.txt",)))
    assert ["a.jpg", "b.jpg"] == [ref.uri.rpartition("/")[2] for ref in refs]


def test_the_store_adds_what_a_manifest_lacks(s3: Bucket) -> None:
    """Tags and sizes come from the store, in the manifest's order, also for unusual names."""
    tags = {name: s3.put(name, name.encode()) for name in ("b b.jpg", "a//b.jpg", "/c.jpg")}
    s3.put("lists/m.txt", "\n".join(f"{s3.uri}/{name}" for name in tags).encode())
    refs = list(complete(parse_manifest(f"{s3.uri}/lists/m.txt").list()))
    assert [(f"{s3.uri}/{name}", tag, len(name)) for name, tag in tags.items()] == [
        (ref.uri, ref.etag, ref.size_bytes) for ref in refs
    ]


def test_an_empty_manifest_is_a_usage_error(tmp_path: Path) -> None:
    """A manifest that is absent or lists nothing is an error before the run starts."""
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(UsageError, match=r"the manifest .*empty\.txt lists no picture"):
        check_sources([parse_manifest(str(tmp_path / "empty.txt"))])
    with pytest.raises(UsageError, match=r"there is no manifest .*gone\.txt"):
        check_sources([parse_manifest(str(tmp_path / "gone.txt"))])


def test_a_manifest_means_the_same_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its path is absolute once it is parsed: it is sent to workers."""
    (tmp_path / "m.txt").write_text("s3://b/1\n")
    monkeypatch.chdir(tmp_path)
    manifest = parse_manifest("m.txt")
    monkeypatch.chdir("/")
    assert "manifest m.txt" == manifest.text
    assert [ImageRef("s3://b/1")] == list(manifest.list())
