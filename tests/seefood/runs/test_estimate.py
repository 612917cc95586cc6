import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from seefood.bundle import load_bundle, set_knowledge
from seefood.classification import ClassifyOptions
from seefood.cli.plan import plan_command
from seefood.drift.novelty import NoveltySpace
from seefood.engines.fake import FakeEngine
from seefood.errors import UsageError
from seefood.imaging.decode import Pixels
from seefood.records import ImageRef
from seefood.results.ledger import Ledger, ledger_key
from seefood.runs.estimate import as_json, interval, measure, quote, survey
from seefood.runs.pricing import (
    Interval,
    Work,
    default_prices,
    load_prices,
    money,
    receipt,
)
from seefood.runs.run_spec import RunOptions
from seefood.units import duration, size
from seefood_pipeline.launcher import launch
from seefood_pipeline.prepare import read_quotes
from seefood_pipeline.request import Request
from tests.bundles import fake_bundle
from tests.fakes import MODEL, put_all
from tests.pictures import jpeg

_PRICES = {
    "name": "round",
    "date": "2026-01-01",
    "s3": {"get_per_1000": 1.0, "put_per_1000": 10.0, "list_per_1000": 100.0},
    "machine": {"name": "m", "vcpu_hour": 3.6},
    "fargate": {"vcpu_hour": 3.6, "gb_hour": 0.0, "start_seconds": 10},
    "fargate_spot": {"vcpu_hour": 0.36, "gb_hour": 0.0, "start_seconds": 10},
    "lambda": {"gb_second": 0.001, "per_million_requests": 1e6, "gb_per_vcpu": 2.0},
}
_WORK = Work(
    2000, {"list": 5, "get": 2000, "put": 8, "delete": 3}, Interval(0.005, 0.010, 0.020), 10**9
)


class SmallDevice(FakeEngine):
    """A device whose memory holds `room` pictures at a time."""

    device = "cuda"

    def __init__(self, room: int) -> None:
        self.sizes: list[int] = []

        def before(images: Pixels) -> None:
            self.sizes.append(len(images))
            if len(images) > room:
                raise MemoryError

        super().__init__(2, before=before)


def test_a_batch_that_does_not_fit_on_the_device_is_halved() -> None:
    """`plan` measures the largest that fits; what fails for one picture is raised."""
    engine = SmallDevice(32)
    assert measure((), engine, MODEL, ClassifyOptions(), 1).device_seconds > 0
    assert [128, 64, 32, 32] == engine.sizes
    with pytest.raises(MemoryError):
        measure((), SmallDevice(0), MODEL, ClassifyOptions(), 1)


def test_a_survey_counts_new_pictures() -> None:
    """Pictures in the ledger are counted apart; formats and bytes are of the others."""
    refs = [ImageRef(f"s3://b/{n}.JPG", f"e{n}", 10 * n) for n in range(10)]
    refs.append(ImageRef("s3://b/no.dot/plain", "x", 7))
    ledger = Ledger([ledger_key(ref.uri, ref.etag) for ref in refs[:4]])
    counts = survey(refs, ledger, 3)
    assert (11, 4, 7) == (counts.listed, counts.skipped, counts.new)
    assert (sum(10 * n for n in range(4, 10)) + 7, 90) == (counts.new_bytes, counts.largest_bytes)
    assert {"jpg": 6, "(none)": 1} == dict(counts.formats)


def test_a_sample_does_not_depend_on_order() -> None:
    """The same pictures are sampled whatever the order of the listing."""
    refs = [ImageRef(f"s3://b/{n}.jpg") for n in range(500)]
    there, back = survey(refs, Ledger([])), survey(reversed(refs), Ledger([]))
    assert there.sample == back.sample
    assert 64 == len(there.sample)


def test_an_interval_holds_the_mean_and_shrinks_with_the_sample() -> None:
    """It is resampled, and never narrower than the noise of the machine."""
    few, many = interval([0.01, 0.03] * 5), interval([0.01, 0.03] * 200)
    for result in (few, many):
        assert pytest.approx(0.02) == result.expected
        assert result.low < 0.02 < result.high
    assert many.high - many.low < few.high - few.low
    assert Interval(0.8, 1.0, 1.2) == interval([1.0, 1.0, 1.0])


