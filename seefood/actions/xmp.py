"""Keywords in an XMP sidecar, flat and hierarchical, as photo programs read and write them.

`dc:subject` holds flat keywords (XMP specification, part 1, Dublin Core), `lr:hierarchicalSubject`
hierarchies with `|` (Lightroom), `digiKam:TagsList` hierarchies with `/`. Everything that others
wrote stays.
"""

import io
import re
from collections.abc import Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from seefood.errors import JobError

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NAMES: Final = {
    "x": "adobe:ns:meta/",
    "rdf": _RDF,
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
}
_ROOT: Final = "seefood"
_EMPTY: Final = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    f'xmlns:rdf="{_RDF}"><rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
)
_LISTS: Final = (
    ("dc", "subject", "Bag", ""),
    ("lr", "hierarchicalSubject", "Bag", "|"),
    ("digiKam", "TagsList", "Seq", "/"),
)


def with_labels(sidecar: bytes | None, labels: Sequence[str]) -> bytes:
    """Return the sidecar with `labels` as keywords, below `seefood` in hierarchies.

    Earlier labels of seefood are replaced. Raises `JobError` if it is not XMP.
    """
    text = sidecar or _EMPTY.encode()
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise JobError("the sidecar declares entities, which XMP has not")
    for prefix, uri in _NAMES.items():
        ET.register_namespace(prefix, uri)
    try:
        for _, (prefix, uri) in ET.iterparse(io.BytesIO(text), events=("start-ns",)):  # noqa: S314
            if prefix and not re.fullmatch(r"ns\d+", prefix):
                ET.register_namespace(prefix, uri)
        builder = _Builder()
        tree = ET.fromstring(text, ET.XMLParser(target=builder))  # noqa: S314 (without entities, see above)
    except ET.ParseError as error:
        raise JobError(f"the sidecar is not XML ({error})") from error
    rdf = tree if tree.tag == f"{{{_RDF}}}RDF" else tree.find(f".//{{{_RDF}}}RDF")
    if rdf is None:
        raise JobError("the sidecar has no rdf:RDF")
    earlier = _earlier(rdf)
    for prefix, name, kind, separator in _LISTS:
        root = f"{_ROOT}{separator}" if separator else ""
        own = [f"{root}{label}" for label in labels]
        old = {f"{root}{each}" for each in earlier}
        _put(rdf, f"{{{_NAMES[prefix]}}}{name}", kind, own, old)
    whole = [*builder.before, tree, *builder.after]
    lines = [ET.tostring(each, encoding="unicode").rstrip() for each in whole]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *lines, ""]).encode()


class _Builder(ET.TreeBuilder):
    """Keeps the instructions and comments outside the root too, such as `<?xpacket begin=...?>`."""

    def __init__(self) -> None:
        super().__init__(insert_comments=True, insert_pis=True)
        self.before: list[ET.Element[Any]] = []
        self.after: list[ET.Element[Any]] = []
        self._depth = 0
        self._outside = self.before

    def start(self, tag: Any, attrs: Any) -> Any:
        self._depth += 1
        self._outside = self.after
        return super().start(tag, attrs)

    def end(self, tag: Any) -> Any:
        self._depth -= 1
        return super().end(tag)

    def pi(self, target: str, text: str | None = None) -> Any:
        if self._depth:
            return super().pi(target, text)
        self._outside.append(ET.ProcessingInstruction(target, text))
        return None

    def comment(self, text: str | None) -> Any:
        if self._depth:
            return super().comment(text)
        self._outside.append(ET.Comment(text))
        return None


def _earlier(rdf: "ET.Element") -> set[str]:
    """Return the labels that seefood gave before."""
    items = rdf.findall(f".//{{{_NAMES['lr']}}}hierarchicalSubject//{{{_RDF}}}li")
    texts = [item.text or "" for item in items]
    return {text.split("|", 1)[1] for text in texts if text.startswith(f"{_ROOT}|")}


def _put(rdf: "ET.Element", tag: str, kind: str, own: list[str], old: set[str]) -> None:
    found = rdf.find(f".//{tag}")
    if found is None:
        description = rdf.find(f"{{{_RDF}}}Description")
        if description is None:
            description = ET.SubElement(rdf, f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
        found = ET.SubElement(description, tag)
    items = next(iter(found), None)
    if items is None:
        items = ET.SubElement(found, f"{{{_RDF}}}{kind}")
    for item in list(items):
        if (item.text or "") in old - set(own):
            items.remove(item)
    present = {item.text for item in items}
    for keyword in own:
        if keyword not in present:
            ET.SubElement(items, f"{{{_RDF}}}li").text = keyword
