"""Which exceptions of the libraries that run networks say that there is not enough memory."""

import re
from typing import Final

_CLASSES: Final = frozenset({"ResourceExhaustedError", "OutOfMemoryError"})
"""TensorFlow's; PyTorch's."""
_WORDS: Final = re.compile(
    r"out of memory|failed to allocate memory|RESOURCE_EXHAUSTED|ALLOC_FAILED|bad_alloc",
    re.IGNORECASE,
)
"""Of messages: CUDA's, ONNX Runtime's, XLA's, cuDNN's and cuBLAS's, C++'s."""


def is_out_of_memory(error: Exception) -> bool:
    """Whether an engine raised `error` for lack of memory, of the device or of the machine."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ in _CLASSES
        or _WORDS.search(str(error)) is not None
    )
