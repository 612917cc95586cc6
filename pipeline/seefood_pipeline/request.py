"""The argument of `seefood_pipeline.launcher.launch`."""

from dataclasses import dataclass, field
from pathlib import Path

from seefood.runs.run_spec import RunOptions
from seefood.runs.sharding import Shard
from seefood.sources.base import Source


@dataclass(frozen=True, slots=True)
class Request:
    """A run as the user gives it, before anything in it is checked."""

    sources: tuple[str | Source, ...]
    """A text is what the command line takes: a path, a URI or a glob."""
    output: str
    bundle: Path
    options: RunOptions = field(default_factory=RunOptions)
    digest: str | None = None
    """The digest that the model must have, as `load_bundle` takes it; None accepts any model."""
    shard: Shard | None = None
    quote: Path | None = None
    """The output of `seefood plan --json`, to compare with the receipt."""
    report: bool = True
    beam_arguments: tuple[str, ...] = ()
