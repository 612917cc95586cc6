"""How often the intervals of `seefood audit` hold, and how many answers they need.

    python -m benchmarks.audit [--audits 10000] [--rows DEST --truth FILE]

It makes populations of 20,000 pictures whose scores are calibrated or not, or takes the rows of an
output with a file of their right labels (`uri,label`). It plans one audit of each and repeats its
sample and its answers with other random numbers. Per population it prints:

- coverage: the share of audits whose interval of the accuracy contains the truth, at 95 %, with its
  own 95 % interval (Wilson 1927) for the number of audits;
- answers: their median, and those of a simple random sample whose size is chosen knowing the truth,
  so that its exact interval is just short enough. A real one needs more;
- bounds: the ratio that a large sample would need, with two groups at the best boundary and with as
  many groups as scores, allocated with the true probabilities of an error (Neyman 1934). Of
  calibrated scores only: others do not state those probabilities.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.audit.design import Plan, is_within, make_plan
from seefood.audit.exact import TOLERANCE, Ranking, Strata, count_interval
from seefood.audit.hypergeometric import Floats, Sampled
from seefood.audit.population import read_population
from seefood.audit.truth import read_truth
from seefood.storage.uris import parse_location

_MADE_SIZE: Final = 20_000
_WITHIN: Final = 0.02
_ALPHA: Final = 0.05
_SIMPLE_STEP: Final = 5


@dataclass(frozen=True, slots=True)
class Made:
    """A population: what its scores state, and what is true."""

    name: str
    errors: Floats
    """The probability of an error that the score of each picture states."""
    wrong: NDArray[np.bool_]
    is_calibrated: bool


_LIES: Final[dict[str, Callable[[Floats], Floats]]] = {
    "calibrated": lambda odds: odds,
    "too sure": lambda odds: 3 * odds,
    "too doubtful": lambda odds: odds / 3,
    "shuffled": lambda odds: np.random.default_rng(2).permutation(odds),
}
"""What the scores make of the true log-odds of a right label."""


def make(prevalence: float, sharpness: float, lie: str) -> Made:
    """Return a population of two labels with this share of the rarer one.

    The log-odds are normal with a variance of twice their mean `sharpness`, so that they state the
    truth before they are distorted.
    """
    rng = np.random.default_rng(7)
    is_first = rng.random(_MADE_SIZE) < prevalence
    odds = rng.normal(np.where(is_first, 1, -1) * sharpness, (2 * sharpness) ** 0.5)
    odds += np.log(prevalence / (1 - prevalence))
    wrong = (odds > 0) != is_first
    stated = np.abs(_LIES[lie](np.abs(odds)))
    return Made(f"{prevalence:.0%}, {lie}", 1 / (1 + np.exp(stated)), wrong, lie == "calibrated")


def labelled(rows: str, truth: str) -> Made:
    """Return the population of an output whose right labels are in a file."""
    population = read_population(parse_location(rows))
    right = read_truth(truth)
    said = [population.sets[code] for code in population.said]
    pairs = zip(population.uris, said, strict=True)
    wrong = np.array([label != right[uri] for uri, label in pairs])
    return Made("rows", population.errors, wrong, is_calibrated=True)


class Tables:
    """P-values of all findings at once, for totals that many audits of one plan test."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[Ranking, Floats]] = {}

    def p_value(self, strata: Strata, total: int) -> float:
        """Return what `seefood.audit.exact.p_value` does."""
        key = (total, *((item.size, item.drawn) for item in strata))
        found = self._known.get(key)
        if found is None:
            ranking = Ranking.of(strata, total)
            found = self._known[key] = ranking, _all_p_values(ranking)
        at = found[0].place(strata)
        return 0.0 if at is None else float(found[1][at])


def _all_p_values(ranking: Ranking) -> Floats:
    ratio = ranking.ratio.ravel()
    order = np.argsort(ratio)
    before = np.searchsorted(ratio[order], ratio[order] - TOLERANCE)
    least = np.full(ratio.size, np.inf)
    chances = ranking.chances
    for division in range(len(chances[0])):
        joint = chances[0][division]
        if len(chances) == 2:
            joint = np.outer(joint, chances[1][division]).ravel()
        sums = np.concatenate([[0.0], np.cumsum(joint[order])])
        np.minimum(least, sums[before], out=least)
    values = np.empty(ratio.size)
    values[order] = 1 - least
    return values.reshape(ranking.ratio.shape)


