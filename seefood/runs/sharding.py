"""Shards: several machines share one job without communicating.

Each machine lists the same sources and keeps the pictures whose URI hashes to its shard. A picture
is in exactly one shard, and in the same one on every run, whatever the order of the listing.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from seefood.errors import UsageError
from seefood.records import ImageRef

BATCH_ARRAY: Final = "batch"
_INDEX: Final = "AWS_BATCH_JOB_ARRAY_INDEX"
_SIZE: Final = "AWS_BATCH_JOB_ARRAY_SIZE"


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` equal parts of all URIs; `index` counts from 0."""

    index: int
    count: int

    def __contains__(self, ref: ImageRef) -> bool:
        """Whether `ref` is in this shard; the same for every version of the object."""
        key = hashlib.blake2b(ref.uri.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(key, "big") % self.count == self.index


def parse_shard(text: str, environment: Mapping[str, str]) -> Shard | None:
    """Return the shard that `text` names: `I/N`, or `batch` for the shard that AWS Batch assigns.

    `batch` outside an array job is None, which is all pictures, so that one command line works for
    a job and for an array of jobs. Raises `UsageError` for anything else.
    """
    if text == BATCH_ARRAY:
        if _INDEX not in environment:
            return None
        text = f"{environment[_INDEX]}/{environment.get(_SIZE, '')}"
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not int(match[1]) < int(match[2]):
        raise UsageError(
            f"{text!r} names no shard; `--shard` takes I/N with I from 0 to N-1, such as 0/4, "
            f"or `{BATCH_ARRAY}` inside an AWS Batch array job"
        )
    return Shard(int(match[1]), int(match[2]))
