"""How a run of the command steers the steps of its pipeline, in any process."""

import logging
from dataclasses import dataclass

from seefood.errors import JobError
from seefood.results.ledger import Ledger, read_ledger
from seefood.results.totals import Totals, too_many_failed
from seefood.runs.progress import STOPPED, ProgressCounters
from seefood.runs.run_spec import RunSpec
from seefood_pipeline.coordination import StopFlag
from seefood_pipeline.restart_state import Earlier, read_before, read_earlier
from seefood_pipeline.worker_factory import run_counters

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunControl:
    """A run, and which result objects existed when it started."""

    run: RunSpec
    done_parts: tuple[str, ...] = ()
    """Their URIs. They are fixed at the start, so that a repeated listing makes the same chunks."""
    remote: bool = False
    """Whether launcher, lister and workers are different processes. The lister then reads the
    result objects' names from the store, because two million of them are too large to send."""

    @property
    def counters(self) -> ProgressCounters:
        """The run's counters in this process."""
        return run_counters(self.run.run_id)

    def stop_flag(self) -> StopFlag | None:
        """Return the flag by which the launcher stops remote workers; None in one process."""
        return StopFlag(self.run) if self.remote else None

    def must_stop(self, flag: StopFlag | None) -> bool:
        """Whether nothing more may be listed. Raises `JobError` if the user has stopped the run."""
        counters = self.counters
        if counters.stop_requested:
            raise JobError(STOPPED)
        limit = self.run.options.max_failure_ratio
        return too_many_failed(counters.rows, counters.failed, limit) or (
            flag is not None and flag.is_set()
        )

    def read_done(self) -> tuple[Ledger, Earlier]:
        """Return the pictures with rows of other runs, and what this run has written before.

        The second is empty in one process. Reads the result objects; raises `JobError`.
        """
        if not self.remote:
            return self._read_ledger(self.done_parts), Earlier(Ledger(()), Totals())
        before = read_before(self.run)
        earlier = read_earlier(self.run, before)
        if earlier.totals.rows:
            _log.warning("listing again: this run has written %s rows", f"{earlier.totals.rows:,}")
        done = () if self.run.options.force else tuple(sorted(uri for uri, _ in before))
        return self._read_ledger(done), earlier

    def _read_ledger(self, parts: tuple[str, ...]) -> Ledger:
        featured = None
        if self.run.options.classify.features and parts:
            from seefood.features.stored import read_feature_ledger  # noqa: PLC0415 (seldom needed)

            featured = read_feature_ledger(self.run.output, self.run.digest)
        return read_ledger(parts, featured)
