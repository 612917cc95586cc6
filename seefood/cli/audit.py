"""`seefood audit`: how right the labels are, from as few blind answers as possible."""

import json
from typing import TYPE_CHECKING, Any

import click

from seefood.cli.page_options import page_options, serve_page
from seefood.cli.profile_options import profile_option
from seefood.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seefood.audit.population import Population
    from seefood.audit.session import Goal
    from seefood.storage.uris import Location


class _Share(click.ParamType[float]):
    """`2%` or `0.02`."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the share, between 0 and 1."""
        from seefood.audit.session import share

        try:
            return value if isinstance(value, float) else share(str(value))
        except ValueError:
            self.fail(f"{value!r} is no share; write 2% or 0.02", param, ctx)


@click.command("audit")
@click.argument("dest")
@profile_option
@click.option(
    "--within",
    type=_Share(),
    default="2%",
    show_default=True,
    help="Stop when the accuracy is known within this much to either side.",
)
@click.option(
    "--confidence",
    type=_Share(),
    default="95%",
    show_default=True,
    help="How often an interval must hold.",
)
@click.option("--per-label", is_flag=True, help="Know the precision of each label as well.")
@click.option(
    "--error",
    type=_Share(),
    default="2%",
    show_default=True,
    help="Name the score above which at most this share is wrong.",
)
@click.option("--model-digest", metavar="DIGEST", help="Which model, if several wrote to DEST.")
@page_options
@click.option("--new", "begin_new", is_flag=True, help="Begin another audit.")
@click.option(
    "--simulate",
    metavar="TRUTH.csv",
    help="Take the answers from a file with the columns uri and label; writes nothing.",
)
@click.option(
    "--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Which sample is drawn."
)
@click.option("--json", "as_json", is_flag=True, help="Print the estimates as JSON.")
def audit_command(*, dest: str, as_json: bool, **options: Any) -> None:
    """Ask for the right labels of a few pictures, and say how right all labels below DEST are.

    The page shows one picture after another without what the model said. The pictures are a random
    sample, more of them where the scores are low. The answers are kept as corrections, and the
    same command goes on where it was stopped. docs/audit.md has the method.

    \b
    Examples:
      seefood audit results --within 2%
      seefood audit s3://labels/2026 --within 1% --confidence 99% --per-label
      seefood audit results --simulate truth.csv --seed 1 --json
    """  # noqa: D301 (click's mark against re-wrapping)
    from secrets import randbelow

    from seefood.audit.population import read_population
    from seefood.audit.session import SEED_LIMIT, Goal
    from seefood.storage.uris import parse_location

    output = parse_location(dest)
    population = read_population(output, options["model_digest"])
    seed = options["seed"]
    if seed is None:
        seed = 0 if options["simulate"] else randbelow(SEED_LIMIT)
    names = ("within", "confidence", "per_label", "error")
    goal = Goal(**{name: options[name] for name in names}, seed=seed)
    if options["simulate"]:
        estimates: Mapping[str, Any] | None = _simulated(population, goal, options["simulate"])
    else:
        estimates = _asked(output, population, goal, options)
    if estimates is None:
        return
    if as_json:
        click.echo(json.dumps(estimates))
    else:
        from seefood.audit.text import estimate_lines

        click.echo("\n".join(estimate_lines(estimates, population.failed)))


def _simulated(population: "Population", goal: "Goal", file: str) -> "Mapping[str, Any]":
    from seefood.audit.session import Session
    from seefood.audit.truth import read_truth

    truth = read_truth(file)

    def say(index: int) -> str:
        uri = population.uris[index]
        if uri not in truth:
            raise UsageError(f"{file} has no label for {uri}, which was drawn; add it")
        return truth[uri]

    session = Session(population, goal)
    return session.estimates(*session.play(say)).as_json()


def _asked(
    output: "Location", population: "Population", goal: "Goal", options: dict[str, Any]
) -> "Mapping[str, Any] | None":
    """Serve the page until the goal is reached; return None if it was stopped before."""
    from seefood.audit.store import find_audit, new_audit, read_audits
    from seefood.corrections.known_labels import parse_labels
    from seefood.review.audit_queue import AuditQueue
    from seefood.review.reviewer import reviewer_name

    reviewer = reviewer_name(options["reviewer"])
    labels = parse_labels(options["labels"])
    known = None if options["begin_new"] else find_audit(read_audits(output), population, goal)
    audit = known or new_audit(population, goal)
    if audit.estimates is not None:
        click.echo(f"The audit {audit.name} is done; --new begins another.", err=True)
        return audit.estimates
    queue = AuditQueue(output, population, audit, reviewer, labels)
    if queue.audit.estimates is None:
        click.echo(f"{'Going on with' if known else 'Beginning'} audit {audit.name}.", err=True)
        serve_page(queue, **{name: options[name] for name in ("host", "port", "show")})
    progress = queue.progress({})
    if progress.is_done:
        click.echo(f"Done: {progress.text}.", err=True)
    else:
        answers = f"{progress.answered} of {progress.length} answers"
        click.echo(f"{answers}; {progress.text}. The same command goes on with it.", err=True)
    return queue.audit.estimates
