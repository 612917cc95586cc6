"""One audit from its plan to its end: which pictures to ask about now, and what the answers say."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from seefood.audit.design import Look, Plan, make_plan
from seefood.audit.estimates import Estimates, Findings
from seefood.audit.population import Codes, Population

SEED_LIMIT: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Goal:
    """What an audit is to find out."""

    within: float
    """Half of the greatest length of the interval of the accuracy, a share."""
    confidence: float
    per_label: bool
    """Whether the precision of each label shall be known as well."""
    error: float
    """The wanted share of errors above the threshold."""
    seed: int


class Session:
    """The state of an audit: everything but the answers follows from the goal and the rows."""

    def __init__(self, population: Population, goal: Goal) -> None:
        self.population = population
        self.goal = goal
        alpha = 1 - goal.confidence
        errors = population.errors
        sets = range(len(population.sets)) if goal.per_label else [None]
        self.group = np.zeros(len(population), dtype=np.int64)
        plans: list[Plan] = []
        for code in sets:
            inside = population.said == code if code is not None else np.ones_like(self.group, bool)
            plan = make_plan(errors[inside], goal.within, alpha)
            self.group[inside] = 2 * len(plans) + (errors[inside] > plan.groups.cut)
            plans.append(plan)
        self.looks = _joined(plans)
        order = population.shuffled(goal.seed)
        self._members = [order[self.group[order] == each] for each in range(2 * len(plans))]
        self._rank = np.empty(len(order), dtype=np.int64)
        self._rank[order] = np.arange(len(order))

    def drawn(self, look: int) -> Codes:
        """Return the indices of the pictures of a look, those of earlier ones first.

        In a random order within what a look adds, so that the order tells nothing.
        """
        parts: list[Codes] = []
        before = (0,) * len(self._members)
        for each in self.looks[: look + 1]:
            new = np.concatenate(
                [
                    members[start:end]
                    for members, start, end in zip(self._members, before, each.drawn, strict=True)
                ]
            )
            parts.append(new[np.argsort(self._rank[new])])
            before = each.drawn
        return np.concatenate(parts)

    def probability(self, index: int, look: int) -> float:
        """Return with which probability a picture is among those of a look."""
        group = int(self.group[index])
        return self.looks[look].drawn[group] / len(self._members[group])

    def estimates(self, look: int, answers: Mapping[int, str]) -> Estimates:
        """Return what the answers to all pictures of a look say."""
        findings = self._findings(look, answers)
        return findings.estimates(self.goal.confidence, self.goal.error)

    def is_enough(self, look: int, answers: Mapping[int, str]) -> bool:
        """Whether the goal is reached with the answers to all pictures of a look."""
        if look == len(self.looks) - 1:
            return True
        findings = self._findings(look, answers)
        if self.goal.per_label:
            codes = range(len(self.population.sets))
            return all(findings.precision(code).half_length <= self.goal.within for code in codes)
        return findings.accuracy().half_length <= self.goal.within

    def play(self, say: Callable[[int], str]) -> tuple[int, dict[int, str]]:
        """Return the last look and all answers if `say` is asked."""
        answers: dict[int, str] = {}
        for look in range(len(self.looks)):
            for index in self.drawn(look)[len(answers) :]:
                answers[int(index)] = say(int(index))
            if self.is_enough(look, answers):
                break
        return look, answers

    def _findings(self, look: int, answers: Mapping[int, str]) -> Findings:
        asked = {int(index): answers[int(index)] for index in self.drawn(look)}
        return Findings(self.population, self.group, asked, self.looks[look].alpha)


def _joined(plans: list[Plan]) -> tuple[Look, ...]:
    """Return the looks of several plans as looks of all their groups together."""
    count = max(len(plan.looks) for plan in plans)
    looks = []
    for number in range(count):
        each = [plan.looks[min(number, len(plan.looks) - 1)] for plan in plans]
        drawn = tuple(value for look in each for value in look.drawn)
        looks.append(Look(drawn, min(look.alpha for look in each)))
    return tuple(looks)


def share(text: str) -> float:
    """Return `2%` or `0.02` as a share between 0 and 1. Raises `ValueError`."""
    value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not (math.isfinite(value) and 0 < value < 1):
        raise ValueError(text)
    return value
