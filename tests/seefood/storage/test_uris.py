"""Locations: parsing what users type, and the URIs in rows."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seefood.errors import UsageError
from seefood.storage.uris import FILE_ROOT, Location, compile_glob, parse_location, split_glob

NAMES = [
    "a b.jpg",
    "a+b.jpg",
    "100% beef.jpg",
    "50%20off.jpg",
    "donut #3.jpg",
    "what?.jpg",
    "ünïcode/🌭.jpg",
    "[1].jpg",
    "a&b=c;d,e.jpg",
    "quote'\".jpg",
    "back\\slash.jpg",
    "new\nline.jpg",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("root", ["s3://bucket", "gs://bucket", "az://container", "memory://m"])
def test_keys_of_object_stores_are_unescaped(root: str, name: str) -> None:
    """An object's URI contains its key unescaped and parses back to it."""
    location = Location(root, name)
    assert f"{root}/{name}" == location.uri
    assert location == parse_location(location.uri)


@pytest.mark.parametrize("name", NAMES)
def test_local_names_round_trip(name: str) -> None:
    """A file's URI is ASCII, percent-encoded, and parses back to the path."""
    location = Location(FILE_ROOT, f"/photos/{name}")
    assert location.uri.isascii()
    assert not {" ", "#", "?", "\n", '"'} & set(location.uri)
    assert location == parse_location(location.uri)


@given(st.binary(min_size=1, max_size=40).filter(lambda name: not {0, 47} & set(name)))
def test_names_that_are_not_utf8_round_trip(name: bytes) -> None:
    """File names on Linux are bytes; every one round-trips through a URI."""
    path = os.path.normpath(os.fsdecode(b"/photos/" + name))
    location = Location(FILE_ROOT, path)
    assert location == parse_location(location.uri)
    assert os.fsencode(path) == os.fsencode(parse_location(location.uri).key)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket", Location("s3://bucket", "")),
        ("s3://bucket/", Location("s3://bucket", "")),
        ("s3://bucket/a//b/", Location("s3://bucket", "a//b/")),
        ("file:///a%20b/c.jpg", Location(FILE_ROOT, "/a b/c.jpg")),
        ("file:/a/b", Location(FILE_ROOT, "/a/b")),
        ("file://localhost/a/b", Location(FILE_ROOT, "/a/b")),
        ("/a/../b/./c/", Location(FILE_ROOT, "/b/c")),
        ("~unknown user.jpg", Location(FILE_ROOT, f"{Path.cwd()}/~unknown user.jpg")),
        ("photos", Location(FILE_ROOT, f"{Path.cwd()}/photos")),
        ("~", Location(FILE_ROOT, str(Path.home()))),
    ],
)
def test_what_users_type(text: str, expected: Location) -> None:
    """Buckets, file URIs, relative paths and home folders are parsed."""
    assert expected == parse_location(text)


def test_a_scheme_knows_no_case() -> None:
    """`S3://` is `s3://` (RFC 3986); a bucket's name and a key stay as they are."""
    assert Location("s3://b", "A/b.JPG") == parse_location("S3://b/A/b.JPG")
    assert "file:///a%20b" == parse_location("FILE:///a%20b").uri


@pytest.mark.parametrize(
    "text", ["", "ftp://host/a.jpg", "http://host/a.jpg", "s3a://b/c", "file://host/a",
             "file:a.jpg"],
)  # fmt: skip
def test_unknown_schemes_are_refused(text: str) -> None:
    """An unknown scheme, or an invalid path, is a usage error."""
    with pytest.raises(UsageError):
        parse_location(text)


def test_a_file_uri_with_raw_bytes_is_parsed() -> None:
    """A URI may contain bytes that are not UTF-8."""
    assert "/a/\udcff.jpg" == parse_location("file:///a/\udcff.jpg").key


def test_children_have_one_slash() -> None:
    """A child of a prefix is the same with and without the prefix's slash."""
    assert "s3://b/x" == Location("s3://b", "").child("x").uri
    assert "s3://b/out/x" == Location("s3://b", "out").child("x").uri
    assert "s3://b/out/x" == Location("s3://b", "out/").child("x").uri
    assert "/x" == Location(FILE_ROOT, "/").child("x").key


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a/*.jpg", ["a/b.jpg", "a/.jpg"], ["a/b/c.jpg", "a/b.jpgx", "xa/b.jpg"]),
        ("a/?.jpg", ["a/b.jpg"], ["a/bc.jpg", "a//.jpg"]),
        ("a/**/*.jpg", ["a/b.jpg", "a/b/c/d.jpg"], ["a/b.png", "ab/c.jpg"]),
        ("a/**", ["a/b", "a/b/c"], ["b/a"]),
        ("**/x.jpg", ["x.jpg", "a/b/x.jpg"], ["ax.jpg"]),
        ("[ab].jpg", ["a.jpg", "b.jpg"], ["c.jpg", "[ab].jpg"]),
        ("[!ab].jpg", ["c.jpg"], ["a.jpg"]),
        ("[^ab].jpg", ["c.jpg"], ["a.jpg"]),
        ("[0-9]+.jpg", ["7+.jpg"], ["77.jpg"]),
        ("[]x].jpg", ["].jpg", "x.jpg"], ["y.jpg"]),
        ("a[.jpg", ["a[.jpg"], ["a.jpg"]),
        ("*.(jpg)", ["a.(jpg)"], ["a.jpg"]),
        ("*\n.jpg", ["a\n.jpg"], ["a.jpg"]),
    ],
)
def test_globs(pattern: str, yes: list[str], no: list[str]) -> None:
    """`*` and `?` stay inside a folder, `**` crosses folders, sets are sets."""
    glob = compile_glob(pattern)
    assert yes == [key for key in yes + no if glob.fullmatch(key)]


@given(st.text(alphabet="ab*?[]!^-/\\.", max_size=12), st.text(alphabet="ab/.", max_size=12))
def test_any_pattern_compiles(pattern: str, key: str) -> None:
    """No pattern is an error, and every match starts with the part before the wildcard."""
    prefix, _ = split_glob(pattern)
    if compile_glob(pattern).fullmatch(key):
        assert key.startswith(prefix)
