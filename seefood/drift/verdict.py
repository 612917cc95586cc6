"""Whether a run is like what was before it: what `summary.json` states as `drift`.

A run is compared with the last runs, if these have enough pictures. Otherwise, as for the first run
of a model, it is compared with the training pictures, and only where training pictures are like
those of a run. With earlier runs, the comparison with the training pictures is told and raises no
alarm: a source that differs from the training pictures differs from them every night.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from seefood.drift.accuracy import NOVELTY, AccuracyEstimate, estimate_accuracy, novel_count
from seefood.drift.changes import MIN_PICTURES, Change, Comparison, find_changes
from seefood.drift.fingerprint import SCORES, Fingerprint
from seefood.drift.reference import Reference
from seefood.drift.words import change_sentence

LAST_RUNS: Final = 7
"""A run is compared with at most so many runs before it."""
_FEW: Final = 0.01
"""Of the held-out pictures, those with lower scores count as unlike any, where there is no
novelty."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What has changed, and what follows from it."""

    alarm: bool = False
    reasons: Sequence[str] = ()
    """A sentence for each change that raises the alarm, the clearest first."""
    novel: int = 0
    """Pictures that resemble nothing in training."""
    accuracy: AccuracyEstimate | None = None
    since_training: Sequence[str] = ()
    """A sentence for each difference from the training pictures; no alarm by itself."""
    compared_with: Mapping[str, Any] = field(default_factory=dict)
    changes: Sequence[Change] = ()
    """What `reasons` say."""

    def as_json(self) -> dict[str, Any]:
        """Return what `summary.json` states as `drift`."""
        return {
            "alarm": self.alarm,
            "reasons": list(self.reasons),
            "novel": self.novel,
            "accuracy_estimate": None if self.accuracy is None else self.accuracy.as_json(),
            "since_training": list(self.since_training),
            "compared_with": dict(self.compared_with),
            "changes": [
                {
                    "name": change.name,
                    "edge": change.above,
                    "is_above": change.effect > 0,
                    "before": round(change.before.value, 4),
                    "now": round(change.now.value, 4),
                }
                for change in self.changes
            ],
        }


def judge(
    run: Fingerprint, earlier: Mapping[str, Fingerprint], reference: Reference | None
) -> Drift:
    """Return what has changed in `run`.

    `earlier` has the fingerprints of the last runs by their ids, and `reference` is the bundle's.
    Without either, nothing is found.
    """
    parts = list(earlier.values())
    pool = sum(parts, Fingerprint())
    is_enough = run.rows >= MIN_PICTURES
    has_runs = is_enough and pool.rows >= MIN_PICTURES
    by_runs = find_changes(run, Comparison(pool, parts)) if has_runs else []
    by_training: list[Change] = []
    trained = 0 if reference is None else reference.fingerprint.rows
    if reference is not None:
        how = Comparison(reference.fingerprint, is_training=True)
        by_training = find_changes(run, how)
    told = [change_sentence(change, "training") for change in by_training]
    last = f"the last {len(parts)} runs" if len(parts) > 1 else "the last run"
    reasons = [change_sentence(change, last) for change in by_runs] if has_runs else told
    return Drift(
        alarm=bool(reasons),
        reasons=reasons,
        novel=_novel(run, reference),
        accuracy=None if reference is None else estimate_accuracy(run, reference),
        since_training=told,
        compared_with={
            "runs": list(earlier),
            "pictures": pool.rows if has_runs else 0,
            "training_pictures": trained if is_enough and trained >= MIN_PICTURES else 0,
        },
        changes=by_runs if has_runs else by_training,
    )


def _novel(run: Fingerprint, reference: Reference | None) -> int:
    if run.numbers.get(NOVELTY):
        return novel_count(run)
    if reference is None:
        return 0
    count = 0
    for name, scores in run.numbers.items():
        known = reference.fingerprint.numbers.get(name, ()) if name.startswith(SCORES) else ()
        below = 0
        for now, then in zip(scores, known, strict=False):
            below += then
            if below > _FEW * sum(known):
                break
            count += now
    return count
