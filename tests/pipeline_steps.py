"""Calls the steps of the command's job one after another, without a runner."""

from collections.abc import Iterator

from apache_beam.pvalue import TaggedOutput

from seefood.records import ImageRef
from seefood.results.totals import Totals
from seefood_pipeline.run_control import RunControl
from seefood_pipeline.run_steps import ChunkDoFn, ListRunDoFn, SkipRunDoFn


def list_chunks(control: RunControl) -> Iterator[list[ImageRef] | Totals]:
    """Yield the chunks of a run as they are listed, then the `Totals` of the listing."""
    lister = ListRunDoFn(control)
    skip, chunk = SkipRunDoFn(control), ChunkDoFn(control.run.options.chunk)
    skip.start_bundle()
    chunk.start_bundle()
    totals = Totals()
    for item in lister.process(None):
        if isinstance(item, TaggedOutput):
            totals += item.value
            continue
        for ref in skip.process(item):
            yield from chunk.process(ref)
    totals += next(iter(skip.finish_bundle())).value.value
    for rest in chunk.finish_bundle():
        yield rest.value
    yield totals