def test_a_sample_of_all_pictures_leaves_no_chance() -> None:
    """Its interval is the machine's noise, and nearly equal values do not make it endless."""
    values = [0.0003, 0.0003 + 1e-12, 0.0009]
    found, mean = interval(values, 3), sum(values) / 3
    assert pytest.approx([0.8 * mean, 1.2 * mean]) == [found.low, found.high]
    assert interval(values).high < 1.0


_SHAPES: dict[str, Callable[[np.random.Generator, int], NDArray[np.float64]]] = {
    "equal": lambda draw, n: draw.uniform(0.0099, 0.0101, n),
    "web": lambda draw, n: draw.lognormal(-4.5, 0.4, n),
    "mixed sizes": lambda draw, n: draw.lognormal(-4.5, 0.9, n),
    "few camera pictures": lambda draw, n: np.where(draw.random(n) < 0.1, 0.05, 0.005),
    "half of them broken": lambda draw, n: np.where(draw.random(n) < 0.5, 0.0002, 0.01),
    "two machines' noise": lambda draw, n: draw.normal(0.01, 0.002, n).clip(0.001),
}


@pytest.mark.parametrize("pictures", [100, 2000])
@pytest.mark.parametrize("shape", _SHAPES)
def test_an_interval_holds_the_truth_of_a_run(shape: str, pictures: int) -> None:
    """Of many estimates from 64 pictures, at least 90 % contain the mean of all, 10 % slower."""
    inside = 0
    for seed in range(40):
        draw = np.random.default_rng(seed)
        seconds = _SHAPES[shape](draw, pictures)
        found = interval(
            list(draw.choice(seconds, min(64, pictures), replace=False)), pictures, seed
        )
        inside += found.low <= 1.1 * seconds.mean() <= found.high
    assert 36 <= inside


def test_requests_and_money_are_arithmetic() -> None:
    """Each price is a rate times the work, plus requests."""
    usd = money(_WORK, _PRICES)
    stored = 5 * 0.1 + 2000 * 0.001 + 8 * 0.01
    assert {"low": 2.59, "expected": 2.6, "high": 2.62} == usd["machine"]
    assert pytest.approx(stored + 4 * 0.001 * (10 + 20 / 4)) == usd["fargate"]["expected"]
    assert (
        pytest.approx(stored + 4 * 0.0001 * (10 + 20 / 4), rel=1e-3)
        == (usd["fargate_spot"]["expected"])
    )
    calls = 2000 * (1.0 + 0.001 + 0.01) + 2000 * 0.002 * (0.010 + 0.03)
    assert pytest.approx(calls, rel=1e-3) == usd["lambda"]["expected"]


def test_a_receipt_has_the_keys_of_a_quote() -> None:
    """A receipt has the same kinds of compute and the same table, with one number each."""
    given = receipt(_WORK, 12.34, _PRICES)
    assert 12.3 == given["seconds"]
    assert 20.0 == given["cpu_seconds"]
    assert money(_WORK, _PRICES).keys() == given["usd"].keys()
    assert {"name": "round", "date": "2026-01-01"} == given["prices"]


def test_the_built_in_table_is_dated_and_complete() -> None:
    """The table has the date of its prices."""
    prices = load_prices(default_prices())
    assert "2026" == str(prices["date"])[:4]
    assert (
        money(_WORK, prices)["fargate_spot"]["expected"]
        < (money(_WORK, prices)["fargate"]["expected"])
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"s3": {"get_per_1000": -1}}'])
def test_a_file_that_is_no_price_table_is_refused(text: str, tmp_path: Path) -> None:
    """The message names a table to copy from."""
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(UsageError, match=r"is no price table .* use .*prices"):
        load_prices(tmp_path / "p.json")


