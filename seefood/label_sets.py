"""A picture's labels as one text, so that several compare, count and are stored as one does.

A model of one label a picture gives a set of one. The text of a set does not depend on the order
of its labels; that of a picture without any label is empty.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

_SEPARATOR: Final = "\x1f"
"""ASCII's unit separator, which no printable label has."""


def set_text(labels: Iterable[str]) -> str:
    """Return the text of a set of labels."""
    return _SEPARATOR.join(sorted(set(labels)))


def set_labels(text: str) -> tuple[str, ...]:
    """Return the labels of `set_text`, sorted."""
    return tuple(text.split(_SEPARATOR)) if text else ()


def shown_set(text: str) -> str:
    """Return the text of a set as a person reads it."""
    return " + ".join(set_labels(text)) or "(no label)"


def is_several(text: str) -> bool:
    """Whether only a model of several labels says this: not one label, but more, or none."""
    return not text or _SEPARATOR in text


def set_column(batch: "pa.RecordBatch") -> "pa.Array":
    """Return the text of each row's labels, dictionary-encoded; null for a picture that failed.

    The batch needs `label` and `labels`. Of rows with `labels` null, which are those of models of
    one label, it is `label`.
    """
    import pyarrow as pa  # noqa: PLC0415 (100 ms)
    import pyarrow.compute as pc  # noqa: PLC0415

    single, several = batch["label"], batch["labels"]
    if several.null_count == len(several):
        return single if hasattr(single, "dictionary") else single.dictionary_encode()
    if hasattr(single, "dictionary"):
        single = single.cast(single.type.value_type)
    lists = several.cast(pa.list_(pa.string()))
    texts = pc.coalesce(pc.binary_join(lists, _SEPARATOR), single.cast(pa.string()))
    encoded = texts.dictionary_encode()
    sets = [set_text(set_labels(text)) for text in encoded.dictionary.to_pylist()]
    indices = encoded.indices.cast(pa.int32())
    known = sorted(set(sets))
    codes = {text: code for code, text in enumerate(known)}
    places = pa.array([codes[text] for text in sets], pa.int32())
    return pa.DictionaryArray.from_arrays(places.take(indices), pa.array(known, pa.string()))
