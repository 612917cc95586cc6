"""What `seefood package` is asked for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seefood_training.packaging.answers import AnswerOptions
from seefood_training.packaging.pixels import PixelChoice

if TYPE_CHECKING:
    from seefood_training.packaging.calibration import Calibration


@dataclass(frozen=True, slots=True)
class PackageOptions:
    """The options of `seefood package`; None means to determine it from the model."""

    name: str
    labels: tuple[str, ...] | None = None
    pixels: PixelChoice = field(default_factory=PixelChoice)
    size: tuple[int, int] | None = None
    """Height and width."""
    signature: str | None = None
    answers: AnswerOptions = field(default_factory=AnswerOptions)
    examples: Path | None = None
    force: bool = False
    """Keep the best combination if none reproduces the examples."""
    onnx: bool = False
    """Whether to write an ONNX file too."""
    calibration: "Calibration | None" = None
    """The photos that the thresholds are chosen on."""