def test_a_sample_is_measured_by_the_real_code(memory: str) -> None:
    """The sample gives the failures and the seconds of the plan."""
    refs = put_all(memory, {"a.jpg": jpeg(), "b.jpg": jpeg(), "c.jpg": b"no picture"})
    counts = survey(refs, Ledger([]))
    measured = measure(counts.sample, FakeEngine(2), MODEL, ClassifyOptions(), 2)
    assert 3 == len(measured.rows)
    work, seconds = quote(counts, measured, 2, 512, writes=False)
    plan = as_json(counts, measured, work, seconds, _PRICES)
    assert {"not_an_image": 1} == plan["sample"]["failed"]
    assert plan["seconds"]["low"] <= plan["seconds"]["expected"] <= plan["seconds"]["high"]
    json.dumps(plan)


@pytest.mark.beam
def test_a_summary_has_the_quote_and_the_receipt(tmp_path: Path) -> None:
    """A run with a quote has both in its summary."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(jpeg())
    times = {"low": 1.0, "expected": 2.0, "high": 3.0}
    quote = {"due": 1, "seconds": times, "usd": {"machine": times}, "prices": {"name": "n"}}
    unasked = {"due": 5, "digest": "0" * 64}  # the quote of a variant that does not run
    (tmp_path / "quote.json").write_text(json.dumps({**quote, "more": 1, "fast": unasked}))
    request = Request(
        (str(tmp_path / "in"),),
        str(tmp_path / "out"),
        fake_bundle(tmp_path / "bundle").path,
        RunOptions(engine="fake"),
        report=False,
        quote=tmp_path / "quote.json",
    )
    summary = launch(request, "quiet").summary
    assert quote == summary["quote"]
    assert 5 == read_quotes(tmp_path / "quote.json")["0" * 64]["due"]
    assert {0} == set(summary["receipt"]["requests"].values())  # local files
    assert summary["receipt"]["cpu_seconds"] > 0


@pytest.mark.parametrize(("seconds", "words"), [(4.4, "4 s"), (200, "3.3 min"), (9000, "2.5 h")])
def test_durations_read_well(seconds: float, words: str) -> None:
    """A duration is shown with two digits and a unit."""
    assert words == duration(seconds)


_SIZES = [(12, "12 bytes"), (3.4e5, "340 kB"), (1.3e9, "1.3 GB")]


@pytest.mark.parametrize(("count", "words"), _SIZES)
def test_sizes_read_well(count: float, words: str) -> None:
    """A size is shown with two digits and a unit."""
    assert words == size(count)


def test_the_command_plans_and_writes_nothing(bundle_path: Path, tmp_path: Path) -> None:
    """It prints a table or JSON and does not create the output."""
    (tmp_path / "in").mkdir()
    for number in range(3):
        (tmp_path / "in" / f"{number}.jpg").write_bytes(jpeg())
    arguments = [
        str(tmp_path / "in"),
        "--model",
        str(bundle_path),
        "--output",
        str(tmp_path / "out"),
    ]
    table = CliRunner().invoke(plan_command, arguments, catch_exceptions=False).stdout
    assert "3 objects listed, 0 done before, 3 to classify" in table
    assert "AWS Batch on Fargate Spot" in table
    result = CliRunner().invoke(plan_command, [*arguments, "--json", "--include", "2*"])
    plan = json.loads(result.stdout)
    assert (1, {"jpg": 1}) == (plan["due"], plan["formats"])
    assert ["in"] == [path.name for path in tmp_path.iterdir()]


def test_a_bundle_that_rejects_the_unknown_is_planned(bundle_path: Path, tmp_path: Path) -> None:
    """With its features, as the run computes them."""
    bundle = load_bundle(shutil.copytree(bundle_path, tmp_path / "bundle"))
    assert bundle.features is not None
    mean = np.zeros(bundle.features.dimension, np.float32)
    space = NoveltySpace(mean, np.eye(1, len(mean), dtype=np.float32), 10.0)
    set_knowledge(bundle, None, space, 1.5)
    (tmp_path / "a.jpg").write_bytes(jpeg())
    arguments = [str(tmp_path / "a.jpg"), "--model", str(bundle.path), "--json"]
    result = CliRunner().invoke(plan_command, arguments, catch_exceptions=False)
    assert 1 == json.loads(result.stdout)["sample"]["pictures"]


def test_nothing_named_is_a_usage_error() -> None:
    """A plan needs a source or a manifest."""
    result = CliRunner().invoke(plan_command, [])
    assert isinstance(result.exception, UsageError)
