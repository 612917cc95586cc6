"""Simulates nights from classified pictures: false alarms and power of `seefood.drift`.

    python -m benchmarks.drift USUAL FOREIGN COMPRESSED TURNED

Each is an output of `seefood classify`: of the usual pictures, of foreign ones, of the usual ones
at JPEG quality 20, and of the usual ones turned by 90 degrees. Nights are drawn with replacement.
"""

import random
import sys
from collections.abc import Sequence
from typing import Final

from seefood.drift.fingerprint import Fingerprint, fingerprint_rows
from seefood.drift.verdict import LAST_RUNS, judge
from seefood.records import Row
from seefood.results.files import read_rows
from seefood.storage.uris import parse_location

_PICTURES: Final = 2000
_NIGHTS: Final = 200
_TRIALS: Final = 100


def main(outputs: Sequence[str]) -> None:
    """Print how many of the nights raise an alarm."""
    usual, foreign, compressed, turned = (list(read_rows(parse_location(each))) for each in outputs)
    chance = random.Random(0)

    def night(other: Sequence[Row], share: float) -> Fingerprint:
        count = round(share * _PICTURES)
        rows = [*chance.choices(usual, k=_PICTURES - count), *chance.choices(other, k=count)]
        return fingerprint_rows(rows)

    earlier: dict[str, Fingerprint] = {}
    false_alarms = 0
    for number in range(_NIGHTS):
        run = night((usual[0],), 0.0)
        false_alarms += judge(run, earlier, None).alarm
        earlier = dict([*earlier.items(), (str(number), run)][-LAST_RUNS:])
    print(f"usual nights: {false_alarms} alarms in {_NIGHTS}")
    for name, rows, share in (
        ("3 % foreign pictures", foreign, 0.03),
        ("JPEG quality 20", compressed, 1.0),
        ("a turn of 10 %", turned, 0.1),
    ):
        found = sum(judge(night(rows, share), earlier, None).alarm for _ in range(_TRIALS))
        print(f"{name}: found in {found} of {_TRIALS} first nights")


if __name__ == "__main__":
    main(sys.argv[1:])
