"""TFLite metadata: the labels in a zip behind the graph, the normalisation in a buffer of it.

The buffer is a flatbuffer of its own, whose tables are read by the numbers of their fields
(metadata_schema.fbs of the TFLite Support library).
"""

import struct
import zipfile
from pathlib import Path
from typing import Any, Final

_BUFFER: Final = b"TFLITE_METADATA"
_SUBGRAPHS: Final = 3
"""Field of ModelMetadata."""
_INPUTS: Final = 2
"""Field of SubGraphMetadata."""
_PROCESS_UNITS: Final = 4
"""Field of TensorMetadata."""
_KIND, _OPTIONS = 0, 1
"""Fields of ProcessUnit, a union."""
_NORMALISATION: Final = 1
_MEAN, _DEVIATION = 0, 1
"""Fields of NormalizationOptions."""
_NAMES: Final = {(127.5, 127.5): "-1..1", (0.0, 255.0): "0..1", (0.0, 1.0): "0..255"}
_MAX_BYTES: Final = 1 << 24


def read_labels(file: Path) -> tuple[str, ...]:
    """Return the lines of the first text file in the zip behind the graph; empty without one."""
    if not zipfile.is_zipfile(file):
        return ()
    try:
        with zipfile.ZipFile(file) as opened:
            for name in opened.namelist():
                if name.endswith(".txt") and opened.getinfo(name).file_size < _MAX_BYTES:
                    lines = opened.read(name).decode("utf-8").splitlines()
                    return tuple(line.strip() for line in lines if line.strip())
    except (zipfile.BadZipFile, OSError, UnicodeDecodeError, RuntimeError):
        pass
    return ()


def read_input_range(file: Path) -> str | None:
    """Return `(pixel - mean) / deviation` of the first input as `--input-range` has it, or None."""
    from ai_edge_litert import schema_py_generated as schema

    data = file.read_bytes()
    try:
        model = schema.Model.GetRootAs(data)
        for at in range(model.MetadataLength()):
            entry = model.Metadata(at)
            if entry.Name() == _BUFFER:
                buffer = model.Buffers(entry.Buffer()).DataAsNumpy()
                return _range(bytes(buffer))
    except (struct.error, ValueError, IndexError, TypeError, AttributeError):
        pass
    return None


def _range(metadata: bytes) -> str | None:
    from flatbuffers.table import Table

    root = Table(metadata, struct.unpack_from("<I", metadata)[0])
    for subgraph in _tables(root, _SUBGRAPHS)[:1]:
        for source in _tables(subgraph, _INPUTS)[:1]:
            for unit in _tables(source, _PROCESS_UNITS):
                kind, at = (unit.Offset(4 + 2 * each) for each in (_KIND, _OPTIONS))
                if kind and at and metadata[unit.Pos + kind] == _NORMALISATION:
                    options = Table(metadata, unit.Indirect(unit.Pos + at))
                    return _named(*(_floats(options, each) for each in (_MEAN, _DEVIATION)))
    return None


def _named(mean: tuple[float, ...], deviation: tuple[float, ...]) -> str | None:
    if not (mean and deviation and all(each > 0 for each in deviation)):
        return None
    if len(set(mean)) == len(set(deviation)) == 1 and (mean[0], deviation[0]) in _NAMES:
        return _NAMES[mean[0], deviation[0]]
    if max(map(abs, (*mean, *deviation))) <= 1:
        return None  # `--input-range` would take these for units of 0..1
    return "/".join(",".join(f"{each:.7g}" for each in values) for values in (mean, deviation))


def _tables(table: Any, field: int) -> list[Any]:
    """Return the tables in the vector `field` of `table`."""
    from flatbuffers.table import Table

    offset = table.Offset(4 + 2 * field)
    if not offset:
        return []
    start, count = table.Vector(offset), table.VectorLen(offset)
    return [Table(table.Bytes, table.Indirect(start + 4 * at)) for at in range(count)]


def _floats(table: Any, field: int) -> tuple[float, ...]:
    offset = table.Offset(4 + 2 * field)
    if not offset:
        return ()
    start, count = table.Vector(offset), table.VectorLen(offset)
    return struct.unpack_from(f"<{count}f", table.Bytes, start)
