"""ONNX Runtime, imported with its telemetry off.

Its wheels send events about their use to Microsoft, unless `ORT_DISABLE_TELEMETRY` is set before
the library is loaded (its Privacy.md). Every module of seefood imports it from here. A value that
the user has set stays.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort  # noqa: TID251 (see above)

__all__ = ["ort"]
