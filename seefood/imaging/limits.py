"""The limits of one picture. The defaults are safe for untrusted uploads."""

from dataclasses import dataclass
from typing import Final

from seefood.errors import UsageError
from seefood.sanitize import shown

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding one picture may cost; a picture above any limit fails."""

    max_bytes: int = 100 * MIB
    max_pixels: int = 250_000_000
    """Width x height as stated in the header."""
    max_decoded_pixels: int = 50_000_000
    """Width x height in memory, after scaled decoding."""
    max_decode_bytes: int = 512 * MIB
    """Memory for decoding, all pictures of a process together, as estimated from their headers by
    `seefood.imaging.memory_estimate`. A picture that needs more than this fails; one that needs
    more than is free waits."""
    max_frames: int = 10_000
    """Of an animation or a file with several pages; only the first frame is decoded."""
    max_seconds: float = 30.0
    """For decoding and classifying one picture. Applies only where pictures are classified in a
    separate process (`seefood.workers.supervisor`): a library that hangs cannot be interrupted from
    within its process."""

    def __post_init__(self) -> None:
        """Raise `UsageError` for a limit that is no number above 0."""
        for name in self.__slots__:
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not value > 0:
                raise UsageError(f"the limit {name} is {shown(value)}; it is a number above 0")


DEFAULT_LIMITS: Final = Limits()
