"""Decodes one picture and prints its peak memory and the estimate of it.

python -m tests.decode_peak FILE
"""

import resource
import sys
from pathlib import Path

from seefood.imaging.decode import ResizeRule, decode
from seefood.imaging.formats import open_image
from seefood.imaging.memory_estimate import decode_bytes
from tests.pictures import encoded, plain


def main() -> None:
    """Decode a small picture of the same format, then measure."""
    data = Path(sys.argv[1]).read_bytes()
    image, format_name = open_image(data)
    decode(encoded(plain(), format_name), ResizeRule(224, 224))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    decode(data, ResizeRule(224, 224, scaled_decode=None))
    taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(taken, decode_bytes(image, format_name, data, image.size))  # noqa: T201


if __name__ == "__main__":
    main()
