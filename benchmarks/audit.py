"""How often the intervals of `seefood audit` hold, and how many answers they need.

    python -m benchmarks.audit [--seconds 180]

It makes populations of 20,000 pictures whose scores are calibrated or not, plans one audit of each
and repeats its sample and its answers with other random numbers. Per population it prints:

- coverage: the share of audits whose interval of the accuracy contains the truth, at 95 %, with its
  own 95 % interval (Wilson 1927) for the number of audits;
- answers: their median, and those of a simple random sample whose size is chosen knowing the truth,
  so that its exact interval is just short enough. A real one needs more.

Each population has at most 10,000 audits. The seconds that are left are divided between those that
are still to come.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.audit.design import Plan, is_within, make_plan
from seefood.audit.exact import count_interval
from seefood.audit.hypergeometric import Floats, Sampled

_SIZE: Final = 20_000
_WITHIN: Final = 0.02
_ALPHA: Final = 0.05
_SIMPLE_STEP: Final = 5
_MAX_AUDITS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Made:
    """A population: what its scores state, and what is true."""

    name: str
    errors: Floats
    """The probability of an error that the score of each picture states."""
    wrong: NDArray[np.bool_]


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
    is_first = rng.random(_SIZE) < prevalence
    odds = rng.normal(np.where(is_first, 1, -1) * sharpness, (2 * sharpness) ** 0.5)
    odds += np.log(prevalence / (1 - prevalence))
    wrong = (odds > 0) != is_first
    stated = np.abs(_LIES[lie](np.abs(odds)))
    return Made(f"{prevalence:.0%}, {lie}", 1 / (1 + np.exp(stated)), wrong)


def audit(made: Made, plan: Plan, rng: np.random.Generator) -> tuple[bool, int]:
    """Return whether the interval of one audit holds, and how many answers it needed."""
    unsure = made.errors > plan.groups.cut
    bad = [int(made.wrong[~unsure].sum()), int(made.wrong[unsure].sum())]
    found, before = [0, 0], (0, 0)
    for look in plan.looks:
        for group in range(2):
            rest = plan.groups.sizes[group] - before[group]
            left = bad[group] - found[group]
            more = look.drawn[group] - before[group]
            found[group] += int(rng.hypergeometric(left, rest - left, more)) if more else 0
        before = (look.drawn[0], look.drawn[1])
        low, high = count_interval(plan.groups.strata(look.drawn, found), look.alpha)
        if is_within(low, high, _SIZE, _WITHIN):
            break
    return low <= sum(bad) <= high, look.answers


def simple_answers(wrong: int) -> int:
    """Return how many answers a simple random sample needs whose size is chosen knowing the truth.

    It is the least whose exact interval is short enough if as many are wrong as is to be expected:
    fewer than a real one needs, which does not know the truth.
    """
    needed = 50
    while True:
        found = round(needed * wrong / _SIZE)
        if is_within(*count_interval([Sampled(_SIZE, needed, found)], _ALPHA), _SIZE, _WITHIN):
            return needed
        needed += _SIMPLE_STEP


def _wilson(held: int, trials: int) -> tuple[float, float]:
    share, z = held / trials, 1.959964
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * (share * (1 - share) / trials + (z / (2 * trials)) ** 2) ** 0.5
    half /= 1 + z * z / trials
    return middle - half, middle + half


def _line(made: Made, seconds: float) -> str:
    plan = make_plan(made.errors, _WITHIN, _ALPHA)
    simple = simple_answers(int(made.wrong.sum()))
    rng = np.random.default_rng(5)
    held, answers = 0, list[int]()
    end = time.monotonic() + seconds
    while not answers or (len(answers) < _MAX_AUDITS and time.monotonic() < end):
        holds, count = audit(made, plan, rng)
        held += holds
        answers.append(count)
    low, high = _wilson(held, len(answers))
    median = float(np.median(answers))
    return (
        f"{made.name:<20} {1 - made.wrong.mean():>8.1%} {len(answers):>7,} "
        f"{held / len(answers):>8.1%}  {low:.1%} to {high:<7.1%} {median:>7.0f} {simple:>7} "
        f"{median / simple:>6.2f}"
    )


def main() -> None:
    """Print a line for each population."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=180.0)
    seconds = parser.parse_args().seconds
    shapes = [(0.01, 3.0), (0.1, 5.0), (0.5, 7.0)]
    print(
        f"{'population':<20} {'accuracy':>8} {'audits':>7} {'coverage':>8}  {'its interval':<16} "
        f"{'answers':>7} {'simple':>7} {'ratio':>6}"
    )
    end = time.monotonic() + seconds
    todo = [(*shape, lie) for shape in shapes for lie in _LIES]
    for at, population in enumerate(todo):
        left = (end - time.monotonic()) / (len(todo) - at)
        print(_line(make(*population), left), flush=True)


if __name__ == "__main__":
    main()
