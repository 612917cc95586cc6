"""LiteRT files that people have: with metadata, without batches, of any size, with signatures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seefood.errors import UsageError
from seefood_training.packaging.forms.litert_metadata import read_input_range
from tests.training.model_forms import cast, litert, own_answers, saved, two_signatures
from tests.training.saved_models import SIZE, pack, predictions

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.slow,
    pytest.mark.usefixtures("uncollected_imports"),
]

LOGITS = {"input_range": "0..1", "output_kind": "logits", "filter": "nearest"}


def _with_metadata(model: bytes, mean: list[float], deviation: list[float]) -> bytes:
    """Return the file with NormalizationOptions, as the TFLite Support library writes them."""
    import flatbuffers  # noqa: PLC0415 (tests are collected without LiteRT, too)
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 (as above)

    builder = flatbuffers.Builder(0)

    def vector(size: int, items: list[Any], put: Callable[[Any], None]) -> int:
        builder.StartVector(size, len(items), size)
        for each in reversed(items):
            put(each)
        return int(builder.EndVector())

    def table(fields: int, slot: int, offset: int) -> int:
        builder.StartObject(fields)
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
        return int(builder.EndObject())

    floats = [vector(4, each, builder.PrependFloat32) for each in (mean, deviation)]
    builder.StartObject(2)
    for slot, offset in enumerate(floats):
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    options = builder.EndObject()
    builder.StartObject(2)
    builder.PrependUint8Slot(0, 1, 0)
    builder.PrependUOffsetTRelativeSlot(1, options, 0)
    unit = builder.EndObject()
    for fields, slot in ((7, 4), (6, 2), (8, 3)):  # a tensor, a subgraph, the model
        unit = table(fields, slot, vector(4, [unit], builder.PrependUOffsetTRelative))
    builder.Finish(unit, b"M001")
    known = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(bytes(builder.Output()), np.uint8)
    entry.name, entry.buffer = "TFLITE_METADATA", len(known.buffers)
    known.buffers.append(buffer)
    known.metadata = [*(known.metadata or ()), entry]
    builder = flatbuffers.Builder(0)
    builder.Finish(known.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize(
    ("mean", "deviation", "expected"),
    [
        ([0.0], [255.0], "0..1"),
        ([127.5], [127.5], "-1..1"),
        ([0.0] * 3, [1.0] * 3, "0..255"),
        ([124.0, 116.0, 103.5], [58.5, 57.0, 57.5], "124,116,103.5/58.5,57,57.5"),
        ([0.0], [0.0], None),
    ],
)
def test_metadata_tells_the_range(
    mean: list[float], deviation: list[float], expected: str | None, tmp_path: Path
) -> None:
    """The normalisation that a file states is read as `--input-range` has it."""
    import flatbuffers  # noqa: PLC0415 (as above)
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 (as above)

    empty, builder = schema.ModelT(), flatbuffers.Builder(0)
    empty.buffers = [schema.BufferT()]
    builder.Finish(empty.Pack(builder), b"TFL3")
    file = tmp_path / "m.tflite"
    file.write_bytes(_with_metadata(bytes(builder.Output()), mean, deviation))
    assert expected == read_input_range(file)


def test_metadata_is_used(tmp_path: Path) -> None:
    """Nothing has to be said of the range, and the answers are the author's."""
    file = litert()(tmp_path)
    file.write_bytes(_with_metadata(file.read_bytes(), [0.0], [255.0]))
    packaged = pack(file, tmp_path / "b", output_kind="logits", filter="nearest")
    assert "0..1" == packaged.pixels.range
    np.testing.assert_allclose(predictions(packaged, "auto"), own_answers()(), atol=2e-3)


def _converted(make: Callable[[Path], Path], folder: Path) -> Path:
    import tensorflow as tf  # noqa: PLC0415 (as above)

    converter = tf.lite.TFLiteConverter.from_saved_model(str(make(folder)))
    (folder / "m.tflite").write_bytes(converter.convert())
    return folder / "m.tflite"


@pytest.mark.parametrize(
    ("make", "options"),
    [
        pytest.param(saved(lambda x: x[None], shape=(SIZE, SIZE, 3)), {}, id="no batch"),
        pytest.param(saved(cast, shape=(1, None, None, 3)), {"size": (SIZE, SIZE)}, id="any size"),
    ],
)
def test_its_own_answers(
    make: Callable[[Path], Path], options: dict[str, Any], tmp_path: Path
) -> None:
    """The bundle answers as the file does."""
    packaged = pack(_converted(make, tmp_path), tmp_path / "b", **LOGITS, **options)
    np.testing.assert_allclose(predictions(packaged, "auto"), own_answers()(), atol=2e-3)


def test_signatures_that_differ(tmp_path: Path) -> None:
    """LiteRT would run the first without a word; the sentence says how to convert one."""
    with pytest.raises(UsageError, match=r"signatures .* say different things.*signature_keys"):
        pack(_converted(two_signatures, tmp_path), tmp_path / "b", **LOGITS)
