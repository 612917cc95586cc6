"""Keywords in XMP sidecars."""

import pytest
from click.testing import CliRunner

from seefood.actions.xmp import with_label
from seefood.cli import cli
from seefood.errors import JobError
from tests.sorting import Sorted

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
    text = with_label(None, "hot & <dog>").decode()
    assert "<rdf:li>hot &amp; &lt;dog&gt;</rdf:li>" in text
    assert "<lr:hierarchicalSubject><rdf:Bag><rdf:li>seefood|hot" in text
    assert "<digiKam:TagsList><rdf:Seq><rdf:li>seefood/hot" in text


def test_what_others_wrote_stays() -> None:
    """Rating and keywords of another program are kept under their names."""
    text = with_label(OTHERS, "hotdog").decode()
    assert 'xmp:Rating="4"' in text
    assert "<rdf:li>lunch</rdf:li><rdf:li>hotdog</rdf:li>" in text


def test_what_stands_outside_the_root_stays_there() -> None:
    """The packet's instructions and comments are kept, in their order."""
    lines = with_label(OTHERS, "hotdog").decode().splitlines()
    assert [BEGIN, "<!--of another program-->"] == lines[1:3]
    assert lines[3].startswith("<x:xmpmeta")
    assert ["</x:xmpmeta>", '<?xpacket end="w"?>'] == lines[-2:]


def test_another_label_replaces_that_of_seefood_alone() -> None:
    """A second label takes the place of the first; the same one changes nothing."""
    once = with_label(OTHERS, "hotdog")
    assert once == with_label(once, "hotdog")
    text = with_label(once, "salad").decode()
    assert "hotdog" not in text
    assert "lunch" in text


@pytest.mark.parametrize(
    "content", [b"no xml", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>']
)
def test_what_is_no_xmp_is_refused(content: bytes) -> None:
    """A damaged or dangerous sidecar is never rewritten."""
    with pytest.raises(JobError, match="sidecar"):
        with_label(content, "hotdog")


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
