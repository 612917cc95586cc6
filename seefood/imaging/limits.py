"""What one picture may ask for before it is refused: the safe defaults of every door."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may ask for before it is refused."""

    max_bytes: int = 100 * MIB
    max_pixels: int = 250_000_000
    """Width x height as the header states them."""
    max_decoded_pixels: int = 50_000_000
    """Width x height as they would lie in memory, after scaled decoding."""
    max_decode_bytes: int = 512 * MIB
    """What decoding may hold in memory, all pictures of a process together;
    `seefood.imaging.memory_estimate`
    estimates it from the header. A picture that would need more is refused, one that would need
    more than is free waits."""
    max_frames: int = 10_000
    """Of an animation or a file of many pages; only the first frame is decoded."""
    max_seconds: float = 30.0
    """For decoding and classifying one picture. Held where pictures are classified in a process of
    their own (`seefood.workers.supervisor`): a library that hangs cannot be stopped from inside."""


DEFAULT_LIMITS: Final = Limits()
