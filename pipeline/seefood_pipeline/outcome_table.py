"""Prints the outcome of a run on the terminal."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seefood.engines.devices import CPU
from seefood.runs.summary import rate_text, shown
from seefood.sanitize import printable
from seefood.units import beside

if TYPE_CHECKING:
    from seefood_pipeline.account import Outcome

_MAX_LABELS = 12


def print_outcome(outcome: "Outcome") -> None:
    """Print a run's counts as a table, and where the results and the report are."""
    summary = outcome.summary
    console = Console(highlight=False)
    if summary["rows"]:
        console.print(_counts(outcome))
    rate = f" ({rate_text(summary)} pictures/s)" if summary["rows"] else ""
    device = summary["model"]["device"]
    where = f" on {printable(device)}" if summary["rows"] and device != CPU else ""
    console.print(
        f"{summary['rows']:,} pictures in {summary['seconds']:.1f} s{rate}{where}, "
        f"{summary['skipped_by_ledger']:,} done before",
        soft_wrap=True,
    )
    if "quote" in summary and "receipt" in summary:
        console.print(beside(summary["quote"], summary["receipt"]), soft_wrap=True)
    for name, location in (("Results", outcome.results), ("Report", outcome.report)):
        if location is not None:
            console.print(Text(f"{name:<8} {printable(shown(location))}"), soft_wrap=True)


def _counts(outcome: "Outcome") -> Table:
    summary = outcome.summary
    table = Table(box=None, pad_edge=False)
    table.add_column("label")
    table.add_column("pictures", justify="right")
    table.add_column("share", justify="right")
    labels = list(summary["by_label"].items())
    rest = sum(count for _, count in labels[_MAX_LABELS:])
    counts = [*labels[:_MAX_LABELS], *([("other labels", rest)] if rest else [])]
    failures = [(f"failed: {code}", count) for code, count in summary["by_error_code"].items()]
    for name, count in [*counts, *failures]:
        table.add_row(Text(printable(name)), f"{count:,}", f"{count / summary['rows']:.1%}")
    unsure = summary["by_status"].get("unsure", 0)
    if unsure:
        table.add_row("of these unsure", f"{unsure:,}", f"{unsure / summary['rows']:.1%}")
    return table
