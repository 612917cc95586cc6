"""Keywords in XMP sidecars."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from seefood.actions.planning import plan_sort
from seefood.actions.xmp import with_labels
from seefood.cli import cli
from seefood.errors import JobError, UsageError
from seefood.storage.uris import parse_location
from tests.sorting import Sorted, rows_of, write_rows

BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
OTHERS = (
    BEGIN.encode()
    + b"""<!--of another program-->
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"
    xmlns:dc="http://purl.org/dc/elements/1.1/">
   <dc:subject><rdf:Bag><rdf:li>lunch</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
)


def test_a_new_sidecar_has_flat_and_hierarchical_keywords() -> None:
    """Lightroom and digiKam find the label, a label with XML's own characters too."""
    text = with_labels(None, ["hot & <dog>"]).decode()
    assert "<rdf:li>hot &amp; &lt;dog&gt;</rdf:li>" in text
    assert "<lr:hierarchicalSubject><rdf:Bag><rdf:li>seefood|hot" in text
    assert "<digiKam:TagsList><rdf:Seq><rdf:li>seefood/hot" in text


def test_what_others_wrote_stays() -> None:
    """Rating and keywords of another program are kept under their names."""
    text = with_labels(OTHERS, ["hotdog"]).decode()
    assert 'xmp:Rating="4"' in text
    assert "<rdf:li>lunch</rdf:li><rdf:li>hotdog</rdf:li>" in text


def test_what_stands_outside_the_root_stays_there() -> None:
    """The packet's instructions and comments are kept, in their order."""
    lines = with_labels(OTHERS, ["hotdog"]).decode().splitlines()
    assert [BEGIN, "<!--of another program-->"] == lines[1:3]
    assert lines[3].startswith("<x:xmpmeta")
    assert ["</x:xmpmeta>", '<?xpacket end="w"?>'] == lines[-2:]


def test_another_label_replaces_that_of_seefood_alone() -> None:
    """A second label takes the place of the first; the same one changes nothing."""
    once = with_labels(OTHERS, ["hotdog"])
    assert once == with_labels(once, ["hotdog"])
    text = with_labels(once, ["salad"]).decode()
    assert "hotdog" not in text
    assert "lunch" in text


def test_all_labels_of_a_picture_are_keywords() -> None:
    """A label that holds no longer goes, one that still holds keeps its place."""
    once = with_labels(OTHERS, ["cat", "dog"])
    text = with_labels(once, ["dog", "fish"]).decode()
    assert "<rdf:li>lunch</rdf:li><rdf:li>dog</rdf:li><rdf:li>fish</rdf:li>" in text
    assert "<rdf:li>seefood|dog</rdf:li><rdf:li>seefood|fish</rdf:li>" in text
    assert "cat" not in text


def test_a_picture_of_several_labels_gets_all_as_keywords_and_one_folder(tmp_path: Path) -> None:
    """`tag --xmp` writes every label; `sort` counts the main one."""
    photo, output = tmp_path / "a.jpg", tmp_path / "out"
    photo.write_bytes(b"a")
    [row] = rows_of([photo.as_uri()])
    write_rows(str(output), [replace(row, label="dog", labels=("cat", "dog"))])
    goal = parse_location(str(tmp_path / "sorted"))
    [step] = plan_sort(parse_location(str(output)), goal, "copy", ["dog"], None).steps
    assert goal.child("dog/a.jpg").uri == step.target
    with pytest.raises(UsageError, match="cat"):
        plan_sort(parse_location(str(output)), goal, "copy", ["cat"], None)
    arguments = ["tag", str(output), "--xmp", "--only", "cat", "--yes"]
    assert 0 == CliRunner().invoke(cli, arguments, standalone_mode=False).return_value
    text = photo.with_name("a.jpg.xmp").read_text()
    assert "<rdf:li>seefood|cat</rdf:li><rdf:li>seefood|dog</rdf:li>" in text


@pytest.mark.parametrize(
    "content", [b"no xml", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>']
)
def test_what_is_no_xmp_is_refused(content: bytes) -> None:
    """A damaged or dangerous sidecar is never rewritten."""
    with pytest.raises(JobError, match="sidecar"):
        with_labels(content, ["hotdog"])


def test_undo_restores_sidecars_byte_for_byte(local: Sorted) -> None:
    """New sidecars go, and changed ones are what they were."""
    sidecar = local.photos / "one" / "plain.jpg.xmp"
    sidecar.write_bytes(OTHERS)
    before = {name: content for name, (content, _) in local.tree().items()}
    for arguments in (["tag", str(local.output), "--xmp"], ["undo", str(local.output)]):
        result = CliRunner().invoke(cli, [*arguments, "--yes"], standalone_mode=False)
        assert not result.exception
        assert 0 == result.return_value
        if arguments[0] == "tag":
            assert b"seefood|" in sidecar.read_bytes()
            assert 14 == len(list(local.photos.rglob("*.xmp")))
    assert before == {name: content for name, (content, _) in local.tree().items()}
