"""Evaluates the template's alarms over given metrics, as CloudWatch documents it.

Times are in seconds. CloudWatch's documents do not say what `FILL` makes of a metric without data:
both readings can be chosen: a test that holds for both does not depend on it.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Name = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions."""

_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}
_STATISTICS: Final[dict[str, Callable[[list[float]], float]]] = {"Sum": sum, "Maximum": max}
_OPERATORS: Final[dict[str, Callable[[float, float], float]]] = {
    "Add": operator.add,
    "Div": operator.truediv,
    "Gt": operator.gt,
    "GtE": operator.ge,
}


@dataclass(frozen=True)
class Metrics:
    """Data points: time in seconds and value, by the metric's name."""

    points: dict[Name, list[tuple[float, float]]] = field(default_factory=dict)
    fills_absent: bool = True
    """Whether FILL makes values for a metric without any data."""

    def put(self, name: Name, time: float, value: float) -> None:
        """Add a data point."""
        self.points.setdefault(name, []).append((time, value))

    def put_log(self, lines: Iterable[Mapping[str, Any]], time: float) -> None:
        """Add what CloudWatch reads from log lines in the embedded metric format."""
        for line in lines:
            for block in line.get("_aws", {}).get("CloudWatchMetrics", ()):
                for names in block["Dimensions"]:
                    dimensions = frozenset((name, line[name]) for name in names)
                    for metric in block["Metrics"]:
                        values = line[metric["Name"]]
                        for value in values if isinstance(values, list) else [values]:
                            name = (block["Namespace"], metric["Name"], dimensions)
                            self.put(name, time, value)

    def statistic(self, name: Name, kind: str, start: float, end: float) -> float | None:
        """Return a statistic of one period; None without data."""
        values = [value for time, value in self.points.get(name, ()) if start <= time < end]
        return _STATISTICS[kind](values) if values else None


def name_of(metric: Mapping[str, Any]) -> Name:
    """Return the name of a metric in an alarm."""
    dimensions = frozenset((one["Name"], one["Value"]) for one in metric.get("Dimensions", ()))
    return metric["Namespace"], metric["MetricName"], dimensions


def state(alarm: Mapping[str, Any], metrics: Metrics, now: float) -> str:
    """Return `OK` or `ALARM`: the state of an alarm with these properties at `now`."""
    treatment = {"breaching": True, "notBreaching": False}[alarm["TreatMissingData"]]
    compare = _COMPARISONS[alarm["ComparisonOperator"]]
    period = _period(alarm)
    last = now // period * period
    breaches = 0
    for number in range(int(alarm["EvaluationPeriods"])):
        end = last - number * period
        value = _value(alarm, metrics, end - period, end)
        is_breach = treatment if value is None else compare(value, float(alarm["Threshold"]))
        breaches += is_breach
    needed = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    return "ALARM" if breaches >= int(needed) else "OK"


def _period(alarm: Mapping[str, Any]) -> int:
    if "Period" in alarm:
        return int(alarm["Period"])
    (period,) = {one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one}
    return int(period)


def _value(alarm: Mapping[str, Any], metrics: Metrics, start: float, end: float) -> float | None:
    if "Metrics" not in alarm:
        return metrics.statistic(name_of(alarm), alarm["Statistic"], start, end)
    values: dict[str, float | None] = {}
    absent = set()
    for one in alarm["Metrics"]:
        if "MetricStat" in one:
            name, kind = name_of(one["MetricStat"]["Metric"]), one["MetricStat"]["Stat"]
            values[one["Id"]] = metrics.statistic(name, kind, start, end)
            if name not in metrics.points:
                absent.add(one["Id"])
    (expression,) = [one["Expression"] for one in alarm["Metrics"] if one["ReturnData"]]
    kept = frozenset() if metrics.fills_absent else frozenset(absent)
    return _evaluate(ast.parse(expression, mode="eval").body, values, kept)


def _evaluate(
    node: ast.expr, values: Mapping[str, float | None], unfilled: frozenset[str]
) -> float | None:
    """Return the value of an expression; None if an operand has none."""
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]  # (a number)
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "FILL":
            (filled, otherwise) = node.args
            assert isinstance(filled, ast.Name)
            found = values[filled.id]
            if found is not None or filled.id in unfilled:
                return found
            return _evaluate(otherwise, values, unfilled)
        assert "IF" == node.func.id
        condition = _evaluate(node.args[0], values, unfilled)
        if condition is None:
            return None
        return _evaluate(node.args[1 if condition else 2], values, unfilled)
    sides: tuple[ast.expr, ast.expr]
    if isinstance(node, ast.Compare):
        sides, sign = (node.left, node.comparators[0]), type(node.ops[0]).__name__
    else:
        assert isinstance(node, ast.BinOp)
        sides, sign = (node.left, node.right), type(node.op).__name__
    left, right = (_evaluate(one, values, unfilled) for one in sides)
    if left is None or right is None:
        return None
    return float(_OPERATORS[sign](left, right))