def audits(made: Made, plan: Plan, count: int) -> tuple[int, list[int]]:
    """Return of `count` audits how many intervals hold, and how many answers each needed."""
    rng = np.random.default_rng(5)
    unsure = made.errors > plan.groups.cut
    bad = int(made.wrong[~unsure].sum()), int(made.wrong[unsure].sum())
    running = [((0, 0), (0, 0))] * count
    held, answers = 0, list[int]()
    for look in plan.looks:
        test, known = Tables().p_value, dict[tuple[int, int], tuple[int, int]]()
        going_on = []
        for earlier, before in running:
            found = _more(earlier, before, look.drawn, (plan.groups.sizes, bad), rng)
            if found not in known:
                strata = plan.groups.strata(look.drawn, found)
                known[found] = count_interval(strata, look.alpha, test)
            low, high = known[found]
            if is_within(low, high, len(made.wrong), _WITHIN):
                held += low <= sum(bad) <= high
                answers.append(look.answers)
            else:
                going_on.append((found, (look.drawn[0], look.drawn[1])))
        running = going_on
        if not running:
            break
    return held, answers


def _more(
    found: tuple[int, int],
    before: tuple[int, int],
    drawn: Sequence[int],
    held: tuple[tuple[int, int], tuple[int, int]],
    rng: np.random.Generator,
) -> tuple[int, int]:
    """Return what is found with more answers; `held` are the groups' sizes and wrong pictures."""
    totals = []
    for group, (size, bad) in enumerate(zip(*held, strict=True)):
        more = drawn[group] - before[group]
        left = bad - found[group]
        rest = size - before[group] - left
        totals.append(found[group] + (int(rng.hypergeometric(left, rest, more)) if more else 0))
    return totals[0], totals[1]


def simple_answers(size: int, wrong: int) -> int:
    """Return how many answers a simple random sample needs whose size is chosen knowing the truth.

    It is the least whose exact interval is short enough if as many are wrong as is to be expected:
    fewer than a real one needs, which does not know the truth.
    """
    needed = 50
    while True:
        found = round(needed * wrong / size)
        if is_within(*count_interval([Sampled(size, needed, found)], _ALPHA), size, _WITHIN):
            return needed
        needed += _SIMPLE_STEP


def _wilson(held: int, trials: int) -> tuple[float, float]:
    share, z = held / trials, 1.959964
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * (share * (1 - share) / trials + (z / (2 * trials)) ** 2) ** 0.5
    half /= 1 + z * z / trials
    return middle - half, middle + half


def _line(made: Made, count: int) -> str:
    plan = make_plan(made.errors, _WITHIN, _ALPHA)
    simple = simple_answers(len(made.wrong), int(made.wrong.sum()))
    held, answers = audits(made, plan, count)
    low, high = _wilson(held, len(answers))
    median = float(np.median(answers))
    return (
        f"{made.name:<20} {1 - made.wrong.mean():>8.1%} {len(answers):>7,} "
        f"{held / len(answers):>8.1%}  {low:.1%} to {high:<7.1%} {median:>7.0f} {simple:>7} "
        f"{median / simple:>6.2f}  {_bounds(made.errors) if made.is_calibrated else ''}"
    )


def _bounds(errors: Floats) -> str:
    """Return the ratios of a large sample from two groups and from very many."""
    errors = np.sort(errors)
    mean, count = errors.mean(), len(errors)
    whole = mean * (1 - mean)
    many = np.sqrt(errors * (1 - errors)).mean() ** 2 / whole
    two = 1.0
    for cut in range(count // 100, count, max(1, count // 100)):
        parts = errors[:cut], errors[cut:]
        root = sum(len(part) / count * (part.mean() * (1 - part.mean())) ** 0.5 for part in parts)
        two = min(two, root**2 / whole)
    return f"{two:.2f}, {many:.2f}"


def main() -> None:
    """Print a line for each population."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--audits", type=int, default=10_000)
    parser.add_argument("--rows", metavar="DEST")
    parser.add_argument("--truth", metavar="FILE")
    options = parser.parse_args()
    print(
        f"{'population':<20} {'accuracy':>8} {'audits':>7} {'coverage':>8}  {'its interval':<16} "
        f"{'answers':>7} {'simple':>7} {'ratio':>6}  bounds",
        flush=True,
    )
    if options.rows:
        print(_line(labelled(options.rows, options.truth), options.audits))
        return
    for shape in ((0.01, 3.0), (0.1, 4.5), (0.5, 7.0)):
        for lie in _LIES:
            print(_line(make(*shape, lie), options.audits), flush=True)


if __name__ == "__main__":
    main()
