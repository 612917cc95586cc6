"""One run of the batch job as a value.

The launcher builds it once; the lease, the lister, the workers and the summary all take it. It is
small whatever the number of pictures, so that Beam can send it to workers on other machines.
"""

from dataclasses import dataclass, field

from seefood.classification import ClassifyOptions
from seefood.runs.run_files import run_folder
from seefood.runs.sharding import Shard
from seefood.sources.base import Source
from seefood.sources.filters import Selection
from seefood.storage.uris import Location


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """A chunk is full when it reaches either limit."""

    pictures: int = 512
    size_bytes: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a user chooses about a run besides its pictures, its model and its output."""

    engine: str = "auto"
    file_format: str = "parquet"
    """Of the result objects; a name in `seefood.results.formats`."""
    classify: ClassifyOptions = field(default_factory=ClassifyOptions)
    chunk: ChunkSize = field(default_factory=ChunkSize)
    selection: Selection = field(default_factory=Selection)
    limit: int | None = None
    """Take only this many of the listed objects; counted before the shard is applied."""
    max_failure_ratio: float = 1.0
    """Stop once a larger share of the pictures has failed."""
    force: bool = False
    """Classify pictures again that have a row already."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What one run reads, which model it uses and what it writes."""

    output: Location
    digest: str
    """Of the model; the run writes this model's rows only."""
    run_id: str
    """`<UTC time>-<random>`, the name of the run's folder."""
    shard: Shard | None = None
    """The part of the listed pictures that this run classifies; None is all of them."""
    sources: tuple[Source, ...] = ()
    bundle: str = ""
    """The model bundle's folder, on each machine that classifies."""
    options: RunOptions = field(default_factory=RunOptions)

    @property
    def folder(self) -> Location:
        """The folder of the run's summary and report."""
        return run_folder(self.output, self.run_id)

    @property
    def scope(self) -> str:
        """The shard as part of a name: `all` or `0-of-4`."""
        return "all" if self.shard is None else f"{self.shard.index}-of-{self.shard.count}"
