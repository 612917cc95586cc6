"""The number formats of a bundle's weights. Imports neither NumPy nor TensorFlow."""

from typing import Final, Literal, get_args

Quantisation = Literal["float32", "float16", "int8"]
QUANTISATIONS: Final[tuple[Quantisation, ...]] = get_args(Quantisation)
