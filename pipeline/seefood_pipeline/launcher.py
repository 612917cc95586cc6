"""Runs the batch job: prepare, execute, account."""

from secrets import token_hex

from seefood.runs.progress import Style
from seefood_pipeline.account import Outcome, Started, account
from seefood_pipeline.execute import execute
from seefood_pipeline.prepare import prepare
from seefood_pipeline.request import Request


def launch(request: Request, style: Style = "auto") -> Outcome:
    """Classify the pictures of `request` and return the outcome.

    `style` is how progress is shown on stderr. Raises `UsageError` before any work and `JobError`
    after it has begun; rows that were written stay, and the same request continues from there.
    """
    started = Started()
    prepared = prepare(request, f"{started.at:%Y%m%dT%H%M%SZ}-{token_hex(3)}")
    result = execute(prepared, request.beam_arguments, style)
    return account(request, prepared, result, started)
