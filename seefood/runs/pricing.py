"""Prices of a run, from measured seconds: the quote before it and the receipt after it.

`seefood/prices` has dated price tables; a user may name another file of the same form. Prices are
list prices without free tiers or discounts. A vCPU is assumed to be as fast as a core of the
machine that measured; the intervals do not cover the difference between the two.
"""

import json
import math
import resource
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from seefood.errors import UsageError

LIST_PAGE: Final = 1000
_PRICED_AS: Final = {"list": "list", "get": "get", "head": "get", "put": "put", "post": "put"}
_PREVIEWS: Final = 80
"""Pictures that the report reads again, at most."""
_REPORT_READS: Final = 2
"""How often the report reads each result object."""
_LISTS: Final = 1
_OUTPUT_LISTS: Final = 6
_OUTPUT_GETS: Final = 2
_OUTPUT_PUTS: Final = 4
_HOUR: Final = 3600.0
_GB: Final = 1024.0**3
_FARGATE_VCPUS: Final = 4
_FARGATE_MIN_GB: Final = 8
_LAMBDA_GET_SECONDS: Final = 0.03
"""How long a Lambda waits for its one object."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    low: float
    expected: float
    high: float

    def times(self, factor: float, plus: float = 0.0) -> "Interval":
        """Return the interval of `value * factor + plus`; `factor` is not negative."""
        return Interval(*(value * factor + plus for value in (self.low, self.expected, self.high)))

    def as_json(self) -> dict[str, float]:
        """Return the three values, in four digits."""
        return {name: float(f"{value:.4g}") for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Work:
    """The work of a run, planned or finished."""

    pictures: int
    requests: Mapping[str, int]
    """To the store, by the methods of `seefood.storage.request_counts`; empty for local files."""
    cpu_seconds: Interval
    """Per picture."""
    memory_bytes: int
    """Of one process."""


def default_prices() -> Path:
    """Return the newest built-in price table."""
    return max((Path(__file__).parents[1] / "prices").glob("*.json"))


def load_prices(path: Path) -> dict[str, Any]:
    """Return a price table. Raises `UsageError` if the file is not one."""
    try:
        prices: dict[str, Any] = json.loads(path.read_bytes())
        for kind in ("s3", "machine", "fargate", "fargate_spot", "lambda"):
            if not all(float(v) >= 0 for k, v in prices[kind].items() if k != "name"):
                raise ValueError(f"{kind} has a price below zero")
        _ = prices["name"], prices["date"]
        money(Work(1, {"get": 1}, Interval(1.0, 1.0, 1.0), 1), prices)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UsageError(
            f"{path} is no price table ({error}); use {default_prices()} as an example"
        ) from error
    return prices


def expected_requests(
    *, listed: int, pictures: int, rows: int, chunk_pictures: int, writes: bool
) -> dict[str, int]:
    """Return how many requests a bulk job sends to the store.

    `listed` and `pictures` are those in buckets: the objects that are listed and read. `rows` are
    all that are written, to a bucket if `writes` is true. The constants are what a run of each kind
    was counted to need beside (tests/end_to_end/test_request_counts.py compares).
    """
    parts = math.ceil(rows / chunk_pictures) if writes else 0
    previews = min(_PREVIEWS, math.ceil(0.55 * pictures))
    return {
        "list": (math.ceil(listed / LIST_PAGE) + _LISTS if listed else 0)
        + (_OUTPUT_LISTS if writes else 0),
        "get": pictures + previews + _REPORT_READS * parts + (_OUTPUT_GETS if writes else 0),
        "put": parts + (_OUTPUT_PUTS if writes else 0),
    }


def requests_usd(counts: Mapping[str, int], prices: Mapping[str, Any]) -> float:
    """Return the price of requests; deletions are free."""
    s3 = prices["s3"]
    return sum(
        times * float(s3[f"{_PRICED_AS[method]}_per_1000"]) / 1000
        for method, times in counts.items()
        if method in _PRICED_AS
    )


def machine_usd(work: Work, prices: Mapping[str, Any]) -> Interval:
    """Return the price of the work on a machine billed by the second, with requests."""
    hourly = float(prices["machine"]["vcpu_hour"]) / _HOUR
    return work.cpu_seconds.times(work.pictures * hourly, requests_usd(work.requests, prices))


def fargate_usd(work: Work, prices: Mapping[str, Any], kind: str) -> Interval:
    """Return the price of the work as one AWS Batch job on Fargate of 4 vCPU."""
    table = prices[kind]
    memory = max(_FARGATE_MIN_GB, math.ceil(1.5 * work.memory_bytes / _GB))
    hourly = _FARGATE_VCPUS * float(table["vcpu_hour"]) + memory * float(table["gb_hour"])
    seconds = work.cpu_seconds.times(work.pictures / _FARGATE_VCPUS, float(table["start_seconds"]))
    return seconds.times(hourly / _HOUR, requests_usd(work.requests, prices))


def lambda_usd(work: Work, prices: Mapping[str, Any]) -> Interval:
    """Return the price of the work as one Lambda call a picture, at one vCPU, warm."""
    table = prices["lambda"]
    gb_second = float(table["gb_per_vcpu"]) * float(table["gb_second"])
    counts = {"get": work.pictures, "put": work.pictures}
    calls = work.pictures * float(table["per_million_requests"]) / 1e6
    fetching = work.pictures * _LAMBDA_GET_SECONDS * gb_second
    fixed = requests_usd(counts, prices) + calls + fetching
    return work.cpu_seconds.times(work.pictures * gb_second, fixed)


def money(work: Work, prices: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the price of the work for each kind of compute, in the table's currency."""
    return {
        "machine": machine_usd(work, prices).as_json(),
        "fargate": fargate_usd(work, prices, "fargate").as_json(),
        "fargate_spot": fargate_usd(work, prices, "fargate_spot").as_json(),
        "lambda": lambda_usd(work, prices).as_json(),
    }


def receipt(work: Work, seconds: float, prices: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a finished run took and cost, with the same keys as a quote."""
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(work.cpu_seconds.expected * work.pictures, 1),
        "memory_bytes": work.memory_bytes,
        "requests": dict(work.requests),
        "usd": {name: value["expected"] for name, value in money(work, prices).items()},
        "prices": {"name": prices["name"], "date": prices["date"]},
    }


def peak_memory_bytes() -> int:
    """Return the peak memory of this process plus that of its largest ended child."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    peak = sum(usage.ru_maxrss for usage in usages)
    return int(peak if sys.platform == "darwin" else peak * 1024)
