"""Shards: how several machines share one job without talking to one another.

Each machine lists the same sources and keeps what falls to it by a hash of the URI. So a shard is
the same on every night and on every machine, whatever the order of the listing, and a picture
belongs to exactly one.
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
        """Whether `ref` falls to this shard; the same answer for every version of the object."""
        key = hashlib.blake2b(ref.uri.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(key, "big") % self.count == self.index


def parse_shard(text: str, environment: Mapping[str, str]) -> Shard | None:
    """Return the shard that `text` names: `I/N`, or `batch` for what AWS Batch says of this job.

    `batch` outside an array job is None, which means everything, so one command line serves a job
    and an array of jobs. Raises `UsageError` for anything else.
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
